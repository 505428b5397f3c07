package measure

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestSummaryIsMedianAndQuartiles(t *testing.T) {
	for _, c := range []struct {
		samples []float64
		want    Summary
	}{
		{[]float64{7}, Summary{7, 7, 7}},
		{[]float64{3, 1}, Summary{2, 1.5, 2.5}},
		{[]float64{5, 1, 4, 2, 3}, Summary{3, 2, 4}},
		{[]float64{1, 1, 1, 1000}, Summary{1, 1, 250.75}},
	} {
		given := slices.Clone(c.samples)
		if got := Summarize(c.samples); got != c.want {
			t.Errorf("Summarize(%v): got %v, want %v", given, got, c.want)
		}
		if !slices.Equal(given, c.samples) {
			t.Errorf("Summarize changed %v to %v", given, c.samples)
		}
	}
}

func TestPercentile(t *testing.T) {
	samples := make([]float64, 101)
	for i := range samples {
		samples[i] = float64(100 - i)
	}
	for _, share := range []float64{0, 0.5, 0.99, 1} {
		if got := Percentile(samples, share); got != share*100 {
			t.Errorf("Percentile of 0 to 100 at %v: got %v, want %v", share, got, share*100)
		}
	}
}

// fixed returns a contender whose rounds report the given figures.
func fixed(name string, figures ...float64) Contender {
	return Contender{Name: name, Start: func(context.Context) (Session, error) {
		turn := -1 // -1 is the warm-up
		return Session{Run: func(context.Context, int) (Figures, error) {
			turn++
			return Figures{"time": figures[max(turn-1, 0)]}, nil
		}}, nil
	}}
}

func measured(t *testing.T) Report {
	t.Helper()
	suite := Suite{Name: "suite", Title: "The suite", Groups: []Group{{
		Title:    "Group",
		Baseline: "bare",
		Metrics:  []Metric{{Name: "time", Unit: Seconds}},
		Axis:     "things",
		Works: []Work{
			{Name: "small", X: 1, N: 1, Contenders: []Contender{
				fixed("bare", 1e-6, 10e-6, 2e-6), fixed("ours", 2e-6, 20e-6, 2e-6), {Name: "other", Absent: "It cannot."}}},
			{Name: "large", X: 1000, N: 1, Contenders: []Contender{
				fixed("bare", 1e-3, 1e-3, 1e-3), fixed("ours", 2e-3, 3e-3, 1e-3)}},
		},
		Goals: []Goal{
			{Contender: "ours", Metric: "time", Work: "small", Ratio: true, Bound: 2},
			{Contender: "ours", Metric: "time", Work: "large", Bound: 1e-3},
		},
	}}}
	report, err := Run(t.Context(), suite, Options{Rounds: 3, Progress: io.Discard})
	if err != nil {
		t.Fatalf("run the suite: %v", err)
	}
	return report
}

// The ratio is the median of the ratios of each round, and not the ratio of the medians, which is 1.
func TestRatiosAreOfTheSameRound(t *testing.T) {
	cell, ok := measured(t).Groups[0].Cell("ours", 0, "time")
	if want := (Summary{2, 1.5, 2}); !ok || !cell.Related || cell.Ratio != want {
		t.Errorf("Cell of ours: got %+v, want the ratios %v", cell, want)
	}
	if cell.Figure.Median != 2e-6 {
		t.Errorf("Cell of ours: got the median %v, want 2e-6", cell.Figure.Median)
	}
}

func TestGoalsHaveHalfAPercentOfSlack(t *testing.T) {
	for figure, met := range map[float64]bool{1.0035: true, 1.006: false, 0.2: true} {
		m := Measured{
			Group:   Group{Metrics: []Metric{{Name: "allocations"}}, Works: []Work{{Name: "work"}}},
			Results: []Results{{"ours": {"allocations": {figure}}}},
		}
		got, ok := m.Met(Goal{Contender: "ours", Metric: "allocations", Work: "work", Bound: 1})
		if !ok || got != met {
			t.Errorf("Met of the goal 1 with the figure %v: got %v, %v, want %v", figure, got, ok, met)
		}
	}
}

func TestCellHasNoRatioForAMetricWithoutRatios(t *testing.T) {
	m := Measured{
		Group:   Group{Baseline: "bare", Metrics: []Metric{{Name: "allocations", NoRatio: true}}, Works: []Work{{}}},
		Results: []Results{{"ours": {"allocations": {1}}, "bare": {"allocations": {0.001}}}},
	}
	if cell, ok := m.Cell("ours", 0, "allocations"); !ok || cell.Related {
		t.Errorf("Cell of a metric with NoRatio: got %+v, %v, want one without a ratio", cell, ok)
	}
}

func TestMarkdown(t *testing.T) {
	var got strings.Builder
	if err := WriteMarkdown(&got, measured(t), func(Measured, Metric) string { return "file.svg" }); err != nil {
		t.Fatalf("write Markdown: %v", err)
	}
	want := `## The suite

### Group

| time | small | large |
| --- | ---: | ---: |
| bare | 2.00 µs | 1.00 ms |
| ours | 2.00 µs ×2.00 (1.50–2.00) | 2.00 ms ×2.00 (1.50–2.50) |
| *goal* | ≤ ×2 met | ≤ 1.00 ms **missed** |
| other | –¹ | – |

¹ It cannot.

![Group: time](file.svg)

`
	if got.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &got, want)
	}
}

func TestJSONHoldsEverySample(t *testing.T) {
	var out bytes.Buffer
	if err := WriteJSON(&out, Here(3), []Report{measured(t)}); err != nil {
		t.Fatalf("write JSON: %v", err)
	}
	var got struct {
		Figures []struct {
			Contender, Work string
			Samples         []float64
			Goals           []struct{ Met bool }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("decode the JSON: %v", err)
	}
	if len(got.Figures) != 4 {
		t.Fatalf("decode the JSON: got %d figures, want 4", len(got.Figures))
	}
	ours := got.Figures[1]
	if ours.Contender != "ours" || !slices.Equal(ours.Samples, []float64{2e-6, 20e-6, 2e-6}) || !ours.Goals[0].Met {
		t.Errorf("decode the JSON: got %+v, want the samples of ours and a met goal", ours)
	}
}

func TestPlotIsXML(t *testing.T) {
	report := measured(t)
	var out bytes.Buffer
	if err := WritePlot(&out, report.Groups[0], report.Groups[0].Metrics[0]); err != nil {
		t.Fatalf("write a plot: %v", err)
	}
	circles := 0
	for decoder := xml.NewDecoder(&out); ; {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("decode the plot: %v", err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "circle" {
			circles++
		}
	}
	if circles != 4 {
		t.Errorf("plot 4 figures: got %d circles, want 4", circles)
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		unit   Unit
		figure float64
		want   string
	}{
		{Seconds, 26.14e-6, "26.1 µs"}, {Seconds, 0.74e-9, "0.74 ns"}, {Seconds, 2, "2.00 s"},
		{PerSecond, 8e6, "8.00 M/s"}, {PerSecond, 41_200, "41.2 k/s"}, {PerSecond, 12, "12.0 /s"},
		{Bytes, 4096, "4.00 KiB"}, {Bytes, 100, "100 B"}, {Count, 1, "1.00"}, {Count, 10000, "10000"}, {Count, 0.001, "0"},
	} {
		if got := c.unit.Format(c.figure); got != c.want {
			t.Errorf("Format of %v in the unit %v: got %q, want %q", c.figure, c.unit, got, c.want)
		}
	}
}

func TestRunFailsWithAContender(t *testing.T) {
	broken := errors.New("broken")
	stopped := false
	suite := Suite{Groups: []Group{{Works: []Work{{N: 1, Contenders: []Contender{{Name: "ours",
		Start: func(context.Context) (Session, error) {
			return Session{
				Run:  func(context.Context, int) (Figures, error) { return nil, broken },
				Stop: func() error { stopped = true; return nil },
			}, nil
		}}}}}}}}
	if _, err := Run(t.Context(), suite, Options{Rounds: 1, Progress: io.Discard}); !errors.Is(err, broken) {
		t.Errorf("run a contender that fails: got %v, want %v", err, broken)
	}
	if !stopped {
		t.Error("run a contender that fails: it was not stopped")
	}
}

func TestRunFailsWithoutAFigure(t *testing.T) {
	suite := Suite{Groups: []Group{{Metrics: []Metric{{Name: "other"}}, Works: []Work{{N: 1, Contenders: []Contender{fixed("ours", 1)}}}}}}
	if _, err := Run(t.Context(), suite, Options{Rounds: 1, Progress: io.Discard}); err == nil {
		t.Error("run a contender without a figure for a metric: got no error, want one")
	}
}

func TestTimedCountsAllocations(t *testing.T) {
	var kept []*[64]byte
	session, err := Timed("allocates", func(_ context.Context, n int) error {
		for range n {
			kept = append(kept[:0], new([64]byte))
		}
		return nil
	}).Start(t.Context())
	if err != nil {
		t.Fatalf("start a timed contender: %v", err)
	}
	figures, err := session.Run(t.Context(), 1000)
	if err != nil || figures[Allocations] < 1 || figures[Allocations] > 1.5 || figures[Time] <= 0 {
		t.Errorf("run a work with one allocation: got %v, %v, want about 1 allocation", figures, err)
	}
}

// referred returns a suite whose ratios are to the work "none".
func referred() Suite {
	return Suite{Title: "The suite", Groups: []Group{{
		Title:     "Group",
		Reference: "none",
		Metrics:   []Metric{{Name: "time", Unit: Seconds}, {Name: "memory", Unit: Bytes, Partial: true}},
		Axis:      "things",
		Works: []Work{
			{Name: "none", X: 0, N: 1, Contenders: []Contender{fixed("bare", 1e-6, 2e-6), fixed("ours", 2e-6, 4e-6)}},
			{Name: "many", X: 1000, N: 1, Slow: true, Contenders: []Contender{fixed("bare", 1e-6, 4e-6), fixed("ours", 6e-6, 8e-6)}},
		},
		Goals: []Goal{{Contender: "ours", Metric: "time", Work: "many", Ratio: true, Bound: 2}},
	}}}
}

func TestRatiosToAReferenceAreOfTheSameContender(t *testing.T) {
	report, err := Run(t.Context(), referred(), Options{Rounds: 2, Progress: io.Discard})
	if err != nil {
		t.Fatalf("run the suite: %v", err)
	}
	var got strings.Builder
	if err := WriteMarkdown(&got, report, func(Measured, Metric) string { return "" }); err != nil {
		t.Fatalf("write Markdown: %v", err)
	}
	want := `## The suite

### Group

| time | none | many |
| --- | ---: | ---: |
| bare | 1.50 µs | 2.50 µs ×1.50 (1.25–1.75) |
| ours | 3.00 µs | 7.00 µs ×2.50 (2.25–2.75) |
| *goal* |  | ≤ ×2 **missed** |

| memory | none | many |
| --- | ---: | ---: |
| bare | – | – |
| ours | – | – |

`
	if got.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &got, want)
	}
}

// Rounds that are compared with each other run one after the other.
func TestWorksTakeTurnsWithTheirReference(t *testing.T) {
	var turns []string
	suite := referred()
	group := &suite.Groups[0]
	for i := range group.Works {
		name := group.Works[i].Name
		group.Works[i].Contenders = []Contender{{Name: "ours", Start: func(context.Context) (Session, error) {
			return Session{Run: func(context.Context, int) (Figures, error) {
				turns = append(turns, name)
				return Figures{"time": 1}, nil
			}}, nil
		}}}
	}
	for reference, want := range map[string]string{
		"none": "none many  none many  many none", // a warm-up of each, and two rounds
		"":     "none  none none  many  many many",
	} {
		turns, group.Reference = nil, reference
		if _, err := Run(t.Context(), suite, Options{Rounds: 2, Progress: io.Discard}); err != nil {
			t.Fatalf("run the suite: %v", err)
		}
		if !slices.Equal(turns, strings.Fields(want)) {
			t.Errorf("run with the reference %q: got the turns %v, want %v", reference, turns, want)
		}
	}
}

func TestQuickRunOmitsSlowWorks(t *testing.T) {
	suite := referred()
	report, err := Run(t.Context(), suite, Options{Rounds: 1, Quick: true, Progress: io.Discard})
	if err != nil {
		t.Fatalf("run the suite: %v", err)
	}
	if got := report.Groups[0]; len(got.Works) != 1 || got.Works[0].Name != "none" || len(got.Results) != 1 {
		t.Errorf("quick run: got %+v, want the work none alone", got)
	}
	if len(suite.Groups[0].Works) != 2 {
		t.Errorf("quick run: the suite has %d works, want 2 as before", len(suite.Groups[0].Works))
	}
}

func TestPlotPlacesZeroOnALogarithmicAxis(t *testing.T) {
	xs, ys := scales([]curve{{points: []point{{0, 1e-5}, {100, -1}, {10_000, 3e-4}}}}, Seconds)
	if got, want := xs.ticks(), []float64{0, 100, 1000, 10_000}; !slices.Equal(got, want) {
		t.Errorf("ticks of the X axis: got %v, want %v", got, want)
	}
	for x, want := range map[float64]float64{0: 0, 100: 1. / 3, 10_000: 1} {
		if got := xs.place(x); got != want {
			t.Errorf("place of X %v: got %v, want %v", x, got, want)
		}
	}
	for y, want := range map[float64]float64{-1: 0, 1e-5: 1. / 3, 1e-3: 1} {
		if got := ys.place(y); math.Abs(got-want) > 1e-9 {
			t.Errorf("place of Y %v: got %v, want %v", y, got, want)
		}
	}
}

func TestTicksAreRound(t *testing.T) {
	for _, c := range []struct {
		unit      Unit
		low, high float64
		want      string
	}{
		{Seconds, 2e-5, 4e-5, "0 ns, 10 µs, 20 µs, 30 µs, 40 µs"},
		{Seconds, 2e-5, 4e-4, "10 µs, 100 µs, 1 ms"},
		{Bytes, 6 << 10, 28 << 10, "0 B, 5 KiB, 10 KiB, 15 KiB, 20 KiB, 25 KiB, 30 KiB"},
		{Bytes, 2 << 20, 60 << 20, "1 MiB, 10 MiB, 100 MiB"},
		{Count, 0, 0, "0, 0.2, 0.4, 0.6, 0.8, 1"},
	} {
		_, ys := scales([]curve{{points: []point{{1, c.low}, {1000, c.high}}}}, c.unit)
		var texts []string
		for _, tick := range ys.ticks() {
			texts = append(texts, tickText(c.unit, tick))
		}
		if got := strings.Join(texts, ", "); got != c.want {
			t.Errorf("ticks from %v to %v: got %s, want %s", c.low, c.high, got, c.want)
		}
	}
}

func TestOnlySelectsMatchingGroupsAndContenders(t *testing.T) {
	contenders := []Contender{{Name: "bare"}, {Name: "ours"}, {Name: "theirs"}}
	goals := []Goal{{Contender: "ours"}, {Contender: "theirs"}}
	group := func(title string) Group {
		return Group{Title: title, Baseline: "bare", Works: []Work{{Contenders: contenders}}, Goals: goals}
	}
	suite := Suite{Groups: []Group{group("requests"), group("memory")}}
	only := suite.Only(regexp.MustCompile("^req"), regexp.MustCompile("ours|nobody"))
	if len(only.Groups) != 1 || only.Groups[0].Title != "requests" {
		t.Fatalf("Only with the title ^req: got the groups %v, want requests", only.Groups)
	}
	var names []string
	for _, c := range only.Groups[0].Works[0].Contenders {
		names = append(names, c.Name)
	}
	if !slices.Equal(names, []string{"bare", "ours"}) || len(only.Groups[0].Goals) != 1 {
		t.Errorf("Only with the name ours|nobody: got %v with the goals %v, want bare and ours with one goal", names, only.Groups[0].Goals)
	}
	if len(suite.Groups) != 2 || len(suite.Groups[0].Works[0].Contenders) != 3 || len(suite.Groups[0].Goals) != 2 {
		t.Error("Only: the suite itself has changed, want a copy")
	}
}
