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
	up, down *direction
	ended    sync.WaitGroup
}

// direction is one direction of a cable.
type direction struct {
	from, to  net.Conn
	most      int // bytes that a read brings
	left      int // bytes that pass until it breaks; negative: it does not
	breaks    func()
	delivered []byte
}

// connect makes a cable, whose ends it returns.
func connect(ends func() (net.Conn, net.Conn), most int) (c *cable, client, server net.Conn) {
	client, near := ends()
	far, server := ends()
	return &cable{
		up:   &direction{from: near, to: far, most: most, left: -1},
		down: &direction{from: far, to: near, most: most, left: -1},
	}, client, server
}

// start begins to carry.
func (c *cable) start() {
	c.ended.Go(c.up.carry)
	c.ended.Go(c.down.carry)
}

// wait waits until both sides have said that nothing more will come.
func (c *cable) wait() {
	c.ended.Wait()
	c.cut()
}

// cut breaks it: to each side the other one seems to have died.
func (c *cable) cut() {
	c.up.from.Close()
	c.up.to.Close()
}

func (d *direction) carry() {
	buffer := make([]byte, d.most)
	for {
		n, err := d.from.Read(buffer)
		d.deliver(buffer[:n])
		switch {
		case errors.Is(err, io.EOF):
			closeWrite(d.to)
			return
		case err != nil:
			d.from.Close()
			d.to.Close()
			return
		}
	}
}

// deliver delivers bytes up to where the way breaks. What cannot be delivered is lost: who
// wrote it learns that from the other direction.
func (d *direction) deliver(bytes []byte) {
	breaks := d.left >= 0 && d.left <= len(bytes)
	if breaks {
		bytes = bytes[:d.left]
	}
	n, _ := d.to.Write(bytes)
	d.delivered = append(d.delivered, bytes[:n]...)
	if d.left >= 0 {
		d.left -= len(bytes)
	}
	if breaks && d.breaks != nil {
		d.breaks()
		d.breaks = nil
	}
}

// closeWrite says that nothing more will come this way.
func closeWrite(conn net.Conn) { conn.(interface{ CloseWrite() error }).CloseWrite() }

// CloseWrite ends the way there, as that of a unix socket does.
func (c *pipeConn) CloseWrite() error {
	c.out.change(func() { c.out.ended = true })
	return nil
}
