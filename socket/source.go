package socket

import "net"

// source is what a link reads its frames from.
type source interface {
	// fill is the frameReader's, from this source. Where it can it holds no buffer
	// while it waits.
	fill(r *frameReader) error
}

// plainSource is any connection. While it waits it holds the reader's buffer.
type plainSource struct{ net.Conn }

func (s plainSource) fill(r *frameReader) error { return r.fill(s.Conn) }
