package wire

import (
	"encoding/binary"
	"unsafe"
)

const (
	// MaxAlike is how many messages Alike returns at most.
	MaxAlike = 16

	// sharedContents is how many bytes of contents share memory that is owned: a content that is
	// kept keeps as much.
	sharedContents = 512
)

// another is the fast way for most messages: a whole small message of the same media type as
// the last one. It returns false for everything else, which decode handles.
func (r *Reader) another() (f Frame, ok bool) {
	size, ok := r.alike(r.start)
	if !ok {
		return Frame{}, false
	}
	from := r.start + fixedHeader + len(r.lastRaw)
	f = r.small(r.last, r.buffer[from:from+size])
	r.passAlike(1, size)
	return f, true
}

// Alike is Next for the messages behind the last frame. It takes the small messages that have the
// media type of the last frame and have been read completely. It returns their media type, number
// and contents. The contents share memory. If the Reader lends, loan has it and a user for each content.
func (r *Reader) Alike(contents *[MaxAlike]string) (mediaType string, n int, loan *Loan) {
	limit := sharedContents
	if r.Lend {
		limit = smallBuffer
	}
	header, total := fixedHeader+len(r.lastRaw), 0
	for at := r.start; n < MaxAlike; n++ {
		size, ok := r.alike(at)
		if !ok || total+size > limit {
			break
		}
		contents[n] = unsafe.String(unsafe.SliceData(r.buffer[at+header:]), size) // until it is copied
		total += size
		at += header + size + 1
	}
	if n == 0 {
		return "", 0, nil
	}
	var memory []byte
	if r.Lend {
		loan = NewLoan(total)
		loan.users.Store(int32(n))
		memory = loan.memory[:0]
	} else {
		memory = make([]byte, 0, total)
	}
	for i, content := range contents[:n] {
		from := len(memory)
		memory = append(memory, content...)
		contents[i] = unsafe.String(unsafe.SliceData(memory), len(memory))[from:]
	}
	r.passAlike(n, total)
	return r.last, n, loan
}

// alike returns the size of the content of the frame at a place in the buffer, if that is held in
// whole, and a small message of the same media type as the last frame.
func (r *Reader) alike(at int) (size int, ok bool) {
	held, header := r.buffer[at:r.end], fixedHeader+len(r.lastRaw)
	switch {
	case r.broken, r.stage != stageHeader, r.lastRaw == "", len(held) <= header:
		return 0, false
	case headerSize(held) != header, string(held[2:header-4]) != r.lastRaw:
		return 0, false
	}
	announced := binary.BigEndian.Uint32(held[header-4:])
	body := held[header:]
	if announced >= readSize || int(announced) > r.Limit || len(body) <= int(announced) || body[announced] != endOfFrame {
		return 0, false
	}
	size = int(announced)
	return size, size < minControl || size > maxControl || !mayBeControl(r.last)
}

// passAlike drops n frames that are alike, with contents of size bytes.
func (r *Reader) passAlike(n, size int) {
	r.consume(n*(fixedHeader+len(r.lastRaw)+1) + size)
	r.decoded += uint32(n)
	r.long = false
}

// small returns the frame of a message whose content is in the buffer.
func (r *Reader) small(mediaType string, content []byte) Frame {
	if !r.Lend {
		return Frame{Message: Message{mediaType, string(content)}}
	}
	loan := NewLoan(len(content))
	return Frame{Message: Message{mediaType, loan.Hold(content)}, Loan: loan}
}
