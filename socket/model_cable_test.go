package socket

import (
	"errors"
	"io"
	"net"
	"sync"
)

// cable carries bytes between the two ends of a connection and keeps what it delivers. It
// may break: at any byte, in the middle of a frame as well.
type cable struct {
	up, down *way
	ended    sync.WaitGroup
}

// way is one direction of a cable.
type way struct {
	from, to  net.Conn
	most      int // bytes that a read brings
	left      int // bytes that pass until it breaks; negative: it does not
	breaks    func()
	delivered []byte
}

// connect makes a cable, whose ends it returns.
func connect(ends func() (net.Conn, net.Conn), most int) (l *cable, client, server net.Conn) {
	client, near := ends()
	far, server := ends()
	return &cable{
		up:   &way{from: near, to: far, most: most, left: -1},
		down: &way{from: far, to: near, most: most, left: -1},
	}, client, server
}

// start begins to carry.
func (l *cable) start() {
	l.ended.Go(l.up.carry)
	l.ended.Go(l.down.carry)
}

// wait waits until both sides have said that nothing more will come.
func (l *cable) wait() {
	l.ended.Wait()
	l.cut()
}

// cut breaks it: to each side the other one seems to have died.
func (l *cable) cut() {
	l.up.from.Close()
	l.up.to.Close()
}

func (w *way) carry() {
	buffer := make([]byte, w.most)
	for {
		n, err := w.from.Read(buffer)
		w.deliver(buffer[:n])
		switch {
		case errors.Is(err, io.EOF):
			closeWrite(w.to)
			return
		case err != nil:
			w.from.Close()
			w.to.Close()
			return
		}
	}
}

// deliver delivers bytes up to where the way breaks. What cannot be delivered is lost: who
// wrote it learns that from the other direction.
func (w *way) deliver(bytes []byte) {
	breaks := w.left >= 0 && w.left <= len(bytes)
	if breaks {
		bytes = bytes[:w.left]
	}
	n, _ := w.to.Write(bytes)
	w.delivered = append(w.delivered, bytes[:n]...)
	if w.left >= 0 {
		w.left -= len(bytes)
	}
	if breaks && w.breaks != nil {
		w.breaks()
		w.breaks = nil
	}
}

// closeWrite says that nothing more will come this way.
func closeWrite(conn net.Conn) { conn.(interface{ CloseWrite() error }).CloseWrite() }

// CloseWrite ends the way there, as that of a unix socket does.
func (c *pipeConn) CloseWrite() error {
	c.out.change(func() { c.out.ended = true })
	return nil
}
