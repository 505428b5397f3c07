package operators_test

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

func init() {
	maps.Copy(contracts, map[string]func(*testing.T){
		"Timestamp": func(t *testing.T) {
			bare := operators.Map(func(v operators.Timestamped[int]) int { return v.Value })
			stamped := func(s stream.Observable[int]) stream.Observable[int] { return bare(operators.Timestamp[int]()(s)) }
			streamtest.CheckOperator(t, stamped, []int{1, 2}, []int{1, 2})
		},
		"TimeInterval": func(t *testing.T) {
			bare := operators.Map(func(v operators.Spaced[int]) int { return v.Value })
			spaced := func(s stream.Observable[int]) stream.Observable[int] { return bare(operators.TimeInterval[int]()(s)) }
			streamtest.CheckOperator(t, spaced, []int{1, 2}, []int{1, 2})
		},
		"Log": func(t *testing.T) {
			logger := slog.New(slog.DiscardHandler)
			streamtest.CheckOperator(t, operators.Log[int](logger, slog.LevelInfo, "numbers"), []int{1, 2}, []int{1, 2})
		},
	})
}

func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		source := concat(after(2*time.Second, "a", "b"), after(3*time.Second, "c"))
		wantRun(t, operators.Timestamp[string]()(source), nil,
			operators.Timestamped[string]{Time: start.Add(2 * time.Second), Value: "a"},
			operators.Timestamped[string]{Time: start.Add(2 * time.Second), Value: "b"},
			operators.Timestamped[string]{Time: start.Add(5 * time.Second), Value: "c"})
		wantRun(t, operators.TimeInterval[string]()(source), nil,
			operators.Spaced[string]{Interval: 2 * time.Second, Value: "a"},
			operators.Spaced[string]{Interval: 0, Value: "b"},
			operators.Spaced[string]{Interval: 3 * time.Second, Value: "c"})
		wantRun(t, operators.TimeInterval[string]()(stream.Throw[string](errBroken)), errBroken)
	})
}

func TestLog(t *testing.T) {
	cancelled, cancel := context.WithCancelCause(t.Context())
	cancel(errOdd)
	for name, c := range map[string]struct {
		level slog.Level
		run   func(stream.Operator[int, int])
		want  []string
	}{
		"completion": {slog.LevelInfo, func(log stream.Operator[int, int]) {
			wantRun(t, log(stream.Just(1, 2)), nil, 1, 2)
		}, []string{"event=next value=1", "event=next value=2", "event=complete"}},
		"failure": {slog.LevelWarn, func(log stream.Operator[int, int]) {
			wantRun(t, log(broken(1)), errBroken, 1)
		}, []string{"event=next value=1", "event=error error=broken"}},
		"no more": {slog.LevelInfo, func(log stream.Operator[int, int]) {
			wantRun(t, operators.Take[int](1)(log(stream.Just(1, 2))), nil, 1)
		}, []string{"event=next value=1", "event=unsubscribe"}},
		"cancellation": {slog.LevelInfo, func(log stream.Operator[int, int]) {
			_ = log(stream.Just(1)).Run(cancelled)
		}, []string{"event=error error=odd"}},
		"too low": {slog.LevelDebug, func(log stream.Operator[int, int]) {
			wantRun(t, log(stream.Just(1, 2)), nil, 1, 2)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var text bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&text, nil))
			c.run(operators.Log[int](logger, c.level, "numbers"))
			lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
			if text.Len() == 0 {
				lines = nil
			}
			if len(lines) != len(c.want) {
				t.Fatalf("logged\n%s", text.String())
			}
			for i, want := range c.want {
				if want = "level=" + c.level.String() + " msg=numbers " + want; !strings.HasSuffix(lines[i], want) {
					t.Errorf("logged %s, want %s", lines[i], want)
				}
			}
		})
	}
}

func TestLogWithoutALoggerUsesTheDefault(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	var text bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&text, nil)))
	wantRun(t, operators.Log[int](nil, slog.LevelInfo, "numbers")(stream.Just(1)), nil, 1)
	if got := strings.Count(text.String(), "\n"); got != 2 {
		t.Errorf("logged %d lines", got)
	}
}
