package socket

import (
	"net"
	"slices"
	"unsafe"
)

// borrowFrom is the length from which on a content is written from where it is
// instead of being copied.
const borrowFrom = 16 << 10

// outgoing is frames to be written: their bytes one behind the other, but for large
// contents, which stay with their messages. It holds a buffer while there are any.
type outgoing struct {
	bytes    []byte
	borrowed []borrowed // in order
	lent     int        // how many bytes they have
}

// borrowed is a content that stands before the byte at.
type borrowed struct {
	at      int
	content string
}

// amount is how much there is of what an outgoing consists of.
type amount struct{ bytes, borrowed, lent int }

func (o *outgoing) amount() amount { return amount{len(o.bytes), len(o.borrowed), o.lent} }

// since is how much has been added to what there was.
func (o *outgoing) since(before amount) amount {
	return amount{len(o.bytes) - before.bytes, len(o.borrowed) - before.borrowed, o.lent - before.lent}
}

// size returns how many bytes there are to write.
func (o *outgoing) size() int { return len(o.bytes) + o.lent }

func (a amount) size() int { return a.bytes + a.lent }

// control adds a control message.
func (o *outgoing) control(k kind) { o.frame(controlFrames[k]) }

// frame adds whole frames, in bytes.
func (o *outgoing) frame(bytes string) {
	o.reserve(len(bytes))
	o.bytes = append(o.bytes, bytes...)
}

// message adds a message, which has been checked.
func (o *outgoing) message(m Message) {
	if len(m.content) < borrowFrom {
		o.reserve(frameSize(m))
		o.bytes = appendFrame(o.bytes, m)
		return
	}
	o.reserve(frameSize(m) - len(m.content))
	o.bytes = appendHeader(o.bytes, m)
	o.borrow(m.content)
	o.bytes = append(o.bytes, endOfFrame)
}

func (o *outgoing) borrow(content string) {
	o.borrowed = append(o.borrowed, borrowed{len(o.bytes), content})
	o.lent += len(content)
}

// reserve makes room for n bytes.
func (o *outgoing) reserve(n int) {
	if cap(o.bytes)-len(o.bytes) >= n {
		return
	}
	grown := takeBuffer(max(len(o.bytes)+n, 2*cap(o.bytes)))
	grown = grown[:copy(grown, o.bytes)]
	giveBuffer(o.bytes)
	o.bytes = grown
}

// add adds what another one holds.
func (o *outgoing) add(other *outgoing) {
	o.reserve(len(other.bytes))
	from := 0
	for _, b := range other.borrowed {
		o.bytes = append(o.bytes, other.bytes[from:b.at]...)
		o.borrow(b.content)
		from = b.at
	}
	o.bytes = append(o.bytes, other.bytes[from:]...)
}

// split takes off the last part, of the given amount, which becomes an outgoing of
// its own that holds no more than it must.
func (o *outgoing) split(part amount) (last outgoing) {
	last.bytes = slices.Clone(o.bytes[len(o.bytes)-part.bytes:])
	last.borrowed = slices.Clone(o.borrowed[len(o.borrowed)-part.borrowed:])
	last.lent = part.lent
	o.dropLast(part)
	for i := range last.borrowed {
		last.borrowed[i].at -= len(o.bytes)
	}
	return last
}

// dropLast lets go of the last part, of the given amount.
func (o *outgoing) dropLast(part amount) {
	o.bytes = o.bytes[:len(o.bytes)-part.bytes]
	kept := len(o.borrowed) - part.borrowed
	clear(o.borrowed[kept:])
	o.borrowed = o.borrowed[:kept]
	o.lent -= part.lent
	o.emptied()
}

// drop lets go of the first n bytes, which were written.
func (o *outgoing) drop(n int) {
	if n == o.size() {
		o.dropLast(o.amount())
		return
	}
	bytes, contents := 0, 0 // to let go of
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
	o.bytes = append(o.bytes[:0], o.bytes[bytes:]...)
	o.borrowed = slices.Delete(o.borrowed, 0, contents)
	for i := range o.borrowed {
		o.borrowed[i].at -= bytes
	}
}

// emptied gives the buffer back if it holds nothing.
func (o *outgoing) emptied() {
	if o.size() == 0 {
		giveBuffer(o.bytes)
		*o = outgoing{}
	}
}

// writeTo writes all there is, and returns how much of it was written. A socket
// gathers it in one write; another connection gets each borrowed content in a write of
// its own, so that a large one is copied nowhere.
func (o *outgoing) writeTo(conn net.Conn) (int, error) {
	if len(o.borrowed) == 0 {
		return conn.Write(o.bytes)
	}
	pieces := o.pieces()
	n, err := pieces.WriteTo(conn)
	return int(n), err
}

// pieces lists what there is to write.
func (o *outgoing) pieces() net.Buffers {
	list := make(net.Buffers, 0, 2*len(o.borrowed)+1)
	from := 0
	for _, b := range o.borrowed {
		content := unsafe.Slice(unsafe.StringData(b.content), len(b.content)) // to be read only
		list = append(list, o.bytes[from:b.at], content)
		from = b.at
	}
	return append(list, o.bytes[from:])
}

// isSocket tells whether a connection is a socket itself. What merely embeds one may
// read and write in a way of its own.
func isSocket(conn net.Conn) bool {
	switch conn.(type) {
	case *net.UnixConn, *net.TCPConn:
		return true
	}
	return false
}
