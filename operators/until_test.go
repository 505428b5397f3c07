package operators_test

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// settled is an operator over a source that starts when nothing else happens any more.
func settled[A, B any](op stream.Operator[A, B]) stream.Operator[A, B] {
	return func(source stream.Observable[A]) stream.Observable[B] {
		return op(operators.Concat(after[A](1), source))
	}
}

func init() {
	maps.Copy(contracts, map[string]func(*testing.T){
		"TakeUntil": func(t *testing.T) {
			all := []int{1, 2, 3}
			t.Run("never", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.TakeUntil[int](stream.Never[int]()), all, all)
			})
			t.Run("ends without a value", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.TakeUntil[int](stream.Empty[int]()), all, all)
			})
			t.Run("at once", func(t *testing.T) {
				streamtest.CheckOperator(t, settled(operators.TakeUntil[int](stream.Just(1))), all, nil)
			})
			t.Run("in time", func(t *testing.T) {
				source := concat(stream.Just(1), stream.Never[int]())
				streamtest.Check(t, operators.TakeUntil[int](stream.Timer(time.Minute))(source), []int{1})
			})
			t.Run("failure", func(t *testing.T) {
				source := concat(stream.Just(1), stream.Never[int]())
				notifier := concat(after[int](time.Minute), stream.Throw[int](errBroken))
				streamtest.Check(t, operators.TakeUntil[int](notifier)(source), []int{1}, streamtest.Fails(errBroken))
			})
		},
		"SkipUntil": func(t *testing.T) {
			all := []int{1, 2, 3}
			t.Run("never", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.SkipUntil[int](stream.Never[int]()), all, nil)
			})
			t.Run("at once", func(t *testing.T) {
				streamtest.CheckOperator(t, settled(operators.SkipUntil[int](stream.Just(1, 2))), all, all)
			})
			t.Run("in time", func(t *testing.T) {
				source := concat(stream.Just(1), after(2*time.Second, 2, 3))
				streamtest.Check(t, operators.SkipUntil[int](stream.Timer(time.Second))(source), []int{2, 3})
			})
			t.Run("failure", func(t *testing.T) {
				notifier := concat(after[int](time.Second), stream.Throw[int](errBroken))
				streamtest.Check(t, operators.SkipUntil[int](notifier)(concat(stream.Just(1), stream.Never[int]())), nil, streamtest.Fails(errBroken))
			})
		},
	})
}

func TestTakeUntilEndsBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended atomic.Int64
		end := operators.Finally[int](func(operators.Ending, error) { ended.Add(1) })
		ticks := stream.Interval(time.Second)
		wantRun(t, operators.TakeUntil[int](end(after(3500*time.Millisecond, 1, 2)))(end(ticks)), nil, 0, 1, 2)
		wantRun(t, operators.TakeUntil[int](end(ticks))(end(stream.Just(1))), nil, 1)
		wantRun(t, operators.Take[int](1)(operators.TakeUntil[int](end(stream.Never[int]()))(end(ticks))), nil, 0)
		if ended.Load() != 6 {
			t.Errorf("%d of 6 runs ended", ended.Load())
		}
	})
}

// A source that goes on after its cancellation reaches nobody.
func TestTakeUntilLetsNothingThroughAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, err := range []error{nil, errBroken} {
			late := func(ctx context.Context, yield func(int) bool) error {
				yield(1)
				<-ctx.Done()
				time.Sleep(time.Second)
				if yield(2) {
					t.Error("more is wanted")
				}
				return err
			}
			wantRun(t, operators.TakeUntil[int](stream.Timer(time.Second))(late), nil, 1)
		}
	})
}

// A notifier has told when it emits, however long it takes to end then.
func TestNotifiersTellWhenTheyEmit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slowToEnd := operators.Finally[int](func(operators.Ending, error) { time.Sleep(time.Hour) })(after(1500*time.Millisecond, 1))
		ticks := operators.Take[int](3)(stream.Interval(time.Second))
		wantRun(t, operators.TakeUntil[int](slowToEnd)(ticks), nil, 0)
		wantRun(t, operators.SkipUntil[int](slowToEnd)(ticks), nil, 1, 2)
	})
}

func TestTakeUntilWhileYieldIsAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		count := 0
		err := operators.TakeUntil[int](stream.Timer(time.Second))(stream.Range(0, 9)).ForEach(t.Context(), func(int) {
			count++
			time.Sleep(400 * time.Millisecond)
		})
		if err != nil || count != 3 {
			t.Errorf("got %d values, %v", count, err)
		}
	})
}

func TestTakeUntilIsNotCompletedByTheEndOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errOdd) })
		never := operators.TakeUntil[int](stream.Never[int]())(stream.Never[int]())
		if err := never.Run(ctx); !errors.Is(err, errOdd) {
			t.Errorf("TakeUntil when the context ends: got the error %v, want its cause", err)
		}
		if err := operators.TakeUntil[int](stream.Just(1))(stream.Just(1)).Run(ctx); !errors.Is(err, errOdd) {
			t.Errorf("TakeUntil with a context that has ended: got the error %v, want its cause", err)
		}
	})
}

func TestTakeUntilInTakeUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, pauses := range [][2]time.Duration{{1, 2}, {2, 1}, {1, 1}} {
			inner := operators.TakeUntil[int](stream.Timer(pauses[0] * time.Second))(stream.Never[int]())
			wantRun(t, operators.TakeUntil[int](stream.Timer(pauses[1]*time.Second))(inner), nil)
		}
	})
}

func TestNotifierFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := concat(after[int](1500*time.Millisecond), stream.Throw[int](errBroken))
		ticks := stream.Interval(time.Second)
		wantRun(t, operators.TakeUntil[int](failing)(ticks), errBroken, 0)
		wantRun(t, operators.SkipUntil[int](failing)(ticks), errBroken)
		opened := operators.SkipUntil[int](concat(after(500*time.Millisecond, 1), failing))(ticks)
		wantRun(t, operators.Take[int](3)(opened), nil, 0, 1, 2)
	})
}

func TestNotifierPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		panicking := func(context.Context, func(int) bool) error { panic(errBroken) }
		for _, notified := range []stream.Operator[int, int]{
			operators.TakeUntil[int, int](panicking), operators.SkipUntil[int, int](panicking),
		} {
			wantPanic(t, errBroken, func() { _ = notified(stream.Never[int]()).Run(t.Context()) })
		}
		dying := func(ctx context.Context, _ func(int) bool) error { <-ctx.Done(); panic(errOdd) }
		wantPanic(t, errOdd, func() { _ = operators.TakeUntil[int, int](dying)(stream.Just(1)).Run(t.Context()) })

		exited := make(chan bool)
		go func() {
			defer close(exited)
			exiting := func(context.Context, func(int) bool) error { runtime.Goexit(); return nil }
			_ = operators.TakeUntil[int, int](exiting)(stream.Never[int]()).Run(t.Context())
			exited <- true
		}()
		if <-exited {
			t.Error("a Goexit of the notifier did not reach the caller")
		}
	})
}
