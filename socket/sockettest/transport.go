package sockettest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// CheckTransport checks that a [socket.Transport] does what servers and clients rely on, in
// subtests of t. Each calls make for a new Transport, on which the names "one" and "two" can be
// listened on and dialed, and nobody listens yet. A Transport that can do nothing else for a
// name which nobody listens on may take up to its own time limit to say so.
//
// The subtests check the rules of names, and of errors, that [socket.Transport] states; that
// connections deliver all bytes in order both ways at the same time, with bytes that were written
// before a close; that deadlines in the past end a Read and a Write that wait, after which the
// connection goes on where it was; that Close ends them, too; and that a server and clients of
// package socket talk over it.
func CheckTransport(t *testing.T, make func(t *testing.T) socket.Transport) {
	for _, check := range []struct {
		name string
		run  func(*transportCheck)
	}{
		{"Names", (*transportCheck).names},
		{"Refusals", (*transportCheck).refusals},
		{"DoneContext", (*transportCheck).doneContext},
		{"Listener", (*transportCheck).listener},
		{"BothWays", (*transportCheck).bothWays},
		{"BytesBeforeClose", (*transportCheck).bytesBeforeClose},
		{"ReadDeadline", (*transportCheck).readDeadline},
		{"WriteDeadline", (*transportCheck).writeDeadline},
		{"CloseEndsCalls", (*transportCheck).closeEndsCalls},
		{"Server", (*transportCheck).server},
		{"Restart", (*transportCheck).restart},
	} {
		t.Run(check.name, func(t *testing.T) {
			check.run(&transportCheck{t, make(t), socket.MustParseName("one"), socket.MustParseName("two")})
		})
	}
}

// transportCheck is one check of a transport.
type transportCheck struct {
	*testing.T
	transport socket.Transport
	one, two  socket.Name
}

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

func (c *transportCheck) listen(name socket.Name) net.Listener {
	c.Helper()
	l, err := c.transport.Listen(c.Context(), name)
	if err != nil {
		c.Fatalf("listen on %v: %v", name, err)
	}
	c.Cleanup(func() { l.Close() })
	return l
}

// pair returns both ends of a new connection to one.
func (c *transportCheck) pair() (client, server net.Conn) {
	c.Helper()
	return c.connect(c.listen(c.one))
}

func (c *transportCheck) connect(l net.Listener) (client, server net.Conn) {
	c.Helper()
	type accepted struct {
		conn net.Conn
		err  error
	}
	accepts := make(chan accepted, 1)
	go func() {
		conn, err := l.Accept()
		accepts <- accepted{conn, err}
	}()
	client, err := c.transport.Dial(c.Context(), c.one)
	if err != nil {
		c.Fatalf("dial %v: %v", c.one, err)
	}
	a := <-accepts
	if a.err != nil {
		c.Fatalf("accept on %v: %v", c.one, a.err)
	}
	c.Cleanup(func() { client.Close(); a.conn.Close() })
	return client, a.conn
}

// fails checks an error of an operation.
func (c *transportCheck) fails(operation string, err, want error) {
	c.Helper()
	if !errors.Is(err, want) {
		c.Errorf("%s: got the error %v, want %v", operation, err, want)
	}
}

func (c *transportCheck) names() {
	c.listen(c.two)
	c.listen(c.one)
	names, err := c.transport.Names(c.Context())
	if errors.Is(err, errors.ErrUnsupported) {
		return
	}
	if err != nil || !slices.Contains(names, c.one) || !slices.Contains(names, c.two) {
		c.Errorf("names while one and two are listened on: got %v, %v, want both", names, err)
	}
	if !slices.IsSortedFunc(names, func(a, b socket.Name) int { return bytes.Compare([]byte(a.String()), []byte(b.String())) }) {
		c.Errorf("names: got %v, want them in order", names)
	}
}

func (c *transportCheck) refusals() {
	_, err := c.transport.Dial(c.Context(), c.one)
	c.fails("dial a name on which nobody listens", err, socket.ErrNotListening)
	var structured *socket.Error
	if !errors.As(err, &structured) || structured.Op != "dial" || structured.Name != "one" {
		c.Errorf("dial a name on which nobody listens: got %#v, want a socket.Error with the operation dial and the name", err)
	}
	_, err = c.transport.Dial(c.Context(), socket.Name{})
	c.fails("dial without a name", err, socket.ErrInvalid)
	_, err = c.transport.Listen(c.Context(), socket.Name{})
	c.fails("listen without a name", err, socket.ErrInvalid)
	c.listen(c.one)
	_, err = c.transport.Listen(c.Context(), c.one)
	c.fails("listen on a name that has a listener", err, socket.ErrInUse)
}

func (c *transportCheck) doneContext() {
	c.listen(c.one)
	reason := errors.New("reason")
	ctx, cancel := context.WithCancelCause(c.Context())
	cancel(reason)
	_, err := c.transport.Dial(ctx, c.one)
	c.fails("dial with a done context", err, reason)
	_, err = c.transport.Listen(ctx, c.two)
	c.fails("listen with a done context", err, reason)
	_, err = c.transport.Names(ctx)
	c.fails("names with a done context", err, reason)
}

func (c *transportCheck) listener() {
	l := c.listen(c.one)
	waits := make(chan error)
	go func() {
		_, err := l.Accept()
		waits <- err
	}()
	if err := l.Close(); err != nil {
		c.Errorf("close the listener: got %v, want no error", err)
	}
	c.fails("accept while the listener is closed", <-waits, net.ErrClosed)
	_, err := l.Accept()
	c.fails("accept after the listener is closed", err, net.ErrClosed)
	l.Close() // again, which does nothing, and does not close the next
	_, err = c.transport.Dial(c.Context(), c.one)
	c.fails("dial after the listener is closed", err, socket.ErrNotListening)

	next := c.listen(c.one)
	l.Close()
	client, server := c.connect(next)
	next.Close() // does not close connections that were accepted
	c.passes(client, server, []byte("after the listener"))
}

// passes checks that bytes written at one end arrive at the other.
func (c *transportCheck) passes(from, to net.Conn, sent []byte) {
	c.Helper()
	written := make(chan error, 1)
	go func() {
		_, err := from.Write(sent)
		written <- err
	}()
	got := make([]byte, len(sent))
	if n, err := io.ReadFull(to, got); err != nil || !bytes.Equal(got, sent) {
		c.Errorf("read the %d bytes that the other end wrote: got %d bytes, equal %t, error %v", len(sent), n, bytes.Equal(got, sent), err)
	}
	if err := <-written; err != nil {
		c.Errorf("write %d bytes that the other end reads: got %v", len(sent), err)
	}
}

// pattern returns n bytes of which no two neighbouring parts are equal.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return p
}

func (c *transportCheck) bothWays() {
	client, server := c.pair()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.passes(server, client, pattern(3<<20))
	}()
	c.passes(client, server, pattern(2<<20))
	<-done
}

func (c *transportCheck) bytesBeforeClose() {
	client, server := c.pair()
	sent := pattern(10_000)
	if _, err := client.Write(sent); err != nil {
		c.Fatalf("write: %v", err)
	}
	client.Close()
	got, err := io.ReadAll(server)
	if err != nil || !bytes.Equal(got, sent) {
		c.Errorf("read to the end what was written before a close: got %d bytes, equal %t, error %v, want %d bytes and the end of file",
			len(got), bytes.Equal(got, sent), err, len(sent))
	}
}

// isDeadline reports whether err is that of a deadline, in both of the ways in which programs ask.
func isDeadline(err error) bool {
	var timeout net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) && errors.As(err, &timeout) && timeout.Timeout()
}

func (c *transportCheck) readDeadline() {
	client, server := c.pair()
	ended := make(chan error)
	go func() {
		_, err := server.Read(make([]byte, 1))
		ended <- err
	}()
	server.SetReadDeadline(longAgo)
	if err := <-ended; !isDeadline(err) {
		c.Errorf("read with a deadline that has passed: got %v, want os.ErrDeadlineExceeded", err)
	}
	server.SetReadDeadline(time.Time{})
	c.passes(client, server, []byte("after the deadline"))
}

// writeDeadline writes until the other end's buffers are full, ends that by a deadline, and goes on
// with the bytes that were not written.
func (c *transportCheck) writeDeadline() {
	client, server := c.pair()
	sent := pattern(16 << 20)
	ended := make(chan error)
	n := 0
	go func() {
		var err error
		n, err = client.Write(sent)
		ended <- err
	}()
	if _, err := io.ReadFull(server, make([]byte, 1)); err != nil { // the write is on its way
		c.Fatalf("read the first byte: %v", err)
	}
	client.SetWriteDeadline(longAgo)
	if err := <-ended; !isDeadline(err) {
		c.Fatalf("write %d bytes that nobody reads, with a deadline that has passed: got %v, want os.ErrDeadlineExceeded", len(sent), err)
	}
	if n, err := client.Write(sent[n:]); n > len(sent) || !isDeadline(err) {
		c.Fatalf("write again with the deadline that has passed: got %d, %v, want os.ErrDeadlineExceeded", n, err)
	} else if n > 0 {
		c.Fatalf("write again with the deadline that has passed: got %d bytes written, want 0", n)
	}
	client.SetWriteDeadline(time.Time{})
	rest := make(chan error, 1)
	go func() {
		_, err := client.Write(sent[n:])
		rest <- err
	}()
	got := make([]byte, len(sent)-1)
	if n, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, sent[1:]) {
		c.Errorf("read what was written before and after a deadline: got %d bytes, equal %t, error %v", n, bytes.Equal(got, sent[1:]), err)
	}
	if err := <-rest; err != nil {
		c.Errorf("write the rest after a deadline: got %v", err)
	}
}

func (c *transportCheck) closeEndsCalls() {
	client, server := c.pair()
	ended := make(chan error)
	go func() {
		_, err := client.Read(make([]byte, 1))
		ended <- err
	}()
	go func() {
		_, err := client.Write(pattern(16 << 20))
		ended <- err
	}()
	if _, err := io.ReadFull(server, make([]byte, 1)); err != nil { // the write is on its way
		c.Fatalf("read the first byte: %v", err)
	}
	client.Close()
	for range 2 {
		c.fails("a Read or Write while the connection is closed", <-ended, net.ErrClosed)
	}
	_, err := client.Read(make([]byte, 1))
	c.fails("Read after Close", err, net.ErrClosed)
	_, err = client.Write([]byte("x"))
	c.fails("Write after Close", err, net.ErrClosed)
}

// server lets clients make requests of a server, which counts them.
func (c *transportCheck) server() {
	const clients, requests = 5, 20
	ipc := socket.New(socket.Config{Transport: c.transport})
	for i := range clients {
		go c.ask(ipc, i, requests)
	}
	served := socket.Serve(ipc, c.one, fold.Sum[int]()).
		Monitor(func(total int, next socket.Next[int]) socket.Next[int] {
			if total == clients*requests {
				return next.Finish()
			}
			return next
		}).
		With(c.Context(), func(m socket.Message, k socket.Continuation[int], count int) socket.Continuation[int] {
			return k.Respond(m).CarryWith(count + 1)
		})
	if total, err := served.Get(); total != clients*requests || err != nil {
		c.Errorf("serve %d requests of %d clients: got %d, %v", requests, clients, total, err)
	}
}

func (c *transportCheck) ask(ipc *socket.IPC, client, requests int) {
	p, err := ipc.ConnectTo(c.Context(), c.one).Get()
	if err != nil {
		c.Errorf("connect: %v", err)
		return
	}
	defer p.Close(c.Context())
	for i := range requests {
		question := socket.Text(fmt.Sprintf("%d %d %s", client, i, pattern(i<<(i%16))))
		if answer, err := p.Request(c.Context(), question).Get(); answer != question || err != nil {
			c.Errorf("request %d of %d bytes: got %v, %v, want the same message", i, question.Len(), answer, err)
			return
		}
	}
}

// restart lets a client of a Pool make requests while the server ends and another starts.
func (c *transportCheck) restart() {
	ipc := socket.New(socket.Config{Transport: c.transport})
	pool := ipc.Pool(c.one, socket.PoolConfig{})
	defer pool.Close(c.Context())
	for i := range 3 {
		ctx, stop := context.WithCancel(c.Context())
		ended := make(chan fold.Attempt[int])
		go func() {
			ended <- socket.Serve(ipc, c.one, fold.Sum[int]()).With(ctx, func(m socket.Message, k socket.Continuation[int], count int) socket.Continuation[int] {
				return k.Respond(m).CarryWith(count + 1)
			})
		}()
		for j := range 10 {
			question := socket.Text(fmt.Sprint(i, j))
			if answer, err := pool.Request(c.Context(), question).Get(); answer != question || err != nil {
				c.Errorf("request %d of server %d: got %v, %v, want the same message", j, i, answer, err)
			}
		}
		stop()
		if total, _ := socket.Carry(<-ended).Get(); total != 10 {
			c.Errorf("the carry of server %d: got %d, want 10", i, total)
		}
	}
}
