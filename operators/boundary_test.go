package operators_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

func TestObserveOnRunsAheadByItsCapacity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, capacity := range []int{0, 1, 5} {
			made, taken := 0, 0
			source := operators.Tap(func(int) { made++ })(stream.Range(0, 50))
			err := operators.ObserveOn[int](capacity)(source).ForEach(t.Context(), func(int) {
				taken++
				synctest.Wait()
				if ahead := made - taken; ahead > max(1, capacity)+1 {
					t.Errorf("capacity %d: %d ahead", capacity, ahead)
				}
			})
			if err != nil || taken != 50 {
				t.Errorf("%d values, %v", taken, err)
			}
		}
	})
}

func TestBoundaryOverflowAtASlowConsumer(t *testing.T) {
	source := script(nil, step{0, 0}, step{1000, 1}, step{2000, 2}, step{3000, 3}, step{4000, 4}, step{9000, 0})
	slow := dawdle[int](3500)
	for name, c := range map[string]struct {
		op   stream.Operator[int, int]
		want []string
	}{
		"latest": {operators.OnBackpressureLatest[int](), []string{"0 0", "3500 3", "7000 4", "10500 <nil>"}},
		"drop":   {operators.OnBackpressureDrop[int](1), []string{"0 0", "3500 1", "7000 4", "10500 <nil>"}},
		"drop 2": {operators.OnBackpressureDrop[int](2), []string{"0 0", "3500 1", "7000 2", "10500 4", "14000 <nil>"}},
		"oldest": {operators.OnBackpressureBuffer[int](2, stream.DropOldest), []string{"0 0", "3500 2", "7000 3", "10500 4", "14000 <nil>"}},
		"fail": {operators.OnBackpressureBuffer[int](2, stream.Fail),
			[]string{"0 0", "3500 1", "7000 2", "10500 stream: buffer full"}},
		"block": {operators.OnBackpressureBuffer[int](2, stream.Block),
			[]string{"0 0", "3500 1", "7000 2", "10500 3", "14000 4", "17500 <nil>"}},
	} {
		t.Run(name, func(t *testing.T) { wantTimelineOf(t, c.op(source), slow, c.want...) })
	}
}

func TestBoundaryFailureComesAfterWhatWaits(t *testing.T) {
	failing := script(errBroken, step{0, 0}, step{100, 1}, step{200, 0})
	for _, overflow := range []stream.Overflow{stream.Block, stream.DropOldest, stream.DropNewest, stream.Fail} {
		wantTimelineOf(t, operators.OnBackpressureBuffer[int](2, overflow)(failing), dawdle[int](1000),
			"0 0", "1000 1", "2000 broken")
	}
}

func TestBoundaryOverflowEndsTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := operators.OnBackpressureBuffer[int](1, stream.Fail)(stream.Range(0, 1<<62)).ForEach(t.Context(), func(int) {
			synctest.Wait() // until the source has overflowed
		})
		if !errors.Is(err, stream.ErrOverflow) {
			t.Errorf("run a source that overflows: got the error %v, want ErrOverflow", err)
		}
	})
}

// BenchmarkObserveOn compares a value that crosses to another goroutine with one that
// does so over a channel of the same capacity. The goal: at most 20 ns.
func BenchmarkObserveOn(b *testing.B) {
	b.Run("channel", func(b *testing.B) {
		for b.Loop() {
			values := make(chan int, 128)
			go func() {
				defer close(values)
				for i := range million {
					values <- i
				}
			}()
			for v := range values {
				sink = v
			}
		}
		perValue(b)
	})
	cancellable, cancel := context.WithCancel(context.Background())
	defer cancel()
	for name, ctx := range map[string]context.Context{"plain": context.Background(), "cancellable": cancellable} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_ = operators.ObserveOn[int](128)(counting).ForEach(ctx, func(v int) { sink = v })
			}
			perValue(b)
		})
	}
	b.Run("latest", func(b *testing.B) {
		for b.Loop() {
			_ = operators.OnBackpressureLatest[int]()(counting).ForEach(cancellable, func(v int) { sink = v })
		}
		perValue(b)
	})
}

// BenchmarkTime is what a value costs where time is looked at.
func BenchmarkTime(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, name := range []string{"Debounce", "ThrottleLast", "Audit", "Timeout", "BufferTime", "BufferTimeOrCount"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_ = timed[name](counting).ForEach(ctx, func(v int) { sink = v })
			}
			perValue(b)
		})
	}
}
