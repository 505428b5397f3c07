package inspect

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

type op = stream.Operator[int, int]

func named(name string) op { return operators.Named[int](name) }

func slow(d time.Duration) op {
	return operators.Map(func(n int) int { time.Sleep(d); return n })
}

// watched runs a pipeline in virtual time with a viewer, and returns what that sees after some time.
func watched(t *testing.T, after time.Duration, pipeline stream.Observable[int], consume func(int)) (seen Snapshot) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		live := New()
		ctx, cancel := context.WithCancel(t.Context())
		run := pipeline.Subscribe(live.Follow(ctx), stream.Observer[int]{Next: consume})
		synctest.Wait() // until it is under way
		begin := time.Now()
		err := live.snapshots(Query{}, false)(ctx, func(s Snapshot) bool {
			seen = s
			return time.Since(begin) < after
		})
		if err != nil {
			t.Errorf("watch a pipeline: got %v, want no error", err)
		}
		cancel()
		_ = run.Wait()
	})
	return seen
}

func TestVerdictSaysWhatHoldsUpAPipeline(t *testing.T) {
	many, ticks := stream.Range(0, 1<<40), stream.Interval(100*time.Millisecond)
	ms := time.Millisecond
	fast := func(int) { time.Sleep(ms) }
	never := func(int) { time.Sleep(time.Hour) }
	work := func(_ context.Context, n int) (int, error) { time.Sleep(80 * ms); return n, nil }
	for name, c := range map[string]struct {
		pipeline stream.Observable[int]
		consume  func(int)
		severity Severity
		marked   string
		why      string
	}{
		"a consumer that is stuck": {
			stream.Pipe2(many, named("read"), named("store")), never, Dead, "store",
			`What follows "store" is stuck: it has been at work on one value for 5.0 s.`},
		"work between stages": {
			stream.Pipe3(many, named("read"), slow(90*ms), named("store")), fast, Slow, "read",
			`The work between "read" and "store" holds up the pipeline: it is at work 99% of the time.`},
		"a consumer that is slow": {
			stream.Pipe2(many, named("read"), named("store")), func(int) { time.Sleep(90 * ms) }, Slow, "store",
			`What follows "store" holds up the pipeline: it is at work 100% of the time.`},
		"a slow source": {
			stream.Pipe2(ticks, named("read"), named("store")), fast, Calm, "read",
			`The source of "read" sets the pace: the pipeline waits for it 99% of the time.`},
		"a silent source": {
			stream.Pipe2(stream.Never[int](), named("read"), named("store")), fast, Calm, "read",
			`The source of "read" has emitted nothing for 5.0 s.`},
		"a full buffer": {
			stream.Pipe3(many, named("read"), operators.ObserveOn[int](16), named("store")), func(int) { time.Sleep(90 * ms) }, Slow, "store",
			`What follows "store" holds up the pipeline: it is at work 100% of the time. The buffer of ObserveOn above it is full: 16 of 16 values.`},
		"a full buffer behind which work is stuck": {
			stream.Pipe4(many, named("read"), operators.ObserveOn[int](16), named("check"), named("store")), never, Dead, "store",
			`What follows "store" is stuck: it has been at work on one value for 5.0 s. The buffer of ObserveOn above it is full: 16 of 16 values.`},
		"an empty buffer, and a slow source above": {
			stream.Pipe3(ticks, named("read"), operators.ObserveOn[int](16), named("store")), fast, Calm, "read",
			`The source of "read" sets the pace: the pipeline waits for it 100% of the time.`},
		"an empty buffer, and slow work above": {
			stream.Pipe4(many, named("read"), slow(90*ms), operators.ObserveOn[int](16), named("store")), fast, Slow, "read",
			`The work between "read" and "ObserveOn" holds up the pipeline: it is at work 100% of the time.`},
		"parallel work": {
			stream.Pipe3(many, named("read"), operators.MapParallel(2, work), named("store")), fast, Slow, "MapParallel",
			`The work between "MapParallel" and "store" holds up the pipeline: it is at work 98% of the time.`},
		"balance": {
			stream.Pipe3(ticks, named("read"), slow(45*ms), named("store")), fast, Calm, "read",
			`The source of "read" sets the pace: the pipeline waits for it 54% of the time.`},
	} {
		t.Run(name, func(t *testing.T) {
			s := watched(t, 5*time.Second, c.pipeline, c.consume)
			if len(s.Verdicts) != 1 {
				t.Fatalf("got the verdicts %v, want one", s.Verdicts)
			}
			v := s.Verdicts[0]
			marked := s.Stages[slices.IndexFunc(s.Stages, func(s Stage) bool { return s.ID == v.Stage })]
			if v.Severity != c.severity || marked.Name != c.marked || !strings.HasPrefix(v.Why, c.why) {
				t.Errorf("got %s about %q: %s\nwant %s about %q: %s", v.Severity, marked.Name, v.Why, c.severity, c.marked, c.why)
			}
			if marked.Holds != (c.severity != Calm) {
				t.Errorf("the stage %q is marked: %v", marked.Name, marked.Holds)
			}
		})
	}
}
