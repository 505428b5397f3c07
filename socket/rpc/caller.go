package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// caller is the context of a handler: that of its connection, with the connection itself.
type caller struct {
	context.Context
	connection *socket.Connection // nil in a client
	process    *socket.Process    // nil in a server
	calls      *calls             // nil where no calls can be made back
	flow       *flow              // of a stream
}

type callerKey struct{}

// Value returns the caller itself for its key, and otherwise the value of the connection's context.
func (c *caller) Value(key any) any {
	if key == (callerKey{}) {
		return c
	}
	return c.Context.Value(key)
}

func (c *caller) log() *slog.Logger {
	if c.process != nil {
		return c.process.Log()
	}
	return c.connection.Log()
}

func (r *run) caller(c *socket.Connection) *caller {
	return &caller{Context: c.Context(), connection: c, calls: &r.calls}
}

// inlineCaller is caller for a handler that keeps the connection from being read, and with it the
// replies to calls back.
func (r *run) inlineCaller(c *socket.Connection) *caller {
	return &caller{Context: c.Context(), connection: c}
}

// Connection returns the connection of the client that made the call, with the context of a
// handler or of middleware of a server. Its Peer is the process of the client.
func Connection(ctx context.Context) (*socket.Connection, bool) {
	c, ok := ctx.Value(callerKey{}).(*caller)
	if !ok || c.connection == nil {
		return nil, false
	}
	return c.connection, true
}

// Client returns a Caller that calls methods of the client that made the call, with the context of
// a handler. The client answers if it runs [Server.Attend]. The Caller can be kept: its calls fail
// with net.ErrClosed when the connection has ended. Elsewhere, in the handler of a notification,
// and in one that is inline, its calls fail with [errors.ErrUnsupported].
func Client(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(*caller)
	return back{c}
}

// back makes calls of a server to its client.
type back struct{ *caller }

func (b back) Request(ctx context.Context, m socket.Message) fold.Attempt[socket.Message] {
	if b.caller == nil || b.calls == nil || b.connection == nil {
		return fold.Fail[socket.Message](fmt.Errorf("%w: "+
			"only the handler of a call or a stream, on a goroutine of its own, can call the client", errors.ErrUnsupported))
	}
	return fold.Try(b.calls.request(ctx, b.connection, m))
}

// calls are the calls of a server to its clients that wait for their replies.
type calls struct {
	last atomic.Uint64

	mu      sync.Mutex
	waiting map[uint64]waiting
}

type waiting struct {
	connection *socket.Connection
	reply      chan socket.Message // has room for it
}

// request makes a call and waits for its reply.
func (c *calls) request(ctx context.Context, to *socket.Connection, m socket.Message) (socket.Message, error) {
	number := c.last.Add(1)
	m, err := numbered(m, callParameter, number)
	if err != nil {
		return m, err
	}
	w := waiting{to, make(chan socket.Message, 1)}
	c.mu.Lock()
	if c.waiting == nil {
		c.waiting = map[uint64]waiting{}
	}
	c.waiting[number] = w
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, number)
		c.mu.Unlock()
	}()
	if err := to.Send(ctx, m); err != nil {
		return m, err
	}
	select {
	case reply := <-w.reply:
		return reply, nil
	case <-ctx.Done():
		return m, context.Cause(ctx)
	case <-to.Context().Done():
		return m, context.Cause(to.Context())
	}
}

// reply gives a reply to the call that waits for it. A call that has given up gets none.
func (c *calls) reply(from *socket.Connection, m socket.Message) {
	number, _ := numberOf(m.MediaType(), replyParameter)
	c.mu.Lock()
	w, ok := c.waiting[number]
	if ok && w.connection == from {
		delete(c.waiting, number)
	}
	c.mu.Unlock()
	if ok && w.connection == from {
		w.reply <- m
	}
}
