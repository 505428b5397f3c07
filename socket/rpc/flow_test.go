package rpc_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/stream"
)

// gated is a transport whose servers write nothing between begin and the closing of open.
type gated struct {
	socket.Transport
	begun  atomic.Bool
	open   chan struct{}
	writes atomic.Int32 // since begun
}

func (g *gated) Listen(ctx context.Context, name socket.Name) (net.Listener, error) {
	l, err := g.Transport.Listen(ctx, name)
	return gatedListener{l, g}, err
}

type gatedListener struct {
	net.Listener
	gate *gated
}

func (l gatedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return gatedConn{c, l.gate}, err
}

type gatedConn struct {
	net.Conn
	gate *gated
}

func (c gatedConn) Write(b []byte) (int, error) {
	if c.gate.begun.Load() {
		<-c.gate.open
		c.gate.writes.Add(1)
	}
	return c.Conn.Write(b)
}

// gatedStream runs a stream of some answers, none of which is written before all are emitted.
func gatedStream(w *world, answers ...string) (got []string, writes int, err error) {
	texts := rpc.NewStream[struct{}, string]("texts")
	gate := &gated{Transport: w.transport, open: make(chan struct{})}
	w.ipc = socket.New(socket.Config{Transport: gate, MaxMessage: 1000, Log: slog.New(slog.DiscardHandler)})
	w.serve(rpc.HandleStream(texts, func(context.Context, struct{}) stream.Observable[string] {
		return func(_ context.Context, yield func(string) bool) error {
			gate.begun.Store(true)
			defer close(gate.open)
			for _, answer := range answers {
				if !yield(answer) {
					return nil
				}
			}
			return nil
		}
	}))
	got, err = texts.Observe(w.pool(), struct{}{}).Collect(w.ctx)
	return got, int(gate.writes.Load()), err
}

func TestStreamAnswersThatWaitLeaveTogether(t *testing.T) {
	virtual(t, func(w *world) {
		answers := strings.Fields(strings.Repeat("a b c d ", 10))
		got, writes, err := gatedStream(w, answers...)
		if !slices.Equal(got, answers) || err != nil {
			t.Errorf("observe %d answers: got %q, %v, want them", len(answers), got, err)
		}
		if writes > 8 { // the answers in two, the end, acknowledgements
			t.Errorf("observe %d answers that are emitted at once: got %d writes, want 8 at most", len(answers), writes)
		}
	})
}

func TestStreamAnswersBeforeOneThatIsTooLargeArrive(t *testing.T) {
	virtual(t, func(w *world) {
		got, _, err := gatedStream(w, "a", "b", "c", strings.Repeat("x", 1000), "d")
		if want := []string{"a", "b", "c"}; !slices.Equal(got, want) || !errors.Is(err, socket.ErrTooLarge) {
			t.Errorf("observe answers of which the fourth is too large: got %q, %v, want %q and %v", got, err, want, socket.ErrTooLarge)
		}
	})
}
