package stages_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/stages"
)

var errBroken = errors.New("broken")

// wantStages fails the test unless these are the stages, but for their latencies.
func wantStages(t *testing.T, r *stages.Registry, want ...stages.Stage) {
	t.Helper()
	if diff := cmp.Diff(want, r.Snapshot(), cmpopts.IgnoreFields(stages.Stage{}, "Latencies")); diff != "" {
		t.Errorf("the stages differ (-want +got):\n%s", diff)
	}
}

func named(name string) stream.Operator[int, int] { return operators.Named[int](name) }

func slow(d time.Duration) stream.Operator[int, int] {
	return operators.Map(func(n int) int { time.Sleep(d); return n })
}

func TestSnapshotShowsWhereAPipelineIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, registry := time.Now(), new(stages.Registry)
		if got := registry.Snapshot(); len(got) != 0 {
			t.Errorf("a registry without runs has the stages %v, want none", got)
		}
		stuck := operators.Map(func(n int) int {
			if n == 3 {
				time.Sleep(time.Hour)
			}
			return n
		})
		pipeline := stream.Pipe3(stream.Range(0, 5), named("read"), stuck, named("store"))
		run := pipeline.Subscribe(registry.Follow(t.Context()), stream.Observer[int]{})
		synctest.Wait()
		registry.Snapshot() // notices the steps
		time.Sleep(time.Second)
		wantStages(t, registry,
			stages.Stage{ID: 1, Kind: stages.Named, Name: "store", Path: "store", Running: 1, Runs: 1, Values: 3, Moved: start, Started: start},
			stages.Stage{ID: 2, Parent: 1, Kind: stages.Named, Name: "read", Path: "store/read", Running: 1, Runs: 1, Values: 4,
				Passing: 1, PassingSince: start, Moved: start, Started: start})
		if line, want := registry.Snapshot()[1].String(), "store/read: 4 values since 00:00:00, waits for what follows"; line != want {
			t.Errorf("print a stage that is passing: got %q, want %q", line, want)
		}
		if line, want := registry.Snapshot()[0].String(), "store: 3 values since 00:00:00, waits for its source"; line != want {
			t.Errorf("print a stage that is not passing: got %q, want %q", line, want)
		}
		if err := run.Wait(); err != nil {
			t.Errorf("a run of two named stages: got %v, want no error", err)
		}
		end := start.Add(time.Hour)
		wantStages(t, registry,
			stages.Stage{ID: 1, Kind: stages.Named, Name: "store", Path: "store", Runs: 1, Completed: 1, Values: 5, Moved: end},
			stages.Stage{ID: 2, Parent: 1, Kind: stages.Named, Name: "read", Path: "store/read", Runs: 1, Completed: 1, Values: 5, Moved: end})
	})
}

func TestSnapshotCountsHowRunsEnd(t *testing.T) {
	registry := new(stages.Registry)
	ctx := registry.Follow(t.Context())
	stage := named("stage")
	failing := stage(stream.Throw[int](errBroken))
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for _, run := range []func(){
		func() { _ = stage(stream.Just(1)).Run(ctx) },
		func() { _ = failing.Run(ctx) },
		func() { _ = failing.Run(ctx) },
		func() { _ = stage(stream.Just(1, 2)).First(ctx) },
		func() { _ = stage(stream.Never[int]()).Run(cancelled) },
		func() {
			defer func() { _ = recover() }()
			_ = stage(stream.Just(1)).ForEach(ctx, func(int) { panic(errBroken) })
		},
		func() {
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_ = stage(stream.Just(1)).ForEach(ctx, func(int) { runtime.Goexit() })
			}()
			<-ended
		},
	} {
		run()
	}
	s := registry.Snapshot()
	if len(s) != 1 {
		t.Fatalf("seven runs of one stage: got the stages %v, want one", s)
	}
	got := fmt.Sprint(s[0].Running, s[0].Runs, s[0].Completed, s[0].Failed, s[0].Stopped, s[0].Values)
	if want := fmt.Sprint(0, 7, 1, 2, 4, 4); got != want {
		t.Errorf("running, runs, completed, failed, stopped, values: got %s, want %s", got, want)
	}
}

// bufferOf runs a pipeline whose consumer is stuck at the first value, and returns its buffer.
func bufferOf(t *testing.T, pipeline stream.Observable[int]) (buffer stages.Stage) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		registry := new(stages.Registry)
		ctx, cancel := context.WithCancel(registry.Follow(t.Context()))
		run := named("end")(pipeline).Subscribe(ctx, stream.Observer[int]{Next: func(int) { <-ctx.Done() }})
		synctest.Wait()
		all := registry.Snapshot()
		buffers := slices.DeleteFunc(slices.Clone(all), func(s stages.Stage) bool { return s.Kind != stages.Buffer })
		cancel()
		_ = run.Wait()
		if len(buffers) != 1 {
			t.Fatalf("got the stages %v, want one buffer", all)
		}
		buffer = buffers[0]
	})
	return buffer
}

func TestSnapshotHasTheFillOfEachBuffer(t *testing.T) {
	many := stream.Range(0, 1000)
	double := func(_ context.Context, n int) (int, error) { return 2 * n, nil }
	for want, pipeline := range map[string]stream.Observable[int]{
		"ObserveOn 16 of 16, 1 blocked":    operators.ObserveOn[int](16)(many),
		"Gather 20 of 20, 2 blocked":       stream.Gather(10, func(g *stream.Group[int]) { g.Go(many); g.Go(many) }),
		"Merge 256 of 256, 2 blocked":      operators.Merge(many, many),
		"MapParallel 8 of 8, 1 blocked":    operators.MapParallel(4, double)(many),
		"Timeout 128 of 128, 1 blocked":    operators.Timeout[int](time.Hour)(many),
		"MergeMap 4 of 4, 1 blocked":       operators.MergeMap(func(int) stream.Observable[int] { return many }, operators.Buffer(4))(stream.Just(1)),
		"ConcatMapEager 4 of 4, 1 blocked": operators.ConcatMapEager(func(int) stream.Observable[int] { return many }, operators.Buffer(4))(stream.Just(1)),
	} {
		b := bufferOf(t, pipeline)
		if got := fmt.Sprintf("%s %d of %d, %d blocked", b.Name, b.Fill.Waiting, b.Fill.Capacity, b.Fill.Blocked); got != want {
			t.Errorf("a buffer whose consumer is stuck: got %s, want %s", got, want)
		}
		if b.Path != "end/"+b.Name || !strings.HasSuffix(b.String(), "values wait") {
			t.Errorf("the buffer has the path %s and prints %q, want end/%s, and the values that wait", b.Path, b, b.Name)
		}
	}
}

func TestSnapshotHasTheFillOfASubject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s stream.Subject[int]
		registry := new(stages.Registry)
		ctx, cancel := context.WithCancel(registry.Follow(t.Context()))
		for range 3 {
			go s.Observe(8, stream.DropNewest).ForEach(ctx, func(int) { <-ctx.Done() })
		}
		synctest.Wait()
		for n := range 20 {
			s.Next(n)
			synctest.Wait()
		}
		got := registry.Snapshot()
		if want := (stages.Fill{Waiting: 24, Capacity: 24}); len(got) != 1 || got[0].Name != "Subject" || got[0].Running != 3 || got[0].Fill != want {
			t.Errorf("three observers that are stuck: got %+v, want a Subject with three runs and the fill %v", got, want)
		}
		cancel()
		synctest.Wait()
	})
}

// A group with very many producers forgets the queues of those that have ended.
func TestFollowedGroupForgetsQueues(t *testing.T) {
	registry := new(stages.Registry)
	one := func(n int) stream.Observable[int] { return stream.Just(n) }
	var before, after runtime.MemStats
	n := 0
	err := operators.MergeMap(one, operators.Limit(2))(stream.Range(0, 20_000)).ForEach(registry.Follow(t.Context()), func(int) {
		switch n++; n {
		case 10_000:
			runtime.GC()
			runtime.ReadMemStats(&before)
		case 20_000:
			runtime.GC()
			runtime.ReadMemStats(&after)
		}
	})
	if err != nil {
		t.Errorf("a MergeMap that is followed: got %v, want no error", err)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("10,000 producers that ended left %d bytes, want less than 1 MiB", grown)
	}
}

func TestLatenciesAreMeasuredWhileSomebodyWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := new(stages.Registry)
		waits := operators.Map(func(n int) int { time.Sleep(30 * time.Millisecond); return n })
		pipeline := stream.Pipe3(stream.Range(0, 300), waits, named("read"), slow(10*time.Millisecond))
		run := pipeline.Subscribe(registry.Follow(t.Context()), stream.Observer[int]{})
		time.Sleep(time.Second + time.Millisecond)
		if l := registry.Snapshot()[0].Latencies; l.Count() != 0 || l.Quantile(0.5) != 0 {
			t.Errorf("with nobody watching, %d values were timed, want none", l.Count())
		}
		registry.Time(2 * time.Second)
		time.Sleep(time.Second)
		first := registry.Snapshot()[0].Latencies
		time.Sleep(10 * time.Second)
		second := registry.Snapshot()[0].Latencies.Since(first)
		_ = run.Wait()
		for _, q := range []float64{0, 0.5, 0.99, 1} {
			if d := first.Quantile(q); d < 9*time.Millisecond || d > 11*time.Millisecond {
				t.Errorf("quantile %v of values that take 10 ms: got %v", q, d)
			}
		}
		if share := first.Busy.Seconds() / (first.Busy + first.Idle).Seconds(); share < 0.24 || share > 0.28 {
			t.Errorf("busy 10 ms of each 40: got the share %.3f, want 0.25", share)
		}
		if n := second.Count(); n < 24 || n > 27 {
			t.Errorf("the second of eleven in which values are timed: %d values, want 25", n)
		}
	})
}

// Quick values are sampled, and stand for those between.
func TestLatenciesOfQuickValuesStandForAll(t *testing.T) {
	registry := new(stages.Registry)
	registry.Time(time.Hour)
	const count = 100_000
	if err := named("quick")(stream.Range(0, count)).Run(registry.Follow(t.Context())); err != nil {
		t.Errorf("a run that is watched: got %v, want no error", err)
	}
	s := registry.Snapshot()[0]
	if n := s.Latencies.Count(); s.Values != count || n > count || n < count/3 {
		t.Errorf("%d values were timed as %d, and counted as %d, want all of them counted, and at least a third timed", count, n, s.Values)
	}
}

func TestNamesFromDataAreBounded(t *testing.T) {
	registry := new(stages.Registry)
	ctx := registry.Follow(t.Context())
	for n := range stages.MaxStages + 100 {
		if err := named(fmt.Sprint("user ", n))(stream.Just(n)).Run(ctx); err != nil {
			t.Fatalf("run stage %d: got %v, want no error", n, err)
		}
	}
	all := registry.Snapshot()
	last := all[len(all)-1]
	if len(all) != stages.MaxStages+1 || last.Name != "…" || last.Runs != 100 {
		t.Errorf("got %d stages, the last of them %q with %d runs, want %d, the last of them … with 100", len(all), last.Name, last.Runs, stages.MaxStages+1)
	}
}

func TestSamplesAreTakenOnRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := new(stages.Registry)
		run := slow(100*time.Millisecond)(named("read")(stream.Range(0, 100))).Subscribe(registry.Follow(t.Context()), stream.Observer[int]{})
		defer run.Wait()
		time.Sleep(time.Second + time.Millisecond)
		registry.Time(time.Hour)
		if got := registry.Samples(1, 0); got != nil {
			t.Errorf("nobody asked for samples: got %v, want none", got)
		}
		registry.Sample(1, time.Second, false)
		time.Sleep(500 * time.Millisecond)
		hidden := registry.Samples(1, 0)
		if len(hidden) != 5 || hidden[4].Number != 5 || hidden[4].Text != "" {
			t.Errorf("half a second of samples without contents: got %v, want five without a text", hidden)
		}
		registry.Sample(1, time.Second, true)
		time.Sleep(300 * time.Millisecond)
		if shown := registry.Samples(1, 5); len(shown) != 3 || shown[0].Text != "16" {
			t.Errorf("three tenths of a second with contents: got %v, want 16, 17 and 18", shown)
		}
		time.Sleep(2 * time.Second)
		if got := registry.Samples(1, 0); got != nil {
			t.Errorf("two seconds after the last request: got %v, want none", got)
		}
		if got := registry.Samples(7, 0); got != nil {
			t.Errorf("samples of a stage that does not exist: got %v, want none", got)
		}
	})
}

// Snapshots, timing and samples while runs begin, work and end. The race detector looks.
func TestSnapshotsOfRunsThatComeAndGo(t *testing.T) {
	registry := new(stages.Registry)
	ctx := registry.Follow(t.Context())
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				pipeline := stream.Pipe4(stream.Range(0, 100), named("read"), operators.ObserveOn[int](8),
					operators.MapParallel(2, func(_ context.Context, n int) (int, error) { return n, nil }), named("store"))
				if err := pipeline.Run(ctx); err != nil {
					t.Errorf("a run that is followed: got %v, want no error", err)
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	for running := true; running; {
		select {
		case <-ended:
			running = false
		default:
		}
		registry.Time(time.Second)
		registry.Sample(1, time.Second, true)
		registry.Snapshot()
		registry.Samples(1, 0)
		runtime.Gosched()
	}
	for _, s := range registry.Snapshot() {
		if s.Running != 0 || s.Runs != 200 || s.Completed != 200 || s.Kind == stages.Named && s.Values != 20_000 {
			t.Errorf("after 200 runs: got %+v, want 200 that completed with 20,000 values", s)
		}
	}
}
