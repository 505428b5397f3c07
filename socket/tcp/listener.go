package tcp

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
)

// handshakesAtOnce is the highest number of handshakes that a listener has in progress.
const handshakesAtOnce = 128

// listener accepts connections whose handshake is done.
type listener struct {
	net.Listener
	tls  *tls.Config
	from Transport

	accepted chan accepted
	closing  context.Context // ends when the listener is closed
	close    context.CancelFunc
	running  sync.WaitGroup // goroutines of the listener
}

// accepted is what Accept returns.
type accepted struct {
	conn net.Conn
	err  error
}

func newListener(below net.Listener, config *tls.Config, from Transport) *listener {
	l := &listener{Listener: below, tls: config, from: from, accepted: make(chan accepted)}
	l.closing, l.close = context.WithCancel(context.Background())
	l.running.Go(l.acceptAll)
	return l
}

// Accept returns the next connection whose handshake is done.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case a := <-l.accepted:
		return a.conn, a.err
	case <-l.closing.Done():
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: net.ErrClosed}
	}
}

// Close frees the address. It closes the connections that Accept has not returned.
func (l *listener) Close() error {
	l.close()
	err := l.Listener.Close()
	l.running.Wait()
	return err
}

// acceptAll starts the handshake of each connection, until the listener is closed.
func (l *listener) acceptAll() {
	slots := make(chan struct{}, handshakesAtOnce)
	for l.closing.Err() == nil {
		slots <- struct{}{}
		conn, err := l.Listener.Accept()
		if err != nil {
			<-slots
			l.offer(accepted{err: err})
			continue
		}
		l.running.Go(func() {
			defer func() { <-slots }()
			l.handshake(conn)
		})
	}
}

func (l *listener) handshake(raw net.Conn) {
	ctx, cancel := context.WithTimeout(l.closing, l.from.handshakeTimeout())
	defer cancel()
	conn, err := shake(ctx, raw, l.tls, tls.Server)
	switch {
	case err == nil:
		l.offer(accepted{conn: conn})
	case l.closing.Err() == nil:
		l.log().Warn("a client's handshake of TLS failed", "client", raw.RemoteAddr().String(), "error", err.Error())
	}
}

// offer gives a connection or an error to Accept. It closes the connection if the listener is
// closed first.
func (l *listener) offer(a accepted) {
	select {
	case l.accepted <- a:
	case <-l.closing.Done():
		if a.conn != nil {
			a.conn.Close()
		}
	}
}

func (l *listener) log() *slog.Logger {
	if l.from.Log != nil {
		return l.from.Log
	}
	return slog.Default()
}
