package operators_test

import (
	"context"
	"errors"
	"maps"
	"math"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

type notification = operators.Notification[int]

func next(n int) notification       { return notification{Value: n} }
func failed(err error) notification { return notification{Kind: operators.OnError, Err: err} }

var completed = notification{Kind: operators.OnComplete}

// values keeps the notifications of values.
var values = operators.Filter(func(n notification) bool { return n.Kind == operators.OnNext })

func init() {
	maps.Copy(contracts, map[string]func(*testing.T){
		"Retry": func(t *testing.T) {
			t.Run("nothing to retry", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.Retry[int](operators.RetryPolicy{Times: 1}),
					[]int{1, 2, 3}, []int{1, 2, 3}, streamtest.Recovers())
			})
			t.Run("at once", func(t *testing.T) {
				policy := operators.RetryPolicy{Times: 2, Delay: -1}
				streamtest.Check(t, operators.Retry[int](policy)(broken(1, 2)), []int{1, 2, 1, 2, 1, 2}, streamtest.Fails(errBroken))
			})
			t.Run("later", func(t *testing.T) {
				policy := operators.RetryPolicy{Times: 1, Delay: time.Minute}
				streamtest.Check(t, operators.Retry[int](policy)(broken(1, 2)), []int{1, 2, 1, 2}, streamtest.Fails(errBroken))
			})
			t.Run("without end", func(t *testing.T) {
				streamtest.Check(t, operators.Retry[int](operators.RetryPolicy{})(broken(1)), []int{1, 1, 1}, streamtest.Endless())
			})
			t.Run("not this one", func(t *testing.T) {
				policy := operators.RetryPolicy{If: func(error) bool { return false }}
				streamtest.CheckOperator(t, operators.Retry[int](policy), []int{1, 2, 3}, []int{1, 2, 3})
			})
		},
		"OnErrorReturn": func(t *testing.T) {
			instead := operators.OnErrorReturn(func(error) int { return 7 })
			streamtest.CheckOperator(t, instead, []int{1, 2}, []int{1, 2}, streamtest.Recovers())
			streamtest.Check(t, instead(broken(1, 2)), []int{1, 2, 7})
		},
		"DefaultIfEmpty": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.DefaultIfEmpty(7), []int{1, 2}, []int{1, 2})
			streamtest.CheckOperator(t, operators.DefaultIfEmpty(7), nil, []int{7}, streamtest.LosesOnFailure())
		},
		"ThrowIfEmpty": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.ThrowIfEmpty[int](errOdd), []int{1, 2}, []int{1, 2})
			streamtest.Check(t, operators.ThrowIfEmpty[int](errOdd)(stream.Empty[int]()), nil, streamtest.Fails(errOdd))
		},
		"Finally": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Finally[int](func(operators.Ending, error) {}), []int{1, 2}, []int{1, 2})
		},
		"Named": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Named[int]("numbers"), []int{1, 2}, []int{1, 2})
		},
		"Materialize": func(t *testing.T) {
			materialize := operators.Materialize[int]()
			streamtest.Check(t, materialize(stream.Just(1, 2)), []notification{next(1), next(2), completed})
			streamtest.Check(t, materialize(broken(1, 2)), []notification{next(1), next(2), failed(errBroken)})
			told := func(s stream.Observable[int]) stream.Observable[notification] { return values(materialize(s)) }
			streamtest.CheckOperator(t, told, []int{1, 2}, []notification{next(1), next(2)}, streamtest.Recovers())
		},
		"Dematerialize": func(t *testing.T) {
			dematerialize := operators.Dematerialize[int]()
			t.Run("back and forth", func(t *testing.T) {
				both := func(s stream.Observable[int]) stream.Observable[int] {
					return dematerialize(operators.Materialize[int]()(s))
				}
				streamtest.CheckOperator(t, both, []int{1, 2}, []int{1, 2})
			})
			t.Run("completion", func(t *testing.T) {
				streamtest.CheckOperator(t, dematerialize, []notification{next(1), completed, next(2)}, []int{1})
			})
			t.Run("no end", func(t *testing.T) {
				streamtest.CheckOperator(t, dematerialize, []notification{next(1), next(2)}, []int{1, 2})
			})
			t.Run("failure", func(t *testing.T) {
				source := stream.Just(next(1), failed(errOdd), next(2))
				streamtest.Check(t, dematerialize(source), []int{1}, streamtest.Fails(errOdd))
			})
		},
	})
}

// broken emits the values and fails.
func broken(values ...int) stream.Observable[int] {
	return operators.Concat(stream.FromSlice(values), stream.Throw[int](errBroken))
}

// failures fails so many times, after a value each, and then completes.
func failures(count int) stream.Observable[int] {
	return stream.Defer(func() stream.Observable[int] {
		if count--; count >= 0 {
			return broken(count)
		}
		return stream.Just(-1)
	})
}

func TestRetry(t *testing.T) {
	at := func(p operators.RetryPolicy) stream.Operator[int, int] {
		p.Delay = -1
		return operators.Retry[int](p)
	}
	policy := operators.RetryPolicy{Times: 3}
	wantRun(t, at(policy)(failures(0)), nil, -1)
	wantRun(t, at(policy)(failures(3)), nil, 2, 1, 0, -1)
	wantRun(t, at(policy)(failures(4)), errBroken, 3, 2, 1, 0)
	wantRun(t, at(operators.RetryPolicy{})(failures(5)), nil, 4, 3, 2, 1, 0, -1)
	wantRun(t, operators.Take[int](2)(at(policy)(failures(9))), nil, 8, 7)

	policy.ResetOnValue = true
	wantRun(t, at(policy)(failures(5)), nil, 4, 3, 2, 1, 0, -1)
	runs := 0
	mute := operators.Finally[int](func(operators.Ending, error) { runs++ })(stream.Throw[int](errBroken))
	wantRun(t, at(policy)(mute), errBroken)
	if runs != 4 {
		t.Errorf("ran %d times, want 4", runs)
	}

	asked := 0
	policy = operators.RetryPolicy{If: func(err error) bool {
		asked++
		return errors.Is(err, errBroken) && asked < 3
	}}
	wantRun(t, at(policy)(failures(9)), errBroken, 8, 7, 6)
	wantRun(t, at(policy)(stream.Throw[int](errOdd)), errOdd)
}

// A source may fail to clean up after a consumer that wants no more.
func TestRetryAsksForNoMoreThanWasWanted(t *testing.T) {
	untidy := func(_ context.Context, yield func(int) bool) error {
		yield(1)
		return errBroken
	}
	err := operators.Retry[int](operators.RetryPolicy{})(untidy)(t.Context(), func(int) bool { return false })
	if !errors.Is(err, errBroken) {
		t.Errorf("retry a source that fails after yield wanted no more: got the error %v, want errBroken", err)
	}
}

// starts are when the runs of a source begin that fails at once, under a policy.
func starts(t *testing.T, policy operators.RetryPolicy) (starts []time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		source := stream.Defer(func() stream.Observable[int] {
			starts = append(starts, time.Since(begin))
			return stream.Throw[int](errBroken)
		})
		_ = operators.Retry[int](policy)(source).Run(t.Context())
	})
	return starts
}

func TestRetryDelays(t *testing.T) {
	for name, c := range map[string]struct {
		policy operators.RetryPolicy
		want   []time.Duration // in milliseconds, between runs
	}{
		"default": {operators.RetryPolicy{Times: 11},
			[]time.Duration{100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000}},
		"long":     {operators.RetryPolicy{Times: 3, Delay: time.Minute}, []time.Duration{60000, 60000, 60000}},
		"constant": {operators.RetryPolicy{Times: 3, Delay: time.Second, MaxDelay: time.Second}, []time.Duration{1000, 1000, 1000}},
		"bounded":  {operators.RetryPolicy{Times: 4, Delay: time.Second, MaxDelay: 3 * time.Second}, []time.Duration{1000, 2000, 3000, 3000}},
		"short":    {operators.RetryPolicy{Times: 2, Delay: 9 * time.Second, MaxDelay: 3 * time.Second}, []time.Duration{3000, 3000}},
		"none":     {operators.RetryPolicy{Times: 3, Delay: -1}, []time.Duration{0, 0, 0}},
		"forever":  {operators.RetryPolicy{Times: 2, Delay: math.MaxInt64 / 4}, []time.Duration{math.MaxInt64 / 4 / 1_000_000, math.MaxInt64 / 4 / 1_000_000}},
	} {
		t.Run(name, func(t *testing.T) {
			c.policy.Jitter = -1
			begun := starts(t, c.policy)
			if len(begun) != len(c.want)+1 {
				t.Fatalf("ran %d times, want %d", len(begun), len(c.want)+1)
			}
			for i, want := range c.want {
				if got := (begun[i+1] - begun[i]).Truncate(time.Millisecond); got != want*time.Millisecond {
					t.Errorf("delay %d is %v, want %v", i, got, want*time.Millisecond)
				}
			}
		})
	}
}

// busyFor is an error that says when to come back.
type busyFor time.Duration

func (b busyFor) Error() string { return "busy for " + time.Duration(b).String() }

func TestRetryAfter(t *testing.T) {
	type call struct {
		retry int
		err   error
	}
	busy := busyFor(time.Hour) // more than MaxDelay
	var calls []call
	var begun []time.Duration
	after := func(retry int, err error) (time.Duration, bool) {
		calls = append(calls, call{retry, err})
		if b, ok := errors.AsType[busyFor](err); ok {
			return time.Duration(b), true
		}
		return -time.Second, retry == 4
	}
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		source := func(_ context.Context, yield func(int) bool) error {
			begun = append(begun, time.Since(begin))
			switch len(begun) {
			case 2:
				return busy
			case 5:
				yield(1)
			}
			return errBroken
		}
		policy := operators.RetryPolicy{Times: 5, Delay: time.Second, MaxDelay: time.Minute, Jitter: -1, After: after, ResetOnValue: true}
		if err := operators.Retry[int](policy)(source).Run(t.Context()); err != errBroken {
			t.Errorf("a run whose retries are used up returned %v, want %v", err, errBroken)
		}
	})
	const s = time.Second
	wantBegun := []time.Duration{0, s, 3601 * s, 3605 * s, 3605 * s, 3606 * s, 3608 * s, 3612 * s, 3612 * s, 3628 * s}
	if !slices.Equal(begun, wantBegun) {
		t.Errorf("After gave an hour before retry 2 and no delay before retry 4, and a value came in run 5: runs began at %v, want %v", begun, wantBegun)
	}
	wantCalls := []call{{1, errBroken}, {2, busy}, {3, errBroken}, {4, errBroken},
		{1, errBroken}, {2, errBroken}, {3, errBroken}, {4, errBroken}, {5, errBroken}}
	if !slices.Equal(calls, wantCalls) {
		t.Errorf("After was called with %v, want %v", calls, wantCalls)
	}
}

func TestRetryJitter(t *testing.T) {
	for _, c := range []struct {
		jitter float64
		least  time.Duration
	}{{0, 500 * time.Millisecond}, {0.1, 900 * time.Millisecond}, {1, 0}, {7, 0}} {
		policy := operators.RetryPolicy{Times: 200, Delay: time.Second, MaxDelay: time.Second, Jitter: c.jitter}
		begun := starts(t, policy)
		delays := make([]time.Duration, 0, len(begun))
		for i := 1; i < len(begun); i++ {
			delays = append(delays, begun[i]-begun[i-1])
		}
		least, most := slices.Min(delays), slices.Max(delays)
		if least < c.least || most > time.Second {
			t.Errorf("with jitter %v delays are from %v to %v", c.jitter, least, most)
		}
		if spread := time.Second - c.least; most-least < spread/2 {
			t.Errorf("with jitter %v all delays are from %v to %v", c.jitter, least, most)
		}
	}
}

func TestRetryEndsADelayWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errOdd) })
		begin := time.Now()
		err := operators.Retry[int](operators.RetryPolicy{Delay: time.Hour})(broken()).Run(ctx)
		if err != errOdd || time.Since(begin) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(begin))
		}
	})
}

func TestOnErrorReturn(t *testing.T) {
	code := operators.OnErrorReturn(func(err error) int {
		if errors.Is(err, errBroken) {
			return 500
		}
		return 0
	})
	wantRun(t, code(broken(1, 2)), nil, 1, 2, 500)
	wantRun(t, code(stream.Just(1)), nil, 1)
	wantRun(t, code(stream.Empty[int]()), nil)
	wantRun(t, operators.Take[int](1)(code(broken(1))), nil, 1)
}

func TestIfEmpty(t *testing.T) {
	wantRun(t, operators.DefaultIfEmpty(7)(stream.Empty[int]()), nil, 7)
	wantRun(t, operators.DefaultIfEmpty(7)(stream.Just(1)), nil, 1)
	wantRun(t, operators.DefaultIfEmpty(7)(broken()), errBroken)
	wantRun(t, operators.ThrowIfEmpty[int](errOdd)(stream.Empty[int]()), errOdd)
	wantRun(t, operators.ThrowIfEmpty[int](nil)(stream.Empty[int]()), stream.ErrEmpty)
	wantRun(t, operators.ThrowIfEmpty[int](errOdd)(stream.Just(1)), nil, 1)
	wantRun(t, operators.ThrowIfEmpty[int](errOdd)(broken()), errBroken)
}

func TestFinallyIsToldHowTheRunEnded(t *testing.T) {
	why := errors.New("shutting down")
	cancelled, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	type observable = stream.Observable[int]
	throw := func(int) { panic(errBroken) }
	exit := func(int) { runtime.Goexit() }
	for name, c := range map[string]struct {
		run func(finally func(observable) observable)
		how operators.Ending
		err error
	}{
		"completion":   {func(finally func(observable) observable) { _ = finally(stream.Just(1)).Run(t.Context()) }, operators.Completed, nil},
		"failure":      {func(finally func(observable) observable) { _ = finally(broken()).Run(t.Context()) }, operators.Failed, errBroken},
		"no more":      {func(finally func(observable) observable) { finally(stream.Just(1, 2)).First(t.Context()) }, operators.Unsubscribed, nil},
		"bad cleanup":  {func(finally func(observable) observable) { finally(spiteful(1, 2)).First(t.Context()) }, operators.Unsubscribed, nil},
		"cancellation": {func(finally func(observable) observable) { _ = finally(stream.Just(1)).Run(cancelled) }, operators.Failed, why},
		"panic":        {func(finally func(observable) observable) { _ = finally(stream.Just(1)).ForEach(t.Context(), throw) }, operators.Aborted, nil},
		"Goexit":       {func(finally func(observable) observable) { _ = finally(stream.Just(1)).ForEach(t.Context(), exit) }, operators.Aborted, nil},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				defer func() { _ = recover() }()
				c.run(operators.Finally[int](func(how operators.Ending, err error) {
					if calls++; how != c.how || err != c.err {
						t.Errorf("Finally was told %v, %v; want %v, %v", how, err, c.how, c.err)
					}
				}))
			}()
			<-ended
			if calls != 1 {
				t.Errorf("Finally was called %d times, want once", calls)
			}
		})
	}
}

func TestMaterialize(t *testing.T) {
	materialize := operators.Materialize[int]()
	kinds := operators.Map(notification.String)
	wantRun(t, kinds(materialize(stream.Just(1, 2))), nil, "Next(1)", "Next(2)", "Complete")
	wantRun(t, kinds(materialize(broken(1))), nil, "Next(1)", "Error(broken)")
	wantRun(t, kinds(materialize(stream.Empty[int]())), nil, "Complete")
	wantRun(t, operators.Take[string](1)(kinds(materialize(broken(1)))), nil, "Next(1)")
}

func TestDematerialize(t *testing.T) {
	dematerialize := operators.Dematerialize[int]()
	wantRun(t, dematerialize(stream.Just(failed(nil))), fold.ErrUnexplained)
	synctest.Test(t, func(t *testing.T) { // it does not wait for the source
		wantRun(t, dematerialize(concat(stream.Just(next(1), completed), stream.Never[notification]())), nil, 1)
		wantRun(t, dematerialize(concat(stream.Just(next(1), failed(errOdd)), stream.Never[notification]())), errOdd, 1)
	})
	wantRun(t, dematerialize(stream.Throw[notification](errBroken)), errBroken)
}
