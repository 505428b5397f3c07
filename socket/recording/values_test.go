package recording_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/recording"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// runs records runs in virtual time.
func runs(t *testing.T, run func(t *testing.T, w *recording.Writer)) recording.Recording {
	t.Helper()
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) { run(t, recording.NewWriter(&out, recording.Config{})) })
	return read(t, out.String())
}

// An observable is recorded, played in virtual time, and drawn.
func ExampleObserve() {
	var file strings.Builder
	writer := recording.NewWriter(&file, recording.Config{})
	prices := stream.FromSlice([]int{17, 19, 17})
	stream.Pipe1(prices, recording.Values[int](writer, "prices")).Run(context.Background())

	r, _ := recording.Read(strings.NewReader(file.String()))
	streamtest.Run(new(testing.T), func(b *streamtest.Bench) {
		diagram, names, _ := streamtest.Draw(b, recording.Observe[int](r, 1))
		fmt.Println(diagram, names)
	})
	// Output: (aba|) map[97:17 98:19]
}

func TestValuesRecordsARunThatObservePlays(t *testing.T) {
	r := runs(t, func(t *testing.T, w *recording.Writer) {
		ticks := stream.Pipe2(stream.Interval(time.Second), operators.Take[int](3), recording.Values[int](w, "ticks"))
		if got, err := ticks.Collect(t.Context()); !slices.Equal(got, []int{0, 1, 2}) || err != nil {
			t.Errorf("run an observable that is recorded: got %v, %v, want 0, 1, 2", got, err)
		}
	})
	if first := r.Entries[0]; first.Kind != recording.Subscribed || first.Name != "ticks" {
		t.Errorf("record an observable: got %v of %q first, want its beginning and name", first, first.Name)
	}
	streamtest.Run(t, func(b *streamtest.Bench) {
		streamtest.Expect(b, recording.Observe[int](r, 1), "1s 0 999ms 1 999ms (2|)")
	})
}

func TestValuesRecordsHowRunsEnd(t *testing.T) {
	broken := errors.New("broken")
	r := runs(t, func(t *testing.T, w *recording.Writer) {
		record := recording.Values[string](w, "")
		record(stream.Just("a")).Run(t.Context())
		record(stream.Throw[string](broken)).Run(t.Context())
		record(stream.Just("b"))(t.Context(), func(string) bool { return false })
	})
	var got []string
	for _, e := range r.Entries {
		got = append(got, fmt.Sprintf("%d %v", e.Connection, e))
	}
	want := []string{`1 subscribed`, `1 value "\"a\""`, `1 completed`, `2 subscribed`, `2 failed "broken"`, `3 subscribed`, `3 value "\"b\""`, `3 left`}
	if !slices.Equal(got, want) {
		t.Errorf("record three runs: got %q, want %q", got, want)
	}
	if _, err := recording.Observe[string](r, 2).Collect(t.Context()); !errors.Is(err, recording.ErrRecorded) || !strings.Contains(err.Error(), "broken") {
		t.Errorf("play a run that failed: got %v, want ErrRecorded with its text", err)
	}
	if _, err := recording.Observe[string](r, 4).Collect(t.Context()); !errors.Is(err, recording.ErrFormat) {
		t.Errorf("play a run that is not there: got %v, want ErrFormat", err)
	}
	if _, err := recording.Observe[int](r, 1).Collect(t.Context()); !errors.Is(err, recording.ErrFormat) {
		t.Errorf("play texts as numbers: got %v, want ErrFormat", err)
	}
}

func TestValuesWithoutJSONEndTheRecordingOnly(t *testing.T) {
	w := recording.NewWriter(new(bytes.Buffer), recording.Config{})
	got, err := recording.Values[func()](w, "")(stream.Just(func() {})).Collect(t.Context())
	if len(got) != 1 || err != nil || w.Err() == nil {
		t.Errorf("record a function: got %d values, %v, and Err %v, want the value, and an error of the recording", len(got), err, w.Err())
	}
}

func TestObserveDoesNotPlayWhatWasCut(t *testing.T) {
	r := read(t, "{\"recording\":1}\n"+`{"ms":1,"connection":1,"kind":"subscribed"}`+"\n"+`{"ms":1,"connection":1,"kind":"value","missing":3}`)
	if _, err := recording.Observe[int](r, 1).Collect(t.Context()); !errors.Is(err, recording.ErrCut) {
		t.Errorf("play a value that was cut: got %v, want ErrCut", err)
	}
}

func TestValuesKeepsTheContract(t *testing.T) {
	w := recording.NewWriter(new(bytes.Buffer), recording.Config{})
	streamtest.CheckOperator(t, recording.Values[int](w, ""), []int{1, 2, 3}, []int{1, 2, 3})
}

func TestObserveKeepsTheContract(t *testing.T) {
	r := runs(t, func(t *testing.T, w *recording.Writer) {
		stream.Pipe2(stream.Interval(time.Second), operators.Take[int](3), recording.Values[int](w, "")).Run(t.Context())
	})
	streamtest.Check(t, recording.Observe[int](r, 1), []int{0, 1, 2})
}
