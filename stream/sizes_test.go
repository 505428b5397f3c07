package stream_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/internal/parameters"
)

// sizes are bounds that somebody may choose, from nonsense to no bound.
var sizes = []int{math.MinInt, -1, 0, 1, 2, 3, 5, 100, 1 << 20, math.MaxInt - 1, math.MaxInt}

// bounded has a source of 1, 2, 3 for each parameter of type int.
var bounded = map[string]func(size int) stream.Observable[int]{
	"Gather capacity": func(size int) stream.Observable[int] {
		return stream.Gather(size, func(g *stream.Group[int]) { g.Go(stream.Range(1, 3)) })
	},
	"Buffered capacity": func(size int) stream.Observable[int] { return stream.Buffered(stream.Range(1, 3), size, stream.Block) },
	"Create capacity": func(size int) stream.Observable[int] {
		return stream.Create(size, stream.Block, func(_ context.Context, e *stream.Emitter[int]) (func(), error) {
			for n := range 3 {
				e.Next(n + 1)
			}
			e.Complete()
			return nil, nil
		})
	},
	"Subject.Observe capacity": func(size int) stream.Observable[int] { return bySubject(stream.Range(1, 3), size, stream.Block) },
	"NewUnicast capacity": func(size int) stream.Observable[int] {
		return func(ctx context.Context, yield func(int) bool) error {
			u := stream.NewUnicast[int](ctx, size, stream.Block)
			return stream.Gather(1, func(g *stream.Group[int]) {
				g.Go(u.Observe)
				g.Go(func(context.Context, func(int) bool) error {
					defer u.Complete()
					_ = u.Next(1) && u.Next(2) && u.Next(3)
					return nil
				})
			})(ctx, yield)
		}
	},
	"Observable.Channel capacity": func(size int) stream.Observable[int] {
		return func(ctx context.Context, yield func(int) bool) error {
			values, wait := stream.Range(1, 3).Channel(ctx, size)
			_ = stream.FromChannel(values)(ctx, yield)
			return wait()
		}
	},
	"NewReplaySubject count": func(size int) stream.Observable[int] {
		s := stream.NewReplaySubject[int](size, 0)
		for n := range 3 {
			s.Next(n + 1)
		}
		s.Complete()
		kept := 3 - min(3, max(1, size)) // the others are forgotten
		return func(ctx context.Context, yield func(int) bool) error {
			_ = stream.Range(1, kept)(ctx, yield)
			return s.Observe(size, stream.Block)(ctx, yield)
		}
	},
	"Range start": func(start int) stream.Observable[int] {
		return func(ctx context.Context, yield func(int) bool) error {
			return stream.Range(start, 3)(ctx, func(n int) bool { return yield(n - start + 1) })
		}
	},
	"Range count": func(count int) stream.Observable[int] {
		return filledUp(stream.Range(1, count), count)
	},
	"Repeat times": func(times int) stream.Observable[int] {
		n := 0
		next := stream.Future(func(context.Context) (int, error) { n++; return n, nil })
		return filledUp(stream.Repeat(next, times), times)
	},
}

// filledUp emits 1, 2, 3: those of the first count of source, and then the others.
func filledUp(source stream.Observable[int], count int) stream.Observable[int] {
	count = min(max(0, count), 3)
	return func(ctx context.Context, yield func(int) bool) error {
		got := 0
		err := source(ctx, func(n int) bool {
			got++
			return got <= count && yield(n) && got < 3
		})
		if err != nil || got != count {
			return fmt.Errorf("got %d values and %v, want %d and no error", got, err, count)
		}
		return stream.Range(1+count, 3-count)(ctx, yield)
	}
}

// A new parameter of type int is tried with all kinds of sizes, or this fails.
func TestEverySizeIsTried(t *testing.T) { parameters.WantInts(t, bounded) }

func TestSizesOfAllKindsWorkAndCostWhatIsUsed(t *testing.T) {
	for name, source := range bounded {
		for _, size := range sizes {
			t.Run(fmt.Sprint(name, " ", size), func(t *testing.T) {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				values, err := source(size).Collect(t.Context())
				runtime.ReadMemStats(&after)
				wantError(t, err, nil)
				wantValues(t, values, 1, 2, 3)
				if used := after.TotalAlloc - before.TotalAlloc; used > 1<<18 {
					t.Errorf("%s of size %d took %d bytes for three values, want less than 256 KiB", name, size, used)
				}
			})
		}
	}
}

// TestSizesOfALongRun lets no more than one value wait, of very many that may.
func TestSizesOfALongRun(t *testing.T) {
	const count = 1 << 18
	room := make(chan struct{}, 1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := 0
	err := stream.Gather(math.MaxInt, func(g *stream.Group[[8]int]) {
		g.Go(func(_ context.Context, yield func([8]int) bool) error {
			for range count {
				room <- struct{}{}
				yield([8]int{})
			}
			return nil
		})
	}).ForEach(t.Context(), func([8]int) { got++; <-room })
	runtime.ReadMemStats(&after)
	wantError(t, err, nil)
	if used := after.TotalAlloc - before.TotalAlloc; got != count || used > 1<<20 {
		t.Errorf("%d values of 64 bytes through a queue without a bound, one at a time: got %d, for %d bytes; want less than 1 MiB", count, got, used)
	}
}

func TestIntervalOfAnyPeriod(t *testing.T) {
	for _, d := range []time.Duration{math.MinInt64, -1, 0, 1, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			begin, got := time.Now(), 0
			err := stream.Interval(d)(t.Context(), func(n int) bool { got = n; return n < 3 })
			wantError(t, err, nil)
			if took := time.Since(begin); got != 3 || took != 4*max(0, d) {
				t.Errorf("Interval(%v): value %d after %v; want 3 after %v", d, got, took, 4*max(0, d))
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []time.Duration{math.MaxInt64 - 1, math.MaxInt64} {
			ctx, cancel := context.WithTimeout(t.Context(), 1000*time.Hour)
			defer cancel()
			wantError(t, stream.Interval(d)(ctx, func(int) bool { t.Errorf("Interval(%v) emitted within 1000 h", d); return true }), context.DeadlineExceeded)
		}
	})
}

func TestNilPanicsWhereItIsComposed(t *testing.T) {
	var none stream.Observable[int]
	for want, compose := range map[string]func(){
		"FromSeq with a nil iterator":        func() { stream.FromSeq[int](nil) },
		"FromSeq2 with a nil iterator":       func() { stream.FromSeq2[int](nil) },
		"Defer with a nil function":          func() { stream.Defer[int](nil) },
		"Create with a nil function":         func() { stream.Create[int](1, stream.Block, nil) },
		"Future with a nil function":         func() { stream.Future[int](nil) },
		"Using with a nil function":          func() { stream.Using[int, int](nil, nil, nil) },
		"Generate with a nil function":       func() { stream.Generate(1, nil, func(n int) int { return n }) },
		"Repeat with a nil observable":       func() { stream.Repeat(none, 2) },
		"Buffered with a nil observable":     func() { stream.Buffered(none, 2, stream.Fail) },
		"Gather with a nil function":         func() { stream.Gather[int](1, nil) },
		"Group.Go with a nil producer":       func() { _ = stream.Gather(1, func(g *stream.Group[int]) { g.Go(nil) }).Run(t.Context()) },
		"Timed with a nil alarm":             func() { _ = stream.Timed(t.Context(), stream.Just(1), nil, nil, nil) },
		"Timed with a nil observable":        func() { _ = stream.Timed(t.Context(), none, new(stream.Alarm), nil, nil) },
		"Subject.Feed with a nil observable": func() { _ = new(stream.Subject[int]).Feed(t.Context(), nil) },
		"Seq with a nil observable":          func() { none.Seq(t.Context()) },
		"Channel with a nil observable":      func() { none.Channel(t.Context(), 1) },
		"Subscribe with a nil observable":    func() { none.Subscribe(t.Context(), stream.Observer[int]{}) },
		"OnSubscribed with a nil function":   func() { stream.OnSubscribed(t.Context(), nil) },
	} {
		wantPanic(t, want, compose)
	}
}

// wantPanic wants a composition with something that is nil to panic and to say so.
func wantPanic(t *testing.T, want string, compose func()) {
	t.Helper()
	defer func() {
		if said := fmt.Sprint(recover()); !strings.Contains(said, "stream: "+want) {
			t.Errorf("composed with nil: panicked with %q, want %q", said, want)
		}
	}()
	compose()
}

func TestPipeOfANilOperatorPanicsWhereverItStands(t *testing.T) {
	type op = stream.Operator[int, int]
	for i, pipe := range []func(o []op){
		func(o []op) { stream.Pipe1(stream.Just(1), o[0]) },
		func(o []op) { stream.Pipe2(stream.Just(1), o[0], o[1]) },
		func(o []op) { stream.Pipe3(stream.Just(1), o[0], o[1], o[2]) },
		func(o []op) { stream.Pipe4(stream.Just(1), o[0], o[1], o[2], o[3]) },
		func(o []op) { stream.Pipe5(stream.Just(1), o[0], o[1], o[2], o[3], o[4]) },
		func(o []op) { stream.Pipe6(stream.Just(1), o[0], o[1], o[2], o[3], o[4], o[5]) },
		func(o []op) { stream.Pipe7(stream.Just(1), o[0], o[1], o[2], o[3], o[4], o[5], o[6]) },
		func(o []op) { stream.Pipe8(stream.Just(1), o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7]) },
		func(o []op) { stream.Pipe9(stream.Just(1), o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7], o[8]) },
	} {
		stages := i + 1
		for missing := range stages {
			ops := slices.Repeat([]op{same}, stages)
			ops[missing] = nil
			wantPanic(t, fmt.Sprintf("Pipe%d with a nil operator", stages), func() { pipe(ops) })
		}
	}
}

func TestUnsubscribeEndsWhatTheObserverGets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *stream.Subscription
		got := 0
		subscribed := make(chan struct{})
		s = stream.Range(1, 9).Subscribe(t.Context(), stream.Observer[int]{
			Next:     func(int) { <-subscribed; got++; s.Unsubscribe() },
			Error:    func(err error) { t.Errorf("Observer.Error after Unsubscribe: got %v, want no call", err) },
			Complete: func() { t.Error("Observer.Complete after Unsubscribe, want no call") },
		})
		close(subscribed)
		if err := s.Wait(); err != context.Canceled || got != 1 {
			t.Errorf("Wait after Unsubscribe in the first value: got %v after %d values, want %v after 1", err, got, context.Canceled)
		}
	})
}
