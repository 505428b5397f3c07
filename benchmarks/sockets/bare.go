package sockets

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
)

// bare is the minimal protocol: a length, and as many bytes. It has no acknowledgements; at the end
// of a push it waits for one byte that confirms all messages.
var bare = peer{
	id:    "bare",
	name:  "bare",
	serve: serveEach(serveBare),
	dial: func(ctx context.Context, place place, message []byte) (conn, error) {
		wire, err := dialWire(ctx, place)
		if err != nil {
			return nil, err
		}
		return &bareConn{wire, message}, nil
	},
	absent: map[kind]string{inFlight: "It has one request in flight."},
	note: map[kind]string{
		oneWay: "Without acknowledgements: the time until the server has all of them.",
	},
}

const (
	// writeAt is the number of bytes that the bare peers collect before they write, unless
	// they have to wait for an answer.
	writeAt = 64 << 10

	// readSize is the size of their read buffer, and countingReadSize that of a server that does
	// not respond.
	readSize         = 4 << 10
	countingReadSize = 64 << 10

	// goodbye, sent as a length, asks a bare server to confirm all messages.
	goodbye = 1<<32 - 1
)

// wire reads and writes frames of a length and as many bytes. It writes a frame of any size with
// one call.
type wire struct {
	net.Conn
	reader *bufio.Reader
	in     []byte // the last frame read
	out    []byte // not written yet
}

func newWire(conn net.Conn, job job) *wire {
	size := readSize
	if job.Count {
		size = countingReadSize
	}
	return &wire{Conn: conn, reader: bufio.NewReaderSize(conn, size)}
}

func dialWire(ctx context.Context, place place) (*wire, error) {
	conn, err := connectTo(ctx, place)
	if err != nil {
		return nil, err
	}
	return newWire(conn, job{}), nil
}

func (w *wire) addNumber(n uint32) { w.out = binary.BigEndian.AppendUint32(w.out, n) }

func (w *wire) add(frame []byte) error {
	w.addNumber(uint32(len(frame)))
	w.out = append(w.out, frame...)
	if len(w.out) < writeAt {
		return nil
	}
	return w.flush()
}

func (w *wire) flush() error {
	if len(w.out) == 0 {
		return nil
	}
	_, err := w.Write(w.out)
	w.out = w.out[:0]
	return err
}

func (w *wire) readNumber() (uint32, error) {
	header, err := w.reader.Peek(4)
	if err != nil {
		return 0, err
	}
	n := binary.BigEndian.Uint32(header)
	w.reader.Discard(4)
	return n, nil
}

func (w *wire) readBytes(size uint32) ([]byte, error) {
	w.in = slices.Grow(w.in[:0], int(size))[:size]
	_, err := io.ReadFull(w.reader, w.in)
	return w.in, err
}

func (w *wire) read() ([]byte, error) {
	size, err := w.readNumber()
	if err != nil {
		return nil, err
	}
	return w.readBytes(size)
}

// serveEach serves each connection on a goroutine of its own.
func serveEach(serve func(*wire, job) error) func(place, job, func()) error {
	return func(place place, job job, ready func()) error {
		return listen(place, ready, func(conn net.Conn) { serve(newWire(conn, job), job) })
	}
}

// listen starts a goroutine for each connection, which owns the connection.
func listen(place place, ready func(), serve func(net.Conn)) error {
	listener, err := net.Listen("unix", place.path)
	if err != nil {
		return err
	}
	ready()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			serve(conn)
		}()
	}
}

func serveBare(w *wire, job job) error {
	for {
		size, err := w.readNumber()
		if err != nil {
			return err
		}
		if size == goodbye {
			if _, err := w.Write([]byte{1}); err != nil {
				return err
			}
			continue
		}
		message, err := w.readBytes(size)
		if err != nil {
			return err
		}
		if job.Count {
			add(&received, message)
			continue
		}
		if err := errors.Join(w.add(message), w.flush()); err != nil {
			return err
		}
	}
}

type bareConn struct {
	*wire
	message []byte
}

func (c *bareConn) ask() ([]byte, error) {
	if err := errors.Join(c.add(c.message), c.flush()); err != nil {
		return nil, err
	}
	return c.read()
}

func (c *bareConn) askAhead(int, int, func([]byte) error) error { return errors.ErrUnsupported }

func (c *bareConn) push(n int) error {
	for range n {
		if err := c.add(c.message); err != nil {
			return err
		}
	}
	c.addNumber(goodbye)
	if err := c.flush(); err != nil {
		return err
	}
	_, err := c.reader.ReadByte()
	return err
}

func (c *bareConn) close() error { return c.Close() }
