package operators_test

import (
	"context"
	"testing"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// TestPipelineInlineAllocatesNothing is about a pipeline written where it runs.
func TestPipelineInlineAllocatesNothing(t *testing.T) {
	cancellable, cancel := context.WithCancel(context.Background())
	defer cancel()
	for name, ctx := range map[string]context.Context{"plain": context.Background(), "cancellable": cancellable} {
		t.Run(name, func(t *testing.T) {
			allocations := testing.AllocsPerRun(100, func() {
				last := 0
				_ = stream.Pipe4(stream.Range(0, 1000),
					operators.Map(triple), operators.Filter(even),
					operators.ScanFrom(zero, add), operators.TakeWhile(bounded),
				).ForEach(ctx, func(v int) { last = v })
				sink = last
			})
			if allocations != 0 {
				t.Errorf("%v allocations a run, want none", allocations)
			}
		})
	}
}

// TestPipelineThatIsLongAllocatesNothing is about those of more stages than the compiler
// inlines calls: nine, of which none occurs twice.
func TestPipelineThatIsLongAllocatesNothing(t *testing.T) {
	small := func(n int) bool { return n < 0 }
	allocations := testing.AllocsPerRun(100, func() {
		last := 0
		_ = stream.Pipe9(stream.Range(0, 1000),
			operators.Map(triple), operators.Filter(even),
			operators.ScanFrom(zero, add), operators.TakeWhile(bounded),
			operators.Skip[int](1), operators.SkipWhile(small), operators.Take[int](400),
			operators.Tap(func(int) {}),
			operators.MapErr(func(n int) (int, error) { return n, nil }),
		).ForEach(context.Background(), func(v int) { last = v })
		sink = last
	})
	if allocations != 0 {
		t.Errorf("%v allocations a run, want none", allocations)
	}
}
