package operators_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

func init() {
	maps.Copy(contracts, map[string]func(*testing.T){
		"Sample": func(t *testing.T) {
			t.Run("values", func(t *testing.T) {
				streamtest.CheckOperator(t, apart(operators.Sample[int](stream.Interval(between))), []int{1}, []int{1},
					streamtest.ReadAhead(stream.DefaultBuffer+1))
			})
			t.Run("none", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.Sample[int](stream.Never[int]()), []int{1, 2}, []int(nil))
			})
			t.Run("failing sampler", func(t *testing.T) {
				streamtest.Check(t, operators.Sample[int](stream.Throw[int](errBroken))(stream.Never[int]()), nil, streamtest.Fails(errBroken))
			})
		},
	})
}

// The click is made once the temperatures have been taken.
func ExampleSample() {
	temperatures := operators.Merge(stream.Just(20, 21, 22), stream.Never[int]())
	click := stream.Timer(100 * time.Millisecond)
	show(operators.Take[int](1)(operators.Sample[int](click)(temperatures)))
	// Output: [22] <nil>
}

func TestSample(t *testing.T) {
	clock := script(nil, step{1150, 0}, step{1250, 0}, step{3000, 0}, step{5050, 0}, step{5060, 0})
	wantTimeline(t, operators.Sample[int](clock)(waves(nil)), "1150 2", "1250 3", "5050 4", "5200 <nil>")
	wantTimeline(t, operators.Sample[int](clock)(waves(errBroken)), "1150 2", "1250 3", "5050 4", "5200 broken")
	failing := script(errBroken, step{1150, 0}, step{3000, 0})
	wantTimeline(t, operators.Sample[int](failing)(waves(nil)), "1150 2", "3000 broken")
	wantTimeline(t, operators.Take[int](1)(operators.Sample[int](clock)(waves(nil))), "1150 2", "1150 <nil>")
}

func TestSampleEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errBroken) })
		start := time.Now()
		err := operators.Sample[int](stream.Never[int]())(stream.Never[int]()).Run(ctx)
		if took := time.Since(start); !errors.Is(err, errBroken) || took != time.Second {
			t.Errorf("got %v after %v", err, took)
		}
	})
}

func TestSamplePanicOfItsSampler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer func() {
			if err, ok := recover().(error); !ok || !errors.Is(err, errBroken) {
				t.Errorf("sample with a sampler that panics: the run panicked with %v, want errBroken", err)
			}
		}()
		sampler := func(context.Context, func(int) bool) error { panic(errBroken) }
		_ = operators.Sample[int](sampler)(stream.Never[int]()).Run(t.Context())
	})
}
