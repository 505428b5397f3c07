package wire

import (
	"io"
	"net"
	"slices"
	"unsafe"
)

// borrowFrom is the length from which on a content is written from its place instead of being
// copied.
const borrowFrom = 16 << 10

// Output collects frames to be written, in order. It copies small frames to its buffer. Large
// contents stay in their messages, and Output remembers their places. It takes the buffer
// from a pool with the first frame and returns it with the last. The zero Output is empty.
// One goroutine at a time may use it.
type Output struct {
	Bytes    []byte     // the buffer: the bytes to write, without the large contents
	borrowed []borrowed // in order of their places
	lent     int        // the sum of their lengths
}

// borrowed is a large content. Its place is before the byte at of the buffer.
type borrowed struct {
	at      int
	content string
	loan    *Loan // has the content, until that is written; nil: it is owned
}

// NewOutput returns an Output that begins with whole frames. They are in a buffer of their
// size that is not of the pool, so that an Output which waits long is small.
func NewOutput(frames string) Output { return Output{Bytes: []byte(frames)} }

// Extent is the size of an Output, or of a part of one.
type Extent struct{ bytes, borrowed, lent int }

// Extent returns the extent of all frames.
func (o *Output) Extent() Extent { return Extent{len(o.Bytes), len(o.borrowed), o.lent} }

// Since returns the extent of the frames that were added since Extent returned before.
func (o *Output) Since(before Extent) Extent {
	return Extent{len(o.Bytes) - before.bytes, len(o.borrowed) - before.borrowed, o.lent - before.lent}
}

// Len returns the number of bytes to write.
func (o *Output) Len() int { return len(o.Bytes) + o.lent }

// Len returns the number of bytes.
func (a Extent) Len() int { return a.bytes + a.lent }

// AddControl adds a control message.
func (o *Output) AddControl(k Kind) { o.AddFrames(controlFrames[k]) }

// AddFrames adds encoded frames.
func (o *Output) AddFrames(bytes string) {
	o.reserve(len(bytes))
	o.Bytes = append(o.Bytes, bytes...)
}

// AddMessage adds a message. The caller has checked that its lengths fit into the header.
func (o *Output) AddMessage(m Message) { o.AddLent(m, nil) }

// AddLent is AddMessage for a message whose content a loan has. The loan has a user more until a
// content that is not copied is written.
func (o *Output) AddLent(m Message, loan *Loan) {
	if len(m.Content) < borrowFrom {
		o.reserve(FrameSize(m))
		o.Bytes = AppendFrame(o.Bytes, m)
		return
	}
	o.reserve(FrameSize(m) - len(m.Content))
	o.Bytes = appendHeader(o.Bytes, m)
	o.borrow(m.Content, loan)
	o.Bytes = append(o.Bytes, endOfFrame)
}

func (o *Output) borrow(content string, loan *Loan) {
	loan.retain()
	o.borrowed = append(o.borrowed, borrowed{len(o.Bytes), content, loan})
	o.lent += len(content)
}

// reserve makes room for n bytes.
func (o *Output) reserve(n int) {
	if cap(o.Bytes)-len(o.Bytes) >= n {
		return
	}
	grown := takeBuffer(max(len(o.Bytes)+n, 2*cap(o.Bytes)))
	grown = grown[:copy(grown, o.Bytes)]
	giveBuffer(o.Bytes)
	o.Bytes = grown
}

// Append adds the frames of another Output, which keeps them.
func (o *Output) Append(other *Output) {
	o.reserve(len(other.Bytes))
	from := 0
	for _, b := range other.borrowed {
		o.Bytes = append(o.Bytes, other.Bytes[from:b.at]...)
		o.borrow(b.content, b.loan)
		from = b.at
	}
	o.Bytes = append(o.Bytes, other.Bytes[from:]...)
}

// Split removes the last part, of the given extent, and returns it as an Output of its own
// that has no spare memory.
func (o *Output) Split(part Extent) (last Output) {
	last.Bytes = slices.Clone(o.Bytes[len(o.Bytes)-part.bytes:])
	last.borrowed = slices.Clone(o.borrowed[len(o.borrowed)-part.borrowed:])
	last.lent = part.lent
	for _, b := range last.borrowed {
		b.loan.retain()
	}
	o.DropLast(part)
	for i := range last.borrowed {
		last.borrowed[i].at -= len(o.Bytes)
	}
	return last
}

// DropLast removes the last part, of the given extent.
func (o *Output) DropLast(part Extent) {
	o.Bytes = o.Bytes[:len(o.Bytes)-part.bytes]
	kept := len(o.borrowed) - part.borrowed
	giveBack(o.borrowed[kept:])
	o.borrowed = o.borrowed[:kept]
	o.lent -= part.lent
	o.emptied()
}

// Drop removes all frames.
func (o *Output) Drop() { o.DropLast(o.Extent()) }

// DropFirst removes the first n bytes, which were written.
func (o *Output) DropFirst(n int) {
	if n == o.Len() {
		o.Drop()
		return
	}
	bytes, contents := 0, 0 // to remove
	for _, b := range o.borrowed {
		if n < b.at-bytes {
			break
		}
		n -= b.at - bytes
		bytes = b.at
		part := min(n, len(b.content))
		n -= part
		o.lent -= part
		if part < len(b.content) {
			o.borrowed[contents].content = b.content[part:]
			break
		}
		contents++
	}
	bytes += n
	o.Bytes = append(o.Bytes[:0], o.Bytes[bytes:]...)
	giveBack(o.borrowed[:contents])
	o.borrowed = slices.Delete(o.borrowed, 0, contents)
	for i := range o.borrowed {
		o.borrowed[i].at -= bytes
	}
}

// giveBack forgets contents, which are not to be written any more.
func giveBack(contents []borrowed) {
	for _, b := range contents {
		b.loan.Release()
	}
	clear(contents)
}

// emptied returns the buffer to the pool if there are no frames.
func (o *Output) emptied() {
	if o.Len() == 0 {
		giveBuffer(o.Bytes)
		*o = Output{}
	}
}

// WriteAll writes all frames and returns the number of bytes written; DropFirst removes
// those. If w is a socket of package net, there is one write system call. Any other w gets
// each large content in a Write of its own, so that it is not copied.
func (o *Output) WriteAll(w io.Writer) (int, error) {
	if o.IsWhole() {
		return w.Write(o.Bytes)
	}
	pieces := o.Pieces()
	n, err := pieces.WriteTo(w)
	return int(n), err
}

// IsWhole reports whether all bytes to write are in Bytes.
func (o *Output) IsWhole() bool { return len(o.borrowed) == 0 }

// Pieces returns the bytes to write, in order.
func (o *Output) Pieces() net.Buffers {
	list := make(net.Buffers, 0, 2*len(o.borrowed)+1)
	from := 0
	for _, b := range o.borrowed {
		content := unsafe.Slice(unsafe.StringData(b.content), len(b.content)) // must not be written to
		list = append(list, o.Bytes[from:b.at], content)
		from = b.at
	}
	return append(list, o.Bytes[from:])
}
