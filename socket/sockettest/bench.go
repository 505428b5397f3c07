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

// Bench is where a test of servers and clients takes place: a [streamtest.Bench] with
// a network. What is said there holds here, of diagrams and of the order of what is
// due in the same frame.
type Bench struct {
	*streamtest.Bench

	// Config is how the code under test talks, and what virtual servers speak. Its
	// Transport is a [Network] that nobody else is in. Change it before use.
	Config socket.Config
}

// Run runs a test in virtual time: f declares on the bench what peers do and what is
// expected. It is [streamtest.Run], with a network.
func Run(t *testing.T, f func(b *Bench)) {
	t.Helper()
	streamtest.Run(t, func(b *streamtest.Bench) {
		b.Compare = []cmp.Option{cmp.Transformer("Event", Event.whole)}
		f(&Bench{Bench: b, Config: socket.Config{Transport: NewNetwork()}})
	})
}

// IPC is what the code under test talks by: it is made of Config, as that is now.
func (b *Bench) IPC() *socket.IPC { return socket.New(b.Config) }

// Expect runs the code under test, a server or the code of a client, on a goroutine
// of its own, and expects it to end as the diagram shows: with a value and
// completion in the same frame, in a group, as in ---(c|), or with a failure. It
// begins at frame 0, or at ^, before any client of that frame. Its context is
// cancelled at !, or at the end of a diagram that does not end otherwise; it must
// return in that frame, so a server must not have a client then that does not agree to
// close. One that was interrupted gives the carry that it had, as in ---(c!) (see
// [socket.Carry]).
//
// See [streamtest.Expect] for the rest, the names of values among it.
func Expect[T any](b *Bench, code func(context.Context, *socket.IPC) fold.Attempt[T], diagram string, values ...map[rune]T) {
	b.Helper()
	ipc := b.IPC()
	streamtest.Expect(b.Bench, result(func(ctx context.Context) fold.Attempt[T] { return code(ctx, ipc) }), diagram, values...)
}

// result is what an attempt ends in, as an observable.
func result[T any](attempt func(context.Context) fold.Attempt[T]) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		ended := attempt(ctx)
		if value, ok := socket.Carry(ended).Get(); ok && !yield(value) {
			return nil
		}
		return ended.Err()
	}
}
