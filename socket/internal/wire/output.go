package wire

import (
	"io"
	"net"
	"slices"
	"sync"
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
	Bytes []byte    // the buffer: the bytes to write, without the large contents
	large *contents // nil if there are none
	lent  int       // the sum of their lengths
}

// contents are the large contents of an Output. They are from a pool, and return to it with the
// last frame.
type contents struct {
	list   []borrowed  // in order of their places
	pieces net.Buffers // see Pieces
	left   net.Buffers // of pieces, while they are written
}

// maxListed is the longest list that is pooled.
const maxListed = 64

var contentsPool = sync.Pool{New: func() any { return new(contents) }}

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
func (o *Output) Extent() Extent { return Extent{len(o.Bytes), len(o.borrowed()), o.lent} }

// borrowed returns the large contents.
func (o *Output) borrowed() []borrowed {
	if o.large == nil {
		return nil
	}
	return o.large.list
}

// Since returns the extent of the frames that were added since Extent returned before.
func (o *Output) Since(before Extent) Extent {
	return Extent{len(o.Bytes) - before.bytes, len(o.borrowed()) - before.borrowed, o.lent - before.lent}
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
	o.borrow(len(o.Bytes), m.Content, loan)
	o.Bytes = append(o.Bytes, endOfFrame)
}

// borrow adds a content before the byte at of the buffer.
func (o *Output) borrow(at int, content string, loan *Loan) {
	loan.retain()
	if o.large == nil {
		o.large = contentsPool.Get().(*contents)
	}
	o.large.list = append(o.large.list, borrowed{at, content, loan})
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
	for _, b := range other.borrowed() {
		o.Bytes = append(o.Bytes, other.Bytes[from:b.at]...)
		o.borrow(len(o.Bytes), b.content, b.loan)
		from = b.at
	}
	o.Bytes = append(o.Bytes, other.Bytes[from:]...)
}

// Split removes the last part, of the given extent, and returns it as an Output of its own
// that has no spare memory.
func (o *Output) Split(part Extent) (last Output) {
	last.Bytes = slices.Clone(o.Bytes[len(o.Bytes)-part.bytes:])
	kept := len(o.Bytes) - part.bytes
	all := o.borrowed()
	for _, b := range all[len(all)-part.borrowed:] {
		last.borrow(b.at-kept, b.content, b.loan)
	}
	o.DropLast(part)
	return last
}

// DropLast removes the last part, of the given extent.
func (o *Output) DropLast(part Extent) {
	o.Bytes = o.Bytes[:len(o.Bytes)-part.bytes]
	if part.borrowed > 0 {
		kept := len(o.large.list) - part.borrowed
		giveBack(o.large.list[kept:])
		o.large.list = o.large.list[:kept]
	}
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
	bytes, written := 0, 0 // to remove
	all := o.borrowed()
	for i, b := range all {
		if n < b.at-bytes {
			break
		}
		n -= b.at - bytes
		bytes = b.at
		part := min(n, len(b.content))
		n -= part
		o.lent -= part
		if part < len(b.content) {
			all[i].content = b.content[part:]
			break
		}
		written++
	}
	bytes += n
	o.Bytes = append(o.Bytes[:0], o.Bytes[bytes:]...)
	if len(all) == 0 {
		return
	}
	giveBack(all[:written])
	o.large.list = slices.Delete(all, 0, written)
	for i := range o.large.list {
		o.large.list[i].at -= bytes
	}
}

// giveBack forgets contents, which are not to be written any more.
func giveBack(contents []borrowed) {
	for _, b := range contents {
		b.loan.Release()
	}
	clear(contents)
}

// emptied returns the memory to the pools if there are no frames.
func (o *Output) emptied() {
	if o.Len() > 0 {
		return
	}
	giveBuffer(o.Bytes)
	if o.large != nil && cap(o.large.list) <= maxListed {
		clear(o.large.pieces)
		o.large.list, o.large.left = o.large.list[:0], nil
		contentsPool.Put(o.large)
	}
	*o = Output{}
}

// WriteAll writes all frames and returns the number of bytes written; DropFirst removes
// those. If w is a socket of package net, there is one write system call. Any other w gets
// each large content in a Write of its own, so that it is not copied.
func (o *Output) WriteAll(w io.Writer) (int, error) {
	if o.IsWhole() {
		return w.Write(o.Bytes)
	}
	o.large.left = o.Pieces()
	n, err := o.large.left.WriteTo(w)
	return int(n), err
}

// IsWhole reports whether all bytes to write are in Bytes.
func (o *Output) IsWhole() bool { return len(o.borrowed()) == 0 }

// Pieces returns the bytes to write, in order. They are valid until the Output changes.
func (o *Output) Pieces() net.Buffers {
	if o.IsWhole() {
		return net.Buffers{o.Bytes}
	}
	pieces, from := o.large.pieces[:0], 0
	for _, b := range o.large.list {
		content := unsafe.Slice(unsafe.StringData(b.content), len(b.content)) // must not be written to
		pieces = append(pieces, o.Bytes[from:b.at], content)
		from = b.at
	}
	o.large.pieces = append(pieces, o.Bytes[from:])
	return o.large.pieces
}
