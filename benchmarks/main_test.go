package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/benchmarks/measure"
)

func TestChooseSelectsSuitesByName(t *testing.T) {
	names := func(chosen []measure.Suite) string {
		var list []string
		for _, suite := range chosen {
			list = append(list, suite.Name)
		}
		return strings.Join(list, " ")
	}
	for _, c := range []struct {
		args  []string
		write bool
		want  []string
	}{
		{args: []string{"growth"}, want: []string{"growth"}},
		{args: []string{"growth", "sockets"}, want: []string{"sockets", "growth"}},
		{want: listed(func(usual bool) bool { return usual })},
		{write: true, want: listed(func(bool) bool { return true })},
	} {
		chosen, err := choose(c.args, c.write)
		if got := names(chosen); err != nil || got != strings.Join(c.want, " ") {
			t.Errorf("choose(%q, %v): got %q, %v, want %q", c.args, c.write, got, err, c.want)
		}
	}
	if _, err := choose([]string{"nothing"}, false); err == nil {
		t.Error("choose an unknown suite: got no error, want one")
	}
}

func listed(wanted func(usual bool) bool) (names []string) {
	for _, s := range suites {
		if wanted(s.usual) {
			names = append(names, s.name)
		}
	}
	return names
}

// Publish writes every plot that the document shows.
func TestPublishWritesEveryPlot(t *testing.T) {
	t.Chdir(t.TempDir())
	group := measure.Group{Title: "With more things", Axis: "things", Metrics: measure.TimedMetrics(),
		Works: []measure.Work{{X: 1, N: 1, Contenders: []measure.Contender{measure.Timed("ours", nothing)}}}}
	report, err := measure.Run(t.Context(), measure.Suite{Title: "Suite", Groups: []measure.Group{group}},
		measure.Options{Rounds: 1, Progress: io.Discard})
	if err != nil {
		t.Fatalf("measure a suite: %v", err)
	}
	if err := publish(measure.Here(1), []measure.Report{report}, true, "all.json"); err != nil {
		t.Fatalf("publish a report: %v", err)
	}
	text, err := os.ReadFile("RESULTS.md")
	if err != nil {
		t.Fatalf("read the document: %v", err)
	}
	plots, err := filepath.Glob("plots/*.svg")
	if err != nil || len(plots) != len(group.Metrics) {
		t.Fatalf("list the plots: got %q, %v, want %d", plots, err, len(group.Metrics))
	}
	for _, plot := range plots {
		if !strings.Contains(string(text), "("+plot+")") {
			t.Errorf("read RESULTS.md: got no link to %s, want one", plot)
		}
	}
	if _, err := os.Stat("all.json"); err != nil {
		t.Errorf("look for all.json: %v", err)
	}
}

func nothing(context.Context, int) error { return nil }
