package stream_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

func init() {
	maps.Copy(contracts, map[string]func(*testing.T){
		"Repeat": func(t *testing.T) {
			t.Run("some times", func(t *testing.T) {
				streamtest.Check(t, stream.Repeat(stream.Just(1, 2), 2), []int{1, 2, 1, 2})
			})
			t.Run("never", func(t *testing.T) {
				streamtest.Check(t, stream.Repeat(stream.Just(1, 2), 0), nil)
			})
			t.Run("forever", func(t *testing.T) {
				minutely := operators.Map(func(time.Time) int { return 7 })(stream.Timer(time.Minute))
				streamtest.Check(t, stream.Repeat(minutely, stream.Forever), []int{7, 7, 7}, streamtest.Endless())
			})
			t.Run("failure", func(t *testing.T) {
				streamtest.Check(t, stream.Repeat(broken(1), 3), []int{1}, streamtest.Fails(errBroken))
			})
			t.Run("of an operator's source", func(t *testing.T) {
				repeat := func(s stream.Observable[int]) stream.Observable[int] { return stream.Repeat(s, 2) }
				streamtest.CheckOperator(t, repeat, []int{1, 2}, []int{1, 2, 1, 2}, streamtest.LosesOnFailure())
			})
		},
		"Generate": func(t *testing.T) {
			streamtest.Check(t, powers(100), []int{1, 3, 9, 27, 81})
			streamtest.Check(t, powers(0), nil)
		},
		"Using": func(t *testing.T) {
			t.Run("values", func(t *testing.T) {
				using := func(s stream.Observable[int]) stream.Observable[int] {
					return stream.Using(acquired, func(int) stream.Observable[int] { return s }, func(int) {})
				}
				streamtest.CheckOperator(t, using, []int{1, 2}, []int{1, 2})
			})
			t.Run("nothing acquired", func(t *testing.T) {
				acquire := func(context.Context) (int, error) { return 0, errBroken }
				streamtest.Check(t, stream.Using(acquire, just, func(int) {}), nil, streamtest.Fails(errBroken))
			})
			t.Run("long acquired", func(t *testing.T) {
				acquire := func(ctx context.Context) (int, error) { return slowly(ctx) }
				streamtest.Check(t, stream.Using(acquire, just, func(int) {}), []int{7})
			})
		},
		"Future": func(t *testing.T) {
			t.Run("value", func(t *testing.T) { streamtest.Check(t, stream.Future(acquired), []int{7}) })
			t.Run("later", func(t *testing.T) { streamtest.Check(t, stream.Future(slowly), []int{7}) })
			t.Run("failure", func(t *testing.T) {
				fail := func(context.Context) (int, error) { return 7, errBroken }
				streamtest.Check(t, stream.Future(fail), nil, streamtest.Fails(errBroken))
			})
		},
	})
}

// powers are those of three, below a limit.
func powers(limit int) stream.Observable[int] {
	return stream.Generate(1, func(n int) bool { return n < limit }, func(n int) int { return n * 3 })
}

func acquired(context.Context) (int, error) { return 7, nil }

// slowly takes a minute, and tells the end of its context as most functions do.
func slowly(ctx context.Context) (int, error) {
	timer := time.NewTimer(time.Minute)
	defer timer.Stop()
	select {
	case <-timer.C:
		return 7, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func just(n int) stream.Observable[int] { return stream.Just(n) }

func TestRepeat(t *testing.T) {
	for times := -1; times < 4; times++ {
		got, err := stream.Repeat(stream.Just(1, 2), times).Collect(t.Context())
		wantError(t, err, nil)
		var want []int
		for range times {
			want = append(want, 1, 2)
		}
		wantValues(t, got, want...)
	}
	got, err := operators.Take[int](3)(stream.Repeat(stream.Just(1, 2), stream.Forever)).Collect(t.Context())
	wantError(t, err, nil)
	wantValues(t, got, 1, 2, 1)
}

func TestRepeatOfNothingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	runs := 0
	nothing := func(context.Context, func(int) bool) error {
		if runs++; runs == 100 {
			cancel(errBroken)
		}
		return nil
	}
	wantError(t, stream.Repeat(nothing, stream.Forever).Run(ctx), errBroken)
	wantValues(t, []int{runs}, 100)
}

func TestGenerateMakesNoMoreThanIsWanted(t *testing.T) {
	made := 0
	numbers := stream.Generate(0, func(int) bool { return true }, func(n int) int { made++; return n + 1 })
	got, err := operators.Take[int](3)(numbers).Collect(t.Context())
	wantError(t, err, nil)
	wantValues(t, got, 0, 1, 2)
	wantValues(t, []int{made}, 2)
}

func TestUsingReleasesHoweverTheRunEnds(t *testing.T) {
	cancelling, cancel := context.WithCancelCause(t.Context())
	for name, c := range map[string]struct {
		use func(int) stream.Observable[int]
		run func(stream.Observable[int]) error
		err error
	}{
		"completion": {just, func(o stream.Observable[int]) error { return o.Run(t.Context()) }, nil},
		"failure":    {func(int) stream.Observable[int] { return broken(1) }, func(o stream.Observable[int]) error { return o.Run(t.Context()) }, errBroken},
		"no more":    {just, func(o stream.Observable[int]) error { return o.First(t.Context()).Err() }, nil},
		"cancellation": {func(int) stream.Observable[int] { cancel(errBroken); return stream.Never[int]() },
			func(o stream.Observable[int]) error { return o.Run(cancelling) }, errBroken},
		"panic of yield": {just, func(o stream.Observable[int]) error {
			return o.ForEach(t.Context(), func(int) { panic(errBroken) })
		}, errBroken},
		"panic of use": {func(int) stream.Observable[int] { panic(errBroken) }, func(o stream.Observable[int]) error { return o.Run(t.Context()) }, errBroken},
		"Goexit": {just, func(o stream.Observable[int]) error {
			return o.ForEach(t.Context(), func(int) { runtime.Goexit() })
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var events []string
			source := stream.Using(
				func(context.Context) (int, error) { events = append(events, "acquire"); return 7, nil },
				func(n int) stream.Observable[int] { events = append(events, fmt.Sprint("use ", n)); return c.use(n) },
				func(n int) { events = append(events, fmt.Sprint("release ", n)) },
			)
			var err error
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				defer func() {
					if thrown, ok := recover().(error); ok {
						err = thrown
					}
				}()
				err = c.run(source)
			}()
			<-ended
			wantError(t, err, c.err)
			wantValues(t, events, "acquire", "use 7", "release 7")
		})
	}
}

func TestUsingReleasesNothingThatWasNotAcquired(t *testing.T) {
	fail := func(context.Context) (int, error) { return 0, errBroken }
	use := func(int) stream.Observable[int] {
		t.Error("use was called without a resource, want no call")
		return nil
	}
	release := func(int) { t.Error("release was called without a resource, want no call") }
	wantError(t, stream.Using(fail, use, release).Run(t.Context()), errBroken)

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errBroken)
	acquire := func(context.Context) (int, error) { t.Error("acquired"); return 0, nil }
	wantError(t, stream.Using(acquire, use, release).Run(ctx), errBroken)
}

func TestFutureRunsOnceARun(t *testing.T) {
	calls := 0
	source := stream.Future(func(context.Context) (int, error) { calls++; return calls, nil })
	for n := range 3 {
		got, err := source.Collect(t.Context())
		wantError(t, err, nil)
		wantValues(t, got, n+1)
	}
}

func TestFutureGivesTheCauseOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errEnough := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errEnough) })
		got, err := stream.Future(slowly).Collect(ctx)
		wantError(t, err, errEnough)
		wantValues(t, got)
	})
}

// What the function says beyond that its context ended is not lost beside the cause.
func TestFutureAndUsingKeepWhatTheirFunctionSays(t *testing.T) {
	errEnough := errors.New("enough")
	for name, c := range map[string]struct {
		cause, says error
		want        string
	}{
		"only the end":      {errEnough, context.Canceled, "enough"},
		"nothing":           {errEnough, nil, "enough"},
		"more than the end": {errEnough, errBroken, "enough: " + errBroken.Error()},
		"wraps the end":     {errEnough, fmt.Errorf("read page 3: %w", context.Canceled), "enough: read page 3: context canceled"},
		"wraps the cause":   {errEnough, fmt.Errorf("read page 3: %w", errEnough), "read page 3: enough"},
		"no cause":          {nil, fmt.Errorf("read page 3: %w", context.Canceled), "read page 3: context canceled"},
	} {
		sources := map[string]func(cancel context.CancelCauseFunc) stream.Observable[int]{
			"Future": func(cancel context.CancelCauseFunc) stream.Observable[int] {
				return stream.Future(func(context.Context) (int, error) { cancel(c.cause); return 1, c.says })
			},
			"Using": func(cancel context.CancelCauseFunc) stream.Observable[int] {
				acquire := func(context.Context) (int, error) { cancel(c.cause); return 1, c.says }
				return stream.Using(acquire, just, func(int) {})
			},
		}
		for kind, source := range sources {
			ctx, cancel := context.WithCancelCause(t.Context())
			err := source(cancel).Run(ctx)
			if err == nil || err.Error() != c.want || c.says != nil && c.says != context.Canceled && !errors.Is(err, c.says) || !errors.Is(err, context.Cause(ctx)) {
				t.Errorf("%s whose function says %v (%s) returned %v, want %q", kind, c.says, name, err, c.want)
			}
		}
	}
}
