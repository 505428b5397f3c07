package journal

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

func one(int) int { return 1 }

func TestBatchingKeepsTheContract(t *testing.T) {
	op := batching(one, operators.Flatten[int]())
	streamtest.CheckOperator(t, op, []int{1, 2, 3, 4}, []int{1, 2, 3, 4}, streamtest.ReadAhead(4*maxBatch))
}

// TestBatchingTakesWhatWaits has batches of what came meanwhile, within the limits.
func TestBatchingTakesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var sizes []int
		op := batching(one, func(batches stream.Observable[[]int]) stream.Observable[int] {
			return func(ctx context.Context, yield func(int) bool) error {
				return batches(ctx, func(batch []int) bool {
					sizes = append(sizes, len(batch))
					<-release
					return yield(len(batch))
				})
			}
		})
		source := func(ctx context.Context, yield func(int) bool) error {
			yield(0)
			synctest.Wait()
			for i := range 3500 {
				if i == 2*maxBatch {
					go close(release)
				}
				yield(i)
			}
			return nil
		}
		total := 0
		if err := op(source).ForEach(t.Context(), func(n int) { total += n }); err != nil || total != 3501 {
			t.Errorf("batches: got %d values, %v; want all", total, err)
		}
		if sizes[0] != 1 || sizes[1] != maxBatch || slices.Max(sizes) != maxBatch {
			t.Errorf("batches: got the sizes %v, want one, and then at most %d of what waits", sizes, maxBatch)
		}
	})
}

func TestBatchingLimitsTheBytesOfABatch(t *testing.T) {
	op := batching(func(int) int { return maxBatchBytes / 2 }, func(batches stream.Observable[[]int]) stream.Observable[int] {
		return operators.Map(func(batch []int) int { return len(batch) })(batches)
	})
	sizes, err := op(stream.Range(0, 50)).Collect(t.Context())
	total := 0
	for _, n := range sizes {
		total += n
	}
	if err != nil || total != 50 || slices.Max(sizes) > 2 {
		t.Errorf("batches of halves of the limit: got the sizes %v, %v; want at most two", sizes, err)
	}
}
