package operators_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

func TestNotifierThatEmitsAtOnceComesFirst(t *testing.T) {
	ran := 0
	letters := func(ctx context.Context, yield func(int) bool) error {
		ran++
		return stream.Just(1, 2, 3)(ctx, yield)
	}
	handwritten := func(_ context.Context, yield func(string) bool) error { yield("now"); return nil }
	for name, notifier := range map[string]stream.Observable[string]{
		"Just": stream.Just("now"), "handwritten": handwritten,
		"behavior subject": stream.NewBehaviorSubject("now").Observe(1, stream.DropOldest),
	} {
		for range 20 {
			ran = 0
			wantRun(t, operators.TakeUntil[int](notifier)(letters), nil)
			if ran != 0 {
				t.Errorf("TakeUntil of %s ran its source %d times, want none", name, ran)
			}
			wantRun(t, operators.SkipUntil[int](notifier)(letters), nil, 1, 2, 3)
			settings := operators.Map(func(string) int { return 100 })(notifier)
			wantRun(t, operators.WithLatestFrom(settings, add)(letters), nil, 101, 102, 103)
			wantRun(t, lengths(operators.BufferBoundary[int](notifier, 8)(letters)), nil, 0, 3)
		}
	}
}

// Behind operators that have goroutines of their own, a subject is counted too.
func TestNotifierIsSubscribedBeforeTheSource(t *testing.T) {
	for name, over := range map[string]func(stream.Observable[int]) stream.Observable[int]{
		"as it is":  func(s stream.Observable[int]) stream.Observable[int] { return s },
		"Merge":     func(s stream.Observable[int]) stream.Observable[int] { return operators.Merge(stream.Never[int](), s) },
		"ObserveOn": operators.ObserveOn[int](1),
		"StartWith": operators.StartWith[int](),
		"SwitchMap": func(s stream.Observable[int]) stream.Observable[int] {
			return operators.SwitchMap(func(int) stream.Observable[int] { return s })(stream.Just(1))
		},
		"Debounce": operators.Debounce[int](0),
	} {
		synctest.Test(t, func(t *testing.T) { // SwitchMap waits each time, since its source completes unsubscribed
			for range 8 {
				var stop stream.Subject[int]
				source := func(_ context.Context, yield func(int) bool) error {
					if n := stop.Observers(); n != 1 {
						t.Errorf("%s: %d observe the notifier when the source begins, want 1", name, n)
					}
					yield(1)
					return nil
				}
				notifier := over(stop.Observe(1, stream.Block))
				wantRun(t, operators.TakeUntil[int](notifier)(source), nil, 1)
				wantRun(t, operators.SkipUntil[int](notifier)(source), nil)
				wantRun(t, operators.WithLatestFrom(notifier, add)(source), nil)
				wantRun(t, operators.Sample[int](notifier)(source), nil)
				wantRun(t, lengths(operators.BufferBoundary[int](notifier, 4)(source)), nil, 1)
				_ = operators.Window[int](notifier)(source).Run(t.Context())
			}
		})
	}
}

// An observer of a run with a notifier learns that the run is subscribed, see OnSubscribed.
func TestNotifierAndSourceAreSubscribed(t *testing.T) {
	never := stream.Never[int]()
	for name, run := range map[string]func(context.Context) error{
		"Sample":         operators.Sample[int](never)(never).Run,
		"BufferBoundary": operators.BufferBoundary[int](never, 4)(never).Run,
		"Window":         operators.Window[int](never)(never).Run,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				told := false
				go func() { _ = run(stream.OnSubscribed(ctx, func() { told = true })) }()
				synctest.Wait()
				if !told {
					t.Errorf("%s whose source and notifier wait: it reported no subscription, want one", name)
				}
			})
		})
	}
}

func TestTakeUntilIsStoppedFromWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stop stream.Subject[string]
		seen := operators.Tap(func(n int) {
			if n == 0 {
				stop.Next("enough")
			}
		})(stream.Interval(time.Second))
		err := operators.TakeUntil[int](stop.Observe(1, stream.DropOldest))(seen).ForEach(t.Context(), func(n int) {
			if n > 0 {
				t.Errorf("value %d came after the stop", n)
			}
		})
		if err != nil {
			t.Errorf("a run that was stopped from within returned %v, want nil", err)
		}
	})
}

// A function that waits without a word holds the source up for a moment only.
func TestNotifierThatSaysNothingIsNotWaitedFor(t *testing.T) {
	mute := func(ctx context.Context, _ func(int) bool) error { <-ctx.Done(); return context.Cause(ctx) }
	wantRun(t, operators.TakeUntil[int](mute)(stream.Just(1, 2)), nil, 1, 2)
	wantRun(t, operators.SkipUntil[int](mute)(stream.Just(1, 2)), nil)
	wantRun(t, lengths(operators.BufferBoundary[int](mute, 4)(stream.Just(1, 2))), nil, 2)
}

func TestTakeUntilEndsWithTheNotifiersFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		driver := func(ctx context.Context, yield func(int) bool) error {
			yield(1)
			<-ctx.Done()
			return errors.New("driver: use of closed connection")
		}
		failing := concat(after[int](time.Second), stream.Throw[int](errBroken))
		wantRun(t, operators.TakeUntil[int](failing)(driver), errBroken, 1)
		wantRun(t, operators.SkipUntil[int](failing)(driver), errBroken)
		wantRun(t, operators.TakeUntil[int](after(time.Second, 1))(driver), nil, 1)
	})
}

func TestTimeoutSaysWhatItWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("nobody listens")
		asking := func(ctx context.Context, _ func(int) bool) error { <-ctx.Done(); return refused }
		plain := func(ctx context.Context, _ func(int) bool) error { <-ctx.Done(); return ctx.Err() }
		for name, c := range map[string]struct {
			source stream.Observable[int]
			text   string
			reason error
		}{
			"silent":    {stream.Never[int](), "operators: no value came within 1s", nil},
			"cancelled": {plain, "operators: no value came within 1s", nil},
			"reason":    {asking, "operators: no value came within 1s: nobody listens", refused},
			"stage": {operators.Map(triple)(operators.Named[int]("parse")(operators.Named[int]("read")(stream.Never[int]()))),
				"operators: no value came within 1s from parse/read", nil},
			"stages": {operators.Merge(operators.Named[int]("left")(stream.Never[int]()), stream.Never[int]()),
				"operators: no value came within 1s from left", nil},
		} {
			err := operators.Timeout[int](time.Second)(c.source).Run(t.Context())
			var late *operators.TimeoutError
			if !errors.Is(err, operators.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &late) || !late.Timeout() {
				t.Errorf("%s: Timeout returned %v, want ErrTimeout and context.DeadlineExceeded", name, err)
			} else if err.Error() != c.text || c.reason != nil && !errors.Is(err, c.reason) {
				t.Errorf("%s: Timeout returned %q, want %q", name, err, c.text)
			}
		}
		if !errors.Is(operators.ErrTimeout, context.DeadlineExceeded) {
			t.Error("ErrTimeout is not context.DeadlineExceeded to errors.Is")
		}
	})
}

func TestRetryNotAtAll(t *testing.T) {
	for _, times := range []int{-1, -1 << 62} {
		runs := 0
		source := func(context.Context, func(int) bool) error { runs++; return errBroken }
		wantRun(t, operators.Retry[int](operators.RetryPolicy{Times: times})(source), errBroken)
		if runs != 1 {
			t.Errorf("Retry with Times %d ran its source %d times, want once", times, runs)
		}
	}
}

func TestReduceMakesItsSeedAnew(t *testing.T) {
	collect := func(all []int, n int) []int { return append(all, n) }
	seed := func() []int { return make([]int, 0, 8) }
	reduced := operators.Reduce(seed, collect)(stream.Just(1, 2))
	scanned := operators.Last[[]int]()(operators.ScanFrom(seed, collect)(stream.Just(1, 2)))
	for range 2 {
		wantRun(t, lengths(reduced), nil, 2)
		wantRun(t, lengths(scanned), nil, 2)
	}
	first, _ := reduced.First(t.Context()).Get()
	second, _ := reduced.First(t.Context()).Get()
	if first[0] = 9; second[0] != 1 {
		t.Errorf("two runs of Reduce share their state: %v", second)
	}
}

// What a notifier answers to its own stop is no failure of the run.
func TestSkipUntilIgnoresWhatItsNotifierAnswersToTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopped := func(_ context.Context, yield func(int) bool) error {
			if !yield(1) {
				return errors.New("driver: cursor closed by its reader")
			}
			return nil
		}
		wantRun(t, operators.SkipUntil[int](stopped)(stream.Just(1, 2, 3)), nil, 1, 2, 3)
		wantRun(t, operators.TakeUntil[int](stopped)(stream.Just(1, 2, 3)), nil)
		later := concat(after[int](1500*time.Millisecond), stream.Observable[int](stopped))
		ticks := operators.Take[int](3)(stream.Interval(time.Second))
		wantRun(t, operators.SkipUntil[int](later)(ticks), nil, 1, 2)
		wantRun(t, operators.TakeUntil[int](later)(ticks), nil, 0)
	})
}
