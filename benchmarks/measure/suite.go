// Package measure compares contenders that do the same work. They run in turns, round after round,
// so that other load of the machine affects all of them. Each is compared with the baseline of the
// same round.
//
// A [Suite] is data: groups of works, and for each work the contenders that do it. [Run] measures
// it and returns a [Report], which can be written as Markdown, JSON or plots.
package measure

import (
	"context"
	"regexp"
	"slices"
)

// Suite is a set of groups that the command measures under one name.
type Suite struct {
	Name   string // its name on the command line
	Title  string
	About  string // Markdown, below the title
	Groups []Group
}

// Only returns the suite with the groups whose title matches, and in these the baselines and the
// contenders whose name matches.
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

// Group is works of one kind. It becomes a table for each metric, with a row for each contender and
// a column for each work. A group of one work becomes one table, with a column for each metric.
type Group struct {
	Title    string
	About    string // Markdown that describes the works and their measurement
	Baseline string // the contender to which ratios refer; empty for no ratios
	Metrics  []Metric
	Works    []Work
	Goals    []Goal
	Axis     string // the quantity that Work.X counts, which adds a plot for each metric; empty for no plots

	// Reference, instead of Baseline, is the work to which ratios refer: each contender is
	// compared with itself. The works then take turns as well, so that compared rounds run
	// close together. All sessions of the group are started together.
	Reference string
}

// Metric is a figure that each run reports.
type Metric struct {
	Name    string // the key in Figures
	Unit    Unit
	Higher  bool // higher is better; otherwise lower is
	NoRatio bool // has no ratio, for example because the baseline may be zero
	Partial bool // some works have no figure for it
}

// Work is a task that several contenders do.
type Work struct {
	Name       string
	X          float64 // its position on the group's axis
	N          int     // repetitions in a run; fewer for a contender that needs more than half a second
	QuickN     int     // repetitions in a quick run
	Whole      bool    // N is part of the work: every contender does all repetitions
	MaxRounds  int     // for slow works; 0 for no limit
	Slow       bool    // omitted in a quick run
	Contenders []Contender
}

// Contender is one way to do a work. Contenders of the same name share a row.
type Contender struct {
	Name string

	// Start prepares the contender; its time is not measured. It is called once for a work,
	// before the first round.
	Start func(ctx context.Context) (Session, error)

	// Absent, instead of Start, is the reason why the contender cannot do the work, shown as a
	// footnote.
	Absent string

	// Note is a footnote to a figure whose meaning differs from that of the others.
	Note string
}

// Session is a contender ready for a work.
type Session struct {
	// Run does the work n times and returns a figure for each metric of the group. It must
	// check the results, and fail if they are wrong.
	Run func(ctx context.Context, n int) (Figures, error)

	// Stop releases the resources of Start. It may be nil.
	Stop func() error
}

// Figures are the results of a run, by the name of the metric.
type Figures map[string]float64

// Goal is a bound for a contender's figure or ratio, shown below its figures. It is an upper bound
// if lower is better, else a lower bound. A figure within half a percent of the bound meets the
// goal, so that the cost of measuring does not decide.
type Goal struct {
	Contender string
	Metric    string
	Work      string
	Ratio     bool
	Bound     float64
}
