package operators_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// The shortest period is always over: the source must have its turn all the same. Real
// time, as that of a bubble stands still while somebody works.
func TestTimeOperatorsOfShortestPeriodsStarveNoSource(t *testing.T) {
	sum := fold.Sum[int]()
	window := func(g operators.Group[int, int]) stream.Observable[int] { return g.Values() }
	merged := func(op stream.Operator[int, group]) stream.Operator[int, int] {
		return readBy(op, operators.MergeMap(window))
	}
	flat := func(op stream.Operator[int, []int]) stream.Operator[int, int] {
		return func(source stream.Observable[int]) stream.Observable[int] {
			return operators.ConcatMap(func(s []int) stream.Observable[int] { return stream.FromSlice(s) })(op(source))
		}
	}
	lossy := map[string]bool{"ThrottleLast": true, "Sample": true, "Audit": true, "Debounce": true, "ThrottleLatest": true}
	for name, op := range map[string]stream.Operator[int, int]{
		"BufferTime":        flat(operators.BufferTime[int](1, 2)),
		"BufferTimeOrCount": flat(operators.BufferTimeOrCount[int](1, 2)),
		"BufferTimeEvery":   flat(operators.BufferTimeEvery[int](1, 1, 9)),
		"FoldHoppingTime":   operators.FoldHoppingTime(1, 1, sum),
		"WindowTimeEvery":   merged(operators.WindowTimeEvery[int](1, 1)),
		"WindowTime":        merged(operators.WindowTime[int](1)),
		"WindowTimeOrCount": merged(operators.WindowTimeOrCount[int](1, 2)),
		"FoldTumblingTime":  operators.FoldTumblingTime(1, sum),
		"ThrottleLast":      operators.ThrottleLast[int](1),
		"ThrottleLatest":    operators.ThrottleLatest[int](1),
		"Audit":             operators.Audit[int](1),
		"Debounce":          operators.Debounce[int](1),
		"Sample":            operators.Sample[int](stream.Interval(1)),
		"GroupIdle":         merged(operators.GroupBy(mod3, operators.GroupIdle(1))),
	} {
		t.Run(name, func(t *testing.T) {
			guard := errors.New("the source has had no turn")
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, guard)
			defer cancel()
			total := 0
			err := op(stream.Range(0, 5)).ForEach(ctx, func(n int) { total += n })
			if exact := !lossy[name]; err != nil || total > 10 || exact && total != 10 {
				t.Errorf("%s: the values from 0 to 4 add up to %d, %v; want 10 (or less if it drops some) and no error", name, total, err)
			}
		})
	}
}
