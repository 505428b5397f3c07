package wire

import (
	"strings"
	"unsafe"
)

// Release returns the buffer to the pool if it holds no bytes. It replaces a large buffer
// when a small one has room for the bytes. The next Fill takes a new buffer. The decoded
// part of a frame stays.
func (r *Reader) Release() {
	switch {
	case r.start == r.end:
		r.DropBuffer()
	case len(r.buffer) == ampleSize && r.end-r.start <= readSize:
		r.moveTo(takeBuffer(readSize))
	}
}

// Space returns room for a Read of the caller, for Commit. Unlike Fill, the caller should not
// wait while it has the room: the buffer may be large. The room is empty only when the
// buffer is full of whole frames.
func (r *Reader) Space() []byte { return r.spaceOf(r.ample()) }

// HasSpace reports whether there is room for more bytes before the next call of Next.
func (r *Reader) HasSpace() bool {
	if r.stage == stageLarge {
		return len(r.content) <= r.size
	}
	return r.end-r.start < r.ample()
}

// ample returns the size of a buffer that is released before the caller waits. The bytes of a long frame are
// moved out of the buffer, so a small one is better when the next frame is likely to be long.
func (r *Reader) ample() int {
	if r.long {
		return readSize
	}
	return ampleSize
}

// spaceOf returns room for the next Read in a buffer of the given size, or in a larger one
// that already holds bytes.
func (r *Reader) spaceOf(size int) []byte {
	if r.stage == stageLarge {
		r.growContent()
		return r.content[len(r.content):cap(r.content)]
	}
	switch {
	case len(r.buffer) < size, len(r.buffer) == ampleSize && size < ampleSize && r.start == r.end:
		r.moveTo(takeBuffer(size))
	case r.start > 0:
		r.end = copy(r.buffer, r.buffer[r.start:r.end])
		r.start = 0
	}
	if r.stage == stageHeader && r.end == len(r.buffer) {
		r.growHeader()
	}
	return r.buffer[r.end:]
}

// moveTo moves the bytes to another buffer.
func (r *Reader) moveTo(buffer []byte) {
	n := copy(buffer, r.buffer[r.start:r.end])
	r.DropBuffer()
	r.buffer, r.end = buffer, n
}

// filled records that n bytes were read.
func (r *Reader) filled(n int) {
	if r.stage == stageLarge {
		r.content = r.content[:len(r.content)+n]
		return
	}
	r.end += n
	r.busy = n >= readSize || n > 0 && r.end == len(r.buffer)
}

// growContent makes room for more of a large content when there is none.
func (r *Reader) growContent() {
	if len(r.content) < cap(r.content) {
		return
	}
	part, loan := r.content, r.loan
	r.newContent(min(r.size+1, cap(part)*contentGrowth))
	r.content = append(r.content, part...)
	loan.End()
}

// newContent makes room for size bytes of the content of a message.
func (r *Reader) newContent(size int) {
	if !r.Lend {
		r.content, r.loan = newContent(size), nil
		return
	}
	r.loan = NewLoan(size)
	r.content = r.loan.memory[:0:size]
}

// contentShift is how many bytes a content stands behind the beginning of its memory, which is
// that of a page if it is large. Processors of AMD copy three times slower, with the instruction
// that the kernel uses, to an offset in a page that is 0 to 15 bytes behind the offset of what
// they copy. The kernel has a content of some whole pages and one byte in whole pages.
const contentShift = 128

// newContent returns room for size bytes, at least one. The memory is not cleared, since a
// Read overwrites it and clearing takes as long as that. In the standard library only
// strings.Builder hands out such memory.
func newContent(size int) []byte {
	var b strings.Builder
	b.Grow(contentShift + size)
	b.WriteByte(0) // an empty string need not point anywhere
	memory := unsafe.Slice(unsafe.StringData(b.String()), contentShift+size)
	return memory[contentShift:contentShift]
}

// growHeader makes room for a header longer than the full buffer.
func (r *Reader) growHeader() {
	size := headerSize(r.buffer)
	if size <= len(r.buffer) {
		return
	}
	r.moveTo(make([]byte, min(size, 2*len(r.buffer))))
}

// consume drops the first n bytes held. A buffer that grew for a header ends with that header,
// so it is empty now and is dropped.
func (r *Reader) consume(n int) {
	r.start += n
	if r.start < r.end {
		return
	}
	r.start, r.end = 0, 0
	if len(r.buffer) != readSize && len(r.buffer) != ampleSize {
		r.DropBuffer()
	}
}

// Drop drops all bytes, those of a long content too. It is for a Reader that reads no more.
func (r *Reader) Drop() {
	r.loan.End()
	r.content, r.loan = nil, nil
	r.DropBuffer()
}

// DropBuffer drops the bytes held and returns the buffer to the pool.
func (r *Reader) DropBuffer() {
	giveBuffer(r.buffer)
	r.buffer, r.start, r.end = nil, 0, 0
}

// Buffered returns the number of bytes held, and the size of the buffer that holds them,
// zero if there is none. Bytes of a long content are not in the buffer.
func (r *Reader) Buffered() (held, size int) { return r.end - r.start, len(r.buffer) }

// Decoded returns the number of frames that Next and Skip have passed. It wraps around.
func (r *Reader) Decoded() uint32 { return r.decoded }
