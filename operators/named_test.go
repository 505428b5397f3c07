package operators_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

func TestNamed(t *testing.T) {
	named := operators.Named[int]("prices")
	_, err := named(broken(1)).Collect(t.Context())
	if err == nil || err.Error() != "prices: broken" || !errors.Is(err, errBroken) {
		t.Errorf("run a named source that fails: got the error %v, want prices: broken", err)
	}
	_, err = operators.Named[int]("shop")(named(broken(1))).Collect(t.Context())
	failed, ok := errors.AsType[*operators.StageError](err)
	if !ok || failed.Stage != "shop" || err.Error() != "shop: prices: broken" {
		t.Errorf("run a named source in a named stage: got the error %v, want shop: prices: broken of the stage shop", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errOdd)
	if err := named(stream.Never[int]()).Run(ctx); err != errOdd {
		t.Errorf("got %v, want the cause as it is", err)
	}
}

// wantStages fails the test unless the named stages that run now are these.
func wantStages(t *testing.T, want ...operators.Stage) {
	t.Helper()
	if diff := cmp.Diff(want, operators.Stages()); diff != "" {
		t.Errorf("the stages differ (-want +got):\n%s", diff)
	}
}

func TestStagesShowWhereAPipelineIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		wantStages(t, []operators.Stage{}...)
		stuck := operators.Map(func(n int) int {
			if n == 3 {
				time.Sleep(time.Hour)
			}
			return n
		})
		pipeline := stream.Pipe4(stream.Range(0, 5),
			operators.Named[int]("read"), stuck, operators.Filter(even), operators.Named[int]("store"))
		run := pipeline.Subscribe(t.Context(), stream.Observer[int]{})
		time.Sleep(time.Second)
		wantStages(t,
			operators.Stage{Path: "store", Started: start, Values: 2},
			operators.Stage{Path: "store/read", Started: start, Values: 4, Passing: true})
		if line := operators.Stages()[1].String(); line != "store/read: 4 values since 00:00:00, waits for what follows" {
			t.Errorf("print a stage that is passing: got %q, want that it waits for what follows", line)
		}
		if line := operators.Stages()[0].String(); line != "store: 2 values since 00:00:00, waits for its source" {
			t.Errorf("print a stage that is not passing: got %q, want that it waits for its source", line)
		}
		if err := run.Wait(); err != nil {
			t.Errorf("a run of two named stages: got %v, want no error", err)
		}
		if left := operators.Stages(); len(left) != 0 {
			t.Errorf("after the run there are the stages %v, want none", left)
		}
	})
}

// However a run ends, nothing of it is left.
func TestStagesAreOfRunsThatRun(t *testing.T) {
	named := operators.Named[int]("stage")
	for name, run := range map[string]func(){
		"completion": func() { _ = named(stream.Just(1)).Run(t.Context()) },
		"failure":    func() { _ = named(broken(1)).Run(t.Context()) },
		"enough":     func() { _ = named(stream.Just(1, 2)).First(t.Context()) },
		"panic": func() {
			wantPanic(t, errBroken, func() { _ = named(stream.Just(1)).ForEach(t.Context(), func(int) { panic(errBroken) }) })
		},
		"an end of the goroutine": func() {
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_ = named(stream.Just(1)).ForEach(t.Context(), func(int) { runtime.Goexit() })
			}()
			<-ended
		},
	} {
		run()
		if left := operators.Stages(); len(left) != 0 {
			t.Errorf("after a run with %s there are the stages %v, want none", name, left)
		}
	}
}

func TestNamedLabelsGoroutines(t *testing.T) {
	label := func(ctx context.Context) string {
		value, _ := pprof.Label(ctx, "stream")
		return value
	}
	labelled := func() string { // those that goroutines have now
		var profile bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
			t.Errorf("writing the goroutine profile: got %v, want no error", err)
		}
		return profile.String()
	}
	const inner = `labels: {"stream":"store/read"}`
	source := func(ctx context.Context, yield func(int) bool) error {
		if got := label(ctx); got != "store/read" {
			t.Errorf("the context says %q", got)
		}
		_ = yield(1)
		return nil
	}
	named := operators.Named[int]
	pipeline := named("store")(operators.Merge(named("read")(source)))
	err := pipeline.ForEach(t.Context(), func(int) {
		// The producer may have ended by now; the caller is here, within both.
		if !strings.Contains(labelled(), `labels: {"stream":"store"}`) {
			t.Errorf("the caller's goroutine has no label:\n%s", labelled())
		}
	})
	if err != nil {
		t.Errorf("a run of nested named stages: got %v, want no error", err)
	}
	held := named("read")(func(ctx context.Context, yield func(int) bool) error {
		if !strings.Contains(labelled(), inner) {
			t.Errorf("the producer has no label:\n%s", labelled())
		}
		return nil
	})
	if err := named("store")(operators.Merge(held)).Run(t.Context()); err != nil {
		t.Errorf("a run of a named stage in a Merge: got %v, want no error", err)
	}
	// A producer that has ended may be in the profile for a moment, so look at this goroutine alone.
	for goroutine := range strings.SplitSeq(labelled(), "\n\n") {
		if strings.Contains(goroutine, t.Name()) && strings.Contains(goroutine, `labels: {"stream"`) {
			t.Errorf("after the runs this goroutine has a label:\n%s", goroutine)
		}
	}
}
