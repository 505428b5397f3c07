//go:build unix

package faults

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"time"
)

// The misbehaving clients use a bare connection. Their messages do not count as acknowledged. They
// must not harm other clients.

// bare calls f with a bare connection that has a random deadline.
func (c *client) bare(ctx context.Context, f func(net.Conn)) {
	conn, err := transportOf(c.dir).Dial(ctx, victim)
	if err != nil {
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn.SetDeadline(time.Now().Add(time.Duration(c.chance.IntN(3000)) * time.Millisecond))
	f(conn)
}

// greeted calls f with a bare connection after the handshake.
func (c *client) greeted(ctx context.Context, f func(net.Conn)) {
	c.bare(ctx, func(conn net.Conn) {
		start := frame("text/plain", "innmind/ipc:connection.start")
		if _, err := io.ReadFull(conn, make([]byte, len(start))); err != nil {
			return
		}
		if _, err := conn.Write(frame("text/plain", "innmind/ipc:connection.start-ok")); err == nil {
			f(conn)
		}
	})
}

// frame encodes a frame without package socket, so that an error in that package's codec does
// not hide itself.
func frame(mediaType, content string) []byte {
	bytes := binary.BigEndian.AppendUint16(nil, uint16(len(mediaType)))
	bytes = append(bytes, mediaType...)
	bytes = binary.BigEndian.AppendUint32(bytes, uint32(len(content)))
	bytes = append(bytes, content...)
	return append(bytes, 0xCE)
}

// one returns the frame of a new message.
func (c *client) one(reply bool) []byte {
	messages, _ := c.messages(1, reply)
	return frame("text/plain", messages[0].Content())
}

// flood sends messages that want replies and reads none.
func (c *client) flood(ctx context.Context) {
	c.greeted(ctx, func(conn net.Conn) {
		for ctx.Err() == nil {
			if _, err := conn.Write(c.one(true)); err != nil {
				return
			}
		}
	})
}

// halfClose closes the connection for writing and goes on reading.
func (c *client) halfClose(ctx context.Context) {
	c.greeted(ctx, func(conn net.Conn) {
		if _, err := conn.Write(c.one(true)); err != nil || conn.(interface{ CloseWrite() error }).CloseWrite() != nil {
			return
		}
		_, _ = io.Copy(io.Discard, conn)
	})
}

// cut leaves after each possible part of a frame.
func (c *client) cut(ctx context.Context) {
	messages, _ := c.messages(1, true)
	whole := frame("text/plain", messages[0].Content()[:17])
	for n := range len(whole) {
		c.greeted(ctx, func(conn net.Conn) { _, _ = conn.Write(whole[:n]) })
	}
}

// trickle sends a frame byte by byte.
func (c *client) trickle(ctx context.Context) {
	c.greeted(ctx, func(conn net.Conn) {
		for _, b := range c.one(true) {
			if _, err := conn.Write([]byte{b}); err != nil {
				return
			}
			pause(ctx, time.Duration(c.chance.IntN(5))*time.Millisecond)
		}
	})
}

// garbage sends bytes that are not a frame, with or without a good frame before them.
func (c *client) garbage(ctx context.Context) {
	bytes := make([]byte, 1+c.chance.IntN(4096))
	for i := range bytes {
		bytes[i] = byte(c.chance.Uint32())
	}
	if c.chance.IntN(2) == 0 {
		bytes = append(c.one(false), bytes...)
	}
	c.greeted(ctx, func(conn net.Conn) {
		_, _ = conn.Write(bytes)
		_, _ = io.Copy(io.Discard, conn)
	})
}

// oversize announces a content above the limit, or at the limit, and sends little of it.
func (c *client) oversize(ctx context.Context) {
	announced := []uint32{1<<32 - 1, 1 << 31, 16<<20 + 1, 16 << 20}[c.chance.IntN(4)]
	header := frame("text/plain", "")[:12]
	c.greeted(ctx, func(conn net.Conn) {
		_, _ = conn.Write(append(binary.BigEndian.AppendUint32(header, announced), "the first bytes"...))
		_, _ = io.Copy(io.Discard, conn)
	})
}

// crowd opens many connections and sends nothing.
func (c *client) crowd(ctx context.Context) {
	var many func(n int)
	many = func(n int) {
		if n > 0 {
			c.bare(ctx, func(net.Conn) { many(n - 1) })
		} else {
			pause(ctx, time.Second)
		}
	}
	many(200)
}

// impatient sends messages without a handshake.
func (c *client) impatient(ctx context.Context) {
	c.bare(ctx, func(conn net.Conn) {
		for range 10 {
			if _, err := conn.Write(c.one(true)); err != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, conn)
	})
}
