package recording

import (
	"context"
	"net"
	"sync"
)

// Relay stands between a client and a server: it passes on the bytes that either sends, records
// them as a connection of the server of that name, and closes both connections when both sides have
// ended, or ctx has. The bytes are recorded before they are passed on.
func Relay(ctx context.Context, client, server net.Conn, name string, to *Writer) {
	defer client.Close()
	defer server.Close()
	number := to.begun(Open, name)
	ctx, cut := context.WithCancel(ctx)
	defer cut()
	stop := context.AfterFunc(ctx, func() { client.Close(); server.Close() })
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { pass(client, server, cut, &direction{to: to, number: number, from: Client}) })
	both.Go(func() { pass(server, client, cut, &direction{to: to, number: number, from: Server}) })
	both.Wait()
}

// pass passes on what one side sends, until that ends. If the other side takes no more, it cuts
// both connections.
func pass(from, to net.Conn, cut func(), d *direction) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		d.sent(d.to.now(), buffer[:n])
		if n > 0 { // a write of nothing may block
			if _, failed := to.Write(buffer[:n]); failed != nil {
				cut()
				return
			}
		}
		if err != nil {
			break
		}
	}
	d.ended()
	if half, ok := to.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		return
	}
	cut()
}
