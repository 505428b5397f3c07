package operators_test

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"runtime/pprof"
	"strings"
	"testing"

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

// TestNamedWithoutARegistryCallsYieldItself: a name costs a value nothing while nobody follows.
func TestNamedWithoutARegistryCallsYieldItself(t *testing.T) {
	yield := func(int) bool { return true }
	same := func(_ context.Context, given func(int) bool) error {
		if reflect.ValueOf(given).Pointer() != reflect.ValueOf(yield).Pointer() {
			t.Error("the source of a named stage that nobody follows got another yield, want the one of the run")
		}
		return nil
	}
	if err := operators.Named[int]("stage")(same)(t.Context(), yield); err != nil {
		t.Errorf("a run of a named stage: got %v, want no error", err)
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
