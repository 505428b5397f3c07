// Package measure compares contenders that do the same work: by turns, round after
// round, so that what else the machine does meets all of them, and each beside the
// baseline of the same round.
//
// A [Suite] is data: groups of works, and for each work the contenders that do it.
// [Run] measures it and gives a [Report], which is written as Markdown, as JSON, or
// drawn.
package measure

import (
	"context"
	"regexp"
	"slices"
)

// Suite is what the command measures under one name.
type Suite struct {
	Name   string // what the command line calls it
	Title  string
	About  string // Markdown, below the title
	Groups []Group
}

// Only is the suite without the groups whose title does not match, and without the
// contenders whose name does not, but for the baselines.
func (s Suite) Only(title, name *regexp.Regexp) Suite {
	groups := s.Groups
	s.Groups = nil
	for _, g := range groups {
		if !title.MatchString(g.Title) {
			continue
		}
		left := func(contender string) bool { return contender != g.Baseline && !name.MatchString(contender) }
		g.Works = slices.Clone(g.Works)
		for i := range g.Works {
			contenders := slices.Clone(g.Works[i].Contenders)
			g.Works[i].Contenders = slices.DeleteFunc(contenders, func(c Contender) bool { return left(c.Name) })
		}
		g.Goals = slices.DeleteFunc(slices.Clone(g.Goals), func(goal Goal) bool { return left(goal.Contender) })
		s.Groups = append(s.Groups, g)
	}
	return s
}

// Group is works of one kind. It becomes a table for each metric, a contender a row
// and a work a column; a group of one work becomes one table, a metric a column.
type Group struct {
	Title    string
	About    string // Markdown: what is done, and how it is measured
	Baseline string // the contender that ratios are to; empty: no ratios
	Metrics  []Metric
	Works    []Work
	Goals    []Goal
	Axis     string // what Work.X counts; draws a plot for each metric, empty: none

	// Reference, instead of Baseline, is the work that ratios are to: each contender's
	// to its own figures there. The works then take turns, too, so that their rounds
	// are of the same time; all sessions of the group are started together.
	Reference string
}

// Metric is one figure that each run reports.
type Metric struct {
	Name    string // the key in Figures
	Unit    Unit
	Higher  bool // is better; else lower is
	NoRatio bool // to the baseline: it says nothing, such as one to no allocations
	Partial bool // some works have no figure for it
}

// Work is something that several contenders do.
type Work struct {
	Name       string
	X          float64 // its place on the group's axis
	N          int     // how often a run does it; who takes over half a second does it less often
	QuickN     int     // the same for a quick look
	Whole      bool    // N is what is measured: everybody does all of it
	MaxRounds  int     // for what takes long; 0: as many as asked
	Slow       bool    // a quick look leaves it out
	Contenders []Contender
}

// Contender is one way to do a work. Contenders of the same name share a row.
type Contender struct {
	Name string

	// Start prepares what is not measured. It is called once for a work, before all
	// rounds of all contenders.
	Start func(ctx context.Context) (Session, error)

	// Absent, instead of Start, says why this one cannot do the work: a footnote.
	Absent string

	// Note is a footnote to a figure that means something else than the others.
	Note string
}

// Session is a contender ready for a work.
type Session struct {
	// Run does the work n times and reports a figure for each metric of the group.
	// What came out must have been checked: a run that went wrong fails.
	Run func(ctx context.Context, n int) (Figures, error)

	// Stop ends what Start started; nil for nothing.
	Stop func() error
}

// Figures is what a run reports, by the name of the metric.
type Figures map[string]float64

// Goal is what a contender aims at, shown beside its figures. It bounds the figure
// or its ratio: from above where lower is better, else from below, and is
// met within half a percent: what measuring itself costs does not decide.
type Goal struct {
	Contender string
	Metric    string
	Work      string
	Ratio     bool
	Bound     float64
}
