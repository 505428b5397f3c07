package sockettest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// Bench is a [streamtest.Bench] with a network, for a test of servers and clients. The
// rules of streamtest for diagrams, and for the order of events due in the same frame,
// apply to it.
type Bench struct {
	*streamtest.Bench

	// Config configures the code under test and the dialect of virtual servers. Its
	// Transport is a [Network] of this bench alone. Change Config before its first use.
	Config socket.Config
}

// Run runs a test in virtual time. Function f declares on the bench the actions of peers
// and the expectations. Run is [streamtest.Run] with a network.
func Run(t *testing.T, f func(b *Bench)) {
	t.Helper()
	streamtest.Run(t, func(b *streamtest.Bench) {
		b.Compare = []cmp.Option{cmp.Transformer("Event", Event.whole)}
		f(&Bench{Bench: b, Config: socket.Config{Transport: NewNetwork()}})
	})
}

// IPC returns the IPC of the code under test, made from the current Config.
func (b *Bench) IPC() *socket.IPC { return socket.New(b.Config) }

// Expect runs the code under test, a server or a client, on a goroutine of its own. It
// expects the code to end as the diagram shows: with a value and completion in the same
// frame, as the group ---(c|), or with a failure. The code begins at frame 0, or at ^,
// before the clients of that frame.
//
// The context of the code is cancelled at !, or at the end of a diagram without an end.
// The code must return in that frame, so every client that a server has then must agree
// to close. Interrupted code yields the carry that it had, as in ---(c!) (see
// [socket.Carry]).
//
// See [streamtest.Expect] for the rest, such as the names of values.
func Expect[T any](b *Bench, code func(context.Context, *socket.IPC) fold.Attempt[T], diagram string, values ...map[rune]T) {
	b.Helper()
	ipc := b.IPC()
	streamtest.Expect(b.Bench, result(func(ctx context.Context) fold.Attempt[T] { return code(ctx, ipc) }), diagram, values...)
}

// result converts the outcome of an attempt to an observable.
func result[T any](attempt func(context.Context) fold.Attempt[T]) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		ended := attempt(ctx)
		if value, ok := socket.Carry(ended).Get(); ok && !yield(value) {
			return nil
		}
		return ended.Err()
	}
}
