package rx_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/rx"
)

var (
	errBroken = errors.New("broken")
	errEnough = errors.New("enough")
)

// items receives all items of a channel of RxGo, values and errors.
func items(channel <-chan rxgo.Item) (values []any, errs []error) {
	for item := range channel {
		if item.E != nil {
			errs = append(errs, item.E)
		} else {
			values = append(values, item.V)
		}
	}
	return values, errs
}

func wantValues(t *testing.T, got []any, want ...any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("receive items: got the values %v, want %v", got, want)
	}
}

// counted is a source that counts its runs and how many of them have ended.
func counted(source stream.Observable[int], runs, ended *int) stream.Observable[int] {
	return func(ctx context.Context, yield func(int) bool) error {
		*runs++
		defer func() { *ended++ }()
		return source(ctx, yield)
	}
}

// naturals emits 0, 1, 2 … without a pause, and stores the last value.
func naturals(last *int) stream.Observable[int] {
	return func(ctx context.Context, yield func(int) bool) error {
		for n := 0; ctx.Err() == nil; n++ {
			*last = n
			if !yield(n) {
				return nil
			}
		}
		return context.Cause(ctx)
	}
}

func TestToRxIsCold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs, ended := 0, 0
		o := rx.ToRx(t.Context(), counted(stream.Range(1, 3), &runs, &ended))
		synctest.Wait()
		if runs != 0 {
			t.Errorf("ToRx without Observe: got %d runs, want 0", runs)
		}
		for n := 1; n <= 2; n++ {
			got, errs := items(o.Observe())
			wantValues(t, got, 1, 2, 3)
			synctest.Wait()
			if runs != n || ended != n || errs != nil {
				t.Errorf("observe ToRx: got %d runs, %d ended, errors %v; want %d and none", runs, ended, errs, n)
			}
		}
	})
}

func TestToRxObservedTwiceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := rx.ToRx(t.Context(), stream.Range(1, 3)).Map(addOne)
		one, other := o.Observe(), o.Observe()
		got, _ := items(other)
		wantValues(t, got, 2, 3, 4)
		got, _ = items(one)
		wantValues(t, got, 2, 3, 4)
	})
}

// The bubble of a test waits for all its goroutines, so a goroutine that remains fails the test.
func TestToRxEndsWithItsContexts(t *testing.T) {
	chains := map[string]func(rxgo.Observable) rxgo.Observable{
		"bare":    func(o rxgo.Observable) rxgo.Observable { return o },
		"Map":     func(o rxgo.Observable) rxgo.Observable { return o.Map(addOne) },
		"FlatMap": func(o rxgo.Observable) rxgo.Observable { return o.FlatMap(twice) },
		"batches": nil,
	}
	for name, chain := range chains {
		ends := []string{"its own", "the observer's"}
		if name == "FlatMap" { // it passes an observer's context on and ignores it
			ends = ends[:1]
		}
		for _, by := range ends {
			t.Run(name+", "+by, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					last, runs, ended := 0, 0, 0
					var cause error
					source := counted(naturals(&last), &runs, &ended)
					watched := func(ctx context.Context, yield func(int) bool) error {
						err := source(ctx, yield)
						cause = context.Cause(ctx)
						return err
					}
					own, cancelOwn := context.WithCancelCause(t.Context())
					observers, cancelObservers := context.WithCancelCause(t.Context())
					o := rx.ToRxBatches(own, watched, 8)
					if chain != nil {
						o = chain(rx.ToRx(own, watched))
					}
					channel := o.Observe(rxgo.WithContext(observers))
					<-channel
					if by == "its own" {
						cancelOwn(errEnough)
					} else {
						cancelObservers(errEnough)
					}
					synctest.Wait()
					if ended != 1 || cause != errEnough {
						t.Errorf("end a context of ToRx: %d of %d runs have ended, with %v, want one with %v", ended, runs, cause, errEnough)
					}
					cancelOwn(nil)
					cancelObservers(nil)
				})
			})
		}
	}
}

func TestToRxOfACancelledContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		got, errs := items(rx.ToRx(ctx, stream.Range(1, 3)).Observe())
		if len(got)+len(errs) > 0 {
			t.Errorf("observe ToRx of a cancelled context: got %v and %v, want neither values nor errors", got, errs)
		}
	})
}

func TestToRxWaitsForItsObserver(t *testing.T) {
	for _, c := range []struct {
		name    string
		ahead   int
		observe func(context.Context, stream.Observable[int]) <-chan rxgo.Item
	}{
		{"no buffer", 1, func(ctx context.Context, source stream.Observable[int]) <-chan rxgo.Item {
			return rx.ToRx(ctx, source).Observe()
		}},
		{"buffer of 4", 5, func(ctx context.Context, source stream.Observable[int]) <-chan rxgo.Item {
			return rx.ToRx(ctx, source).Observe(rxgo.WithBufferedChannel(4))
		}},
		{"batches of 8", 8 + 8 + 1, func(ctx context.Context, source stream.Observable[int]) <-chan rxgo.Item {
			return rx.ToRxBatches(ctx, source, 8).Observe()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				last := -1
				ctx, cancel := context.WithCancel(t.Context())
				c.observe(ctx, naturals(&last))
				synctest.Wait()
				if emitted := last + 1; emitted > c.ahead {
					t.Errorf("observe ToRx without reading: %d values were emitted, want at most %d", emitted, c.ahead)
				}
				cancel()
			})
		})
	}
}

func TestToRxFailures(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func() error
		want func(error) bool
	}{
		{"error", func() error { return errBroken }, func(err error) bool { return err == errBroken }},
		{"panic", func() error { panic(errBroken) }, func(err error) bool {
			var p *stream.PanicError
			return errors.As(err, &p) && errors.Is(err, errBroken) && strings.Contains(string(p.Stack), "rx_test")
		}},
		{"panic without a value", func() error { panic(nil) }, func(err error) bool {
			var p *stream.PanicError
			return errors.As(err, &p)
		}},
		{"Goexit", func() error { runtime.Goexit(); return nil }, func(err error) bool {
			return strings.Contains(err.Error(), "exited")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := func(_ context.Context, yield func(int) bool) error {
					_ = yield(1) && yield(2)
					return c.end()
				}
				got, errs := items(rx.ToRx(t.Context(), source).Map(addOne).Observe())
				wantValues(t, got, 2, 3)
				if len(errs) != 1 || !c.want(errs[0]) {
					t.Errorf("ToRx of a failing source: got the errors %v", errs)
				}
				_, errs = items(rx.ToRxBatches(t.Context(), source, 2).Observe())
				if len(errs) != 1 || !c.want(errs[0]) {
					t.Errorf("ToRxBatches of a failing source: got the errors %v", errs)
				}
			})
		})
	}
}

func TestTypeErrorNamesBothTypes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			run  func(context.Context) error
			want string
		}{
			{rx.FromRx[int](rxgo.Just(1, "two", 3)()).Run, "rx: got an item of type string, want int"},
			{rx.FromRx[int](rxgo.Just(1)().Map(func(context.Context, any) (any, error) { return nil, nil })).Run,
				"rx: got an item of type nil, want int"},
			{rx.FromRx[fmt.Stringer](rxgo.Just(1)()).Run, "rx: got an item of type int, want fmt.Stringer"},
			{rx.FromRxBatches[int](rxgo.Just(1)()).Run, "rx: got an item of type int, want []int"},
			{rx.Through[int, string](func(o rxgo.Observable) rxgo.Observable { return o })(stream.Range(0, 1<<30)).Run,
				"rx: got an item of type int, want string"},
		} {
			err := c.run(t.Context())
			var wrong *rx.TypeError
			if !errors.As(err, &wrong) || err.Error() != c.want {
				t.Errorf("run with an item of another type: got %v, want %s", err, c.want)
			}
		}
	})
}

func TestNilItemsBecomeNil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		none := func(o rxgo.Observable) rxgo.Observable {
			return o.Map(func(context.Context, any) (any, error) { return nil, nil })
		}
		pointers, err := rx.Through[int, *int](none)(stream.Range(0, 2)).Collect(t.Context())
		if !slices.Equal(pointers, []*int{nil, nil}) || err != nil {
			t.Errorf("nil items through RxGo as *int: got %v, %v, want two nils", pointers, err)
		}
		asIs := func(o rxgo.Observable) rxgo.Observable { return o }
		errs, err := rx.Through[error, error](asIs)(stream.Just(nil, errBroken)).Collect(t.Context())
		if !slices.Equal(errs, []error{nil, errBroken}) || err != nil {
			t.Errorf("errors as values through RxGo: got %v, %v, want the values nil and %v", errs, err, errBroken)
		}
		slice, err := rx.ThroughBatches[int, int](2, none)(stream.Range(0, 2)).Collect(t.Context())
		if len(slice) > 0 || err != nil {
			t.Errorf("nil items through RxGo as slices: got %v, %v, want no values", slice, err)
		}
	})
}

func TestFromRxLeavesASharedChannelAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		channel := make(chan rxgo.Item, 3)
		for i := range 3 {
			channel <- rxgo.Of(i)
		}
		for want := range 3 {
			got, err := rx.FromRx[int](rxgo.FromChannel(channel)).First(t.Context()).Get()
			if got != want || err != nil {
				t.Errorf("FromRx of a shared channel: got %v, %v, want %v", got, err, want)
			}
		}
	})
}

// An event source cannot remove an observer. The run ends nevertheless.
func TestFromRxLeavesAnEventSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ticks := rxgo.Interval(rxgo.WithDuration(time.Second), rxgo.WithContext(ctx))
		begin := time.Now()
		got, err := rx.FromRx[int](ticks).First(ctx).Get()
		if took := time.Since(begin); took != time.Second || err != nil {
			t.Errorf("FromRx of an event source: got %v, %v after %v", got, err, took)
		}
	})
}

// The run returns ErrStuck when RxGo does not end within a second.
func TestErrStuckAfterASecond(t *testing.T) {
	deaf := func(release chan struct{}) rxgo.Observable {
		return rxgo.Defer([]rxgo.Producer{func(_ context.Context, next chan<- rxgo.Item) {
			next <- rxgo.Of(1)
			<-release
		}})
	}
	t.Run("left", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			defer close(release)
			begin := time.Now()
			err := rx.FromRx[int](deaf(release))(t.Context(), func(int) bool { return false })
			if took := time.Since(begin); !errors.Is(err, rx.ErrStuck) || took != time.Second {
				t.Errorf("run a chain that does not end: got %v after %v, want ErrStuck after 1s", err, took)
			}
		})
	})
	t.Run("cancelled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			defer close(release)
			ctx, cancel := context.WithCancelCause(t.Context())
			err := rx.FromRx[int](deaf(release))(ctx, func(int) bool { cancel(errEnough); return true })
			if !errors.Is(err, rx.ErrStuck) || !errors.Is(err, errEnough) {
				t.Errorf("cancel a chain that does not end: got %v, want the cause and ErrStuck", err)
			}
		})
	})
}

// Merge sends without checking a context, so it ends with its sources.
func TestThroughEndsMergeEarly(t *testing.T) {
	merged := rx.Through[int, int](func(o rxgo.Observable) rxgo.Observable {
		return rxgo.Merge([]rxgo.Observable{o, o.Map(addOne)}).Map(addOne).Filter(odd)
	})
	synctest.Test(t, func(t *testing.T) {
		got := 0
		if err := merged(stream.Range(0, 1<<40))(t.Context(), func(int) bool { got++; return got < 5 }); err != nil {
			t.Errorf("stop a merge at the fifth value: got %v, want no error", err)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errEnough)
		defer cancel()
		if err := merged(stream.Interval(time.Second)).Run(ctx); err != errEnough {
			t.Errorf("cancel a merge: got %v, want %v", err, errEnough)
		}
	})
}

func TestThroughTimeOperators(t *testing.T) {
	second := rxgo.WithDuration(time.Second)
	for name, chain := range map[string]func(rxgo.Observable) rxgo.Observable{
		"BufferWithTime":        func(o rxgo.Observable) rxgo.Observable { return o.BufferWithTime(second) },
		"BufferWithTimeOrCount": func(o rxgo.Observable) rxgo.Observable { return o.BufferWithTimeOrCount(second, 3) },
		"Debounce":              func(o rxgo.Observable) rxgo.Observable { return o.Debounce(second) },
		"TimeInterval":          func(o rxgo.Observable) rxgo.Observable { return o.TimeInterval() },
		"Timestamp":             func(o rxgo.Observable) rxgo.Observable { return o.Timestamp() },
		"Repeat":                func(o rxgo.Observable) rxgo.Observable { return o.Repeat(3, second) },
	} {
		op := rx.Through[int, any](chain)
		for _, period := range []time.Duration{300 * time.Millisecond, 3 * time.Second} {
			t.Run(fmt.Sprint(name, " every ", period), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					_, err := op(stream.Interval(period)).First(ctx).Get()
					if err != nil && (name != "Debounce" || period > time.Second) {
						t.Errorf("first value of %s every %v: got %v, want a value", name, period, err)
					}
				})
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, errEnough)
					defer cancel()
					begin := time.Now()
					err := op(stream.Interval(period)).Run(ctx)
					if took := time.Since(begin); err != errEnough || took != 10*time.Second {
						t.Errorf("cancel %s after 10s: got %v after %v, want %v after 10s", name, err, took, errEnough)
					}
				})
			})
		}
	}
}

// A group without a reader blocks the others until the run ends.
func TestThroughGroupsWithoutAReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		groups := rx.Through[int, rxgo.Observable](func(o rxgo.Observable) rxgo.Observable {
			return o.GroupBy(2, func(item rxgo.Item) int { return item.V.(int) % 2 })
		})(stream.Range(1, 100))
		if _, err := groups.First(t.Context()).Get(); err != nil {
			t.Errorf("first group: got %v, want a group", err)
		}
		if all, err := groups.Collect(t.Context()); len(all) != 2 || err != nil {
			t.Errorf("collect groups without reading them: got %d, %v, want 2", len(all), err)
		}
	})
}

func TestThroughRunsConcurrently(t *testing.T) {
	double := rx.ThroughBatches[int, int](16, func(o rxgo.Observable) rxgo.Observable {
		return o.Map(func(_ context.Context, item any) (any, error) { return append(item.([]int), -1), nil })
	}, rx.Buffer(2))(stream.Range(0, 10_000))
	sums := make(chan int)
	for range 4 {
		go func() {
			sum := 0
			_ = double.ForEach(context.Background(), func(n int) { sum += max(n, 0) })
			sums <- sum
		}()
	}
	for range 4 {
		if sum := <-sums; sum != 49_995_000 {
			t.Errorf("run Through on several goroutines: the sum of the values is %d, so some were lost or overwritten", sum)
		}
	}
}

// All values arrive in order, whatever the timing of source and sender.
func TestBatchesKeepTheOrder(t *testing.T) {
	asIs := func(o rxgo.Observable) rxgo.Observable { return o }
	for _, size := range []int{1, 2, 3, 5, 64, 1000} {
		t.Run(fmt.Sprint("size ", size), func(t *testing.T) {
			next := 0
			err := rx.ThroughBatches[int, int](size, asIs)(stream.Range(0, 20_000)).ForEach(t.Context(), func(n int) {
				if n != next {
					t.Fatalf("values through batches of %d: got %d, want %d next", size, n, next)
				}
				if next++; next%997 == 0 {
					runtime.Gosched()
				}
			})
			if next != 20_000 || err != nil {
				t.Errorf("values through batches of %d: got %d, %v", size, next, err)
			}
		})
	}
}

// A batch is sent while the source pauses.
func TestBatchesDoNotWaitForMoreValues(t *testing.T) {
	asIs := func(o rxgo.Observable) rxgo.Observable { return o }
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ticks := rx.ThroughBatches[int, int](100, asIs)(stream.Interval(time.Minute))
		if _, err := ticks.First(t.Context()).Get(); err != nil || time.Since(begin) != time.Minute {
			t.Errorf("first value through a batch: got %v after %v, want it after 1m", err, time.Since(begin))
		}
	})
}
