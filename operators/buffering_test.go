package operators_test

import (
	"context"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// stageOf is the stage that the source of an operator is told of.
func stageOf[T any](t *testing.T, operator stream.Operator[int, T]) (stage string) {
	source := stream.Observable[int](func(ctx context.Context, yield func(int) bool) error {
		stage = stream.Buffering(ctx)
		yield(1)
		return nil
	})
	if err := operator(source).Run(t.Context()); err != nil {
		t.Errorf("the run ended with %v, want nil", err)
	}
	return stage
}

// of makes an operator of what takes its source as an argument.
func of[T any](f func(stream.Observable[int]) stream.Observable[T]) stream.Operator[int, T] { return f }

func plus(a, b int) int { return a + b }

// TestBufferingStagesSayTheirNames: an operator that keeps values for later, or hands them
// to another goroutine, says so to its source, by its name. That those which read ahead
// say so at all is checked by TestContracts.
func TestBufferingStagesSayTheirNames(t *testing.T) {
	other := stream.Just(1)
	for want, got := range map[string]string{
		"ObserveOn":         stageOf(t, operators.ObserveOn[int](1)),
		"MapParallel":       stageOf(t, operators.MapParallel(2, func(_ context.Context, n int) (int, error) { return n, nil })),
		"Merge":             stageOf(t, of(func(s stream.Observable[int]) stream.Observable[int] { return operators.Merge(s, other) })),
		"MergeMap":          stageOf(t, operators.MergeMap(twice)),
		"SwitchMap":         stageOf(t, operators.SwitchMap(twice)),
		"ExhaustMap":        stageOf(t, operators.ExhaustMap(twice)),
		"Race":              stageOf(t, of(func(s stream.Observable[int]) stream.Observable[int] { return operators.Race(s) })),
		"ForkJoin":          stageOf(t, of(func(s stream.Observable[int]) stream.Observable[[]int] { return operators.ForkJoin(s) })),
		"Zip":               stageOf(t, of(func(s stream.Observable[int]) stream.Observable[int] { return operators.Zip(s, other, plus) })),
		"CombineLatest":     stageOf(t, of(func(s stream.Observable[int]) stream.Observable[int] { return operators.CombineLatest(s, other, plus) })),
		"BufferCount":       stageOf(t, operators.BufferCount[int](2)),
		"BufferTime":        stageOf(t, operators.BufferTime[int](time.Hour, 2)),
		"BufferTimeOrCount": stageOf(t, operators.BufferTimeOrCount[int](time.Hour, 2)),
		"BufferBoundary":    stageOf(t, operators.BufferBoundary[int](stream.Never[int](), 2)),
		"WindowCount":       stageOf(t, operators.WindowCount[int](2)),
		"GroupBy":           stageOf(t, operators.GroupBy(func(n int) int { return n })),
		"Sample":            stageOf(t, operators.Sample[int](stream.Never[int]())),
		"Delay":             stageOf(t, operators.Delay[int](0, 1)),
		"Debounce":          stageOf(t, operators.Debounce[int](0)),
		"Audit":             stageOf(t, operators.Audit[int](0)),
		"ThrottleLast":      stageOf(t, operators.ThrottleLast[int](time.Hour)),
		"Timeout":           stageOf(t, operators.Timeout[int](time.Hour)),
		"FoldTumblingTime":  stageOf(t, operators.FoldTumblingTime(time.Hour, fold.Sum[int]())),
		"TakeLast":          stageOf(t, operators.TakeLast[int](1)),
		"Pairwise":          stageOf(t, operators.Pairwise[int]()),
		"SkipLast":          stageOf(t, operators.SkipLast[int](1)),
		"Subject":           stageOf(t, operators.Share[int]()),
	} {
		if got != want {
			t.Errorf("the source of %s was told of %q", want, got)
		}
	}
}

// TestBufferingIsNotToldWhereNothingWaits: behind these, what follows has handled a value
// when yield returns.
func TestBufferingIsNotToldWhereNothingWaits(t *testing.T) {
	for name, got := range map[string]string{
		"Map":           stageOf(t, operators.Map(triple)),
		"MapErr":        stageOf(t, operators.MapErr(func(n int) (int, error) { return n, nil })),
		"ConcatMap":     stageOf(t, operators.ConcatMap(twice)),
		"Filter":        stageOf(t, operators.Filter(even)),
		"Take":          stageOf(t, operators.Take[int](2)),
		"TakeUntilDone": stageOf(t, operators.TakeUntilDone[int](context.Background())),
		"TakeUntil":     stageOf(t, operators.TakeUntil[int](stream.Never[int]())),
		"Scan":          stageOf(t, operators.Scan(fold.Sum[int]())),
		"Reduce":        stageOf(t, operators.Fold(fold.Sum[int]())),
		"Tap":           stageOf(t, operators.Tap(func(int) {})),
		"ThrottleFirst": stageOf(t, operators.ThrottleFirst[int](time.Hour)),
	} {
		if got != "" {
			t.Errorf("the source of %s was told that %s buffers, though nothing waits", name, got)
		}
	}
}
