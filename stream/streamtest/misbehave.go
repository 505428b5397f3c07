package streamtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// Rule is one of the contract's that [Check] checks, by the name of its subtest.
type Rule string

// The rules that [Misbehaving] can break, and how it does.
const (
	IndependentRuns      Rule = "independent runs"                  // all runs share the values
	SimultaneousRuns     Rule = "simultaneous runs"                 // a run starts the others over
	NestedRuns           Rule = "nested runs"                       // likewise
	Serial               Rule = "serial, on the caller's goroutine" // each value comes on a goroutine of its own
	NothingAfterFalse    Rule = "nothing after false"               // all values come, wanted or not
	NothingAfterReturn   Rule = "nothing after the return"          // the last value comes a second after it
	NothingIsLeft        Rule = "nothing is left"                   // a goroutine sleeps on for a minute
	NoReferenceIsKept    Rule = "no reference is kept"              // it knows its last yield and context
	CancelledBefore      Rule = "cancelled before"                  // the first value comes though the context has ended
	CancelledInYield     Rule = "cancelled in yield"                // the end of the context is reported as completion
	CancelledInSource    Rule = "cancelled while the source waits"  // it sleeps a second before each value, deaf to the context
	CancelledInSlowYield Rule = "cancelled while yield waits"       // values come on after the end of the context
	PanicOfYield         Rule = "panic of yield"                    // the panic becomes an error
	GoexitOfYield        Rule = "Goexit of yield"                   // the exit becomes a panic
)

// errCaught is what a panic or an exit becomes.
var errCaught = errors.New("streamtest: caught by a misbehaving source")

// Misbehaving is a source of the values that breaks a rule of the contract on
// purpose, and no other where it can be helped: for tests of what must not be upset
// by a bad source. A rule it does not know panics.
func Misbehaving[T any](rule Rule, values ...T) stream.Observable[T] {
	good := stream.FromSlice(values)
	switch rule {
	case IndependentRuns:
		return sharing(values)
	case SimultaneousRuns, NestedRuns:
		return startingOver(values)
	case Serial:
		return onGoroutines(good)
	case NothingAfterFalse:
		return deafToFalse(good)
	case NothingAfterReturn:
		return yieldingLater(values)
	case NothingIsLeft:
		return func(ctx context.Context, yield func(T) bool) error {
			go time.Sleep(time.Minute)
			return good(ctx, yield)
		}
	case NoReferenceIsKept:
		return remembering(good)
	case CancelledBefore:
		return deafAtFirst(values)
	case CancelledInYield:
		return func(ctx context.Context, yield func(T) bool) error {
			err := good(ctx, yield)
			if err == nil || len(values) == 0 {
				return err
			}
			return nil
		}
	case CancelledInSource:
		return sleeping(values)
	case CancelledInSlowYield:
		return deafOnceBegun(good)
	case PanicOfYield:
		return catching(good)
	case GoexitOfYield:
		return panicking(good)
	}
	panic(fmt.Sprintf("streamtest: there is no misbehaving source for the rule %q", rule))
}

func sharing[T any](values []T) stream.Observable[T] {
	next := new(atomic.Int64)
	return func(ctx context.Context, yield func(T) bool) error {
		for ctx.Err() == nil {
			n := next.Add(1)
			if n > int64(len(values)) || !yield(values[n-1]) {
				return nil
			}
		}
		return context.Cause(ctx)
	}
}

func startingOver[T any](values []T) stream.Observable[T] {
	next := new(atomic.Int64)
	return func(ctx context.Context, yield func(T) bool) error {
		for next.Store(0); ctx.Err() == nil; {
			n := next.Add(1)
			if n > int64(len(values)) || !yield(values[n-1]) {
				return nil
			}
		}
		return context.Cause(ctx)
	}
}

func remembering[T any](good stream.Observable[T]) stream.Observable[T] {
	type call struct {
		ctx   context.Context
		yield func(T) bool
	}
	last := new(atomic.Pointer[call])
	return func(ctx context.Context, yield func(T) bool) error {
		last.Store(&call{ctx, yield})
		return good(ctx, yield)
	}
}

func onGoroutines[T any](good stream.Observable[T]) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		return good(ctx, func(v T) (more bool) {
			var one sync.WaitGroup
			one.Go(func() { more = yield(v) })
			one.Wait()
			return more
		})
	}
}

func deafToFalse[T any](good stream.Observable[T]) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		return good(ctx, func(v T) bool { yield(v); return true })
	}
}

func yieldingLater[T any](values []T) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		early := values[:max(0, len(values)-1)]
		if late := values[len(early):]; len(late) > 0 {
			time.AfterFunc(time.Second, func() { yield(late[0]) })
		}
		return stream.FromSlice(early)(ctx, yield)
	}
}

func deafAtFirst[T any](values []T) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		for _, v := range values {
			if !yield(v) {
				return nil
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
		return nil
	}
}

func sleeping[T any](values []T) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		for _, v := range values {
			time.Sleep(time.Second)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !yield(v) {
				return nil
			}
		}
		return nil
	}
}

func deafOnceBegun[T any](good stream.Observable[T]) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return good(context.WithoutCancel(ctx), yield)
	}
}

func catching[T any](good stream.Observable[T]) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("%w: panic: %v", errCaught, v)
			}
		}()
		return good(ctx, yield)
	}
}

func panicking[T any](good stream.Observable[T]) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		return good(ctx, func(v T) bool {
			returned := false
			defer func() {
				if !returned {
					if other := recover(); other != nil {
						panic(other)
					}
					panic(errCaught)
				}
			}()
			more := yield(v)
			returned = true
			return more
		})
	}
}
