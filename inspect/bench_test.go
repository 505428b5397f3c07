package inspect

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// BenchmarkSnapshot is a look at 1,000 stages that run, encoded as a viewer gets it. A viewer has
// four a second, so the goal is at most 5 ms, which is 2% of a core.
func BenchmarkSnapshot(b *testing.B) {
	live := New()
	ctx, cancel := context.WithCancel(b.Context())
	var runs []*stream.Subscription
	for n := range 500 {
		pipeline := stream.Pipe2(stream.Never[int](), named("read"), named(fmt.Sprint("store ", n)))
		runs = append(runs, pipeline.Subscribe(live.Follow(ctx), stream.Observer[int]{}))
	}
	defer func() {
		cancel()
		for _, run := range runs {
			_ = run.Wait()
		}
	}()
	for live.Snapshot(Query{}).StagesTotal < 1000 {
		runtime.Gosched()
	}
	for b.Loop() {
		live.history.looked = time.Time{} // so that it looks again, however soon
		if _, err := json.Marshal(live.Snapshot(Query{})); err != nil {
			b.Fatalf("encode a snapshot: %v", err)
		}
	}
}
