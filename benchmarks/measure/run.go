package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Options says how thoroughly to measure.
type Options struct {
	Rounds   int       // at least one
	Quick    bool      // every work with its QuickN, and nobody warms up
	Progress io.Writer // gets a line for each work
}

const (
	// turnTime is how long a turn should take at most; who needs longer gets less to do.
	turnTime = time.Second / 2

	// turnLimit is when a turn that has not ended is given up.
	turnLimit = 2 * time.Minute
)

// Run measures all of a suite. It fails when a contender does.
func Run(ctx context.Context, suite Suite, options Options) (Report, error) {
	report := Report{Name: suite.Name, Title: suite.Title, About: suite.About}
	for _, group := range suite.Groups {
		if options.Quick {
			group.Works = slices.DeleteFunc(slices.Clone(group.Works), func(w Work) bool { return w.Slow })
		}
		measured := Measured{Group: group}
		for works := range slices.Chunk(group.Works, group.together()) {
			title := fmt.Sprintf("%s: %s: %s", suite.Name, group.Title, names(works))
			fmt.Fprintln(options.Progress, title)
			results, err := runWorks(ctx, group.Metrics, works, options)
			if err != nil {
				return Report{}, fmt.Errorf("%s: %w", title, err)
			}
			measured.Results = append(measured.Results, results...)
		}
		report.Groups = append(report.Groups, measured)
	}
	return report, nil
}

// together is how many works take turns with each other: all of which the rounds are
// compared.
func (g Group) together() int {
	if g.Reference == "" {
		return 1
	}
	return max(1, len(g.Works))
}

func names(works []Work) string {
	list := make([]string, len(works))
	for i, work := range works {
		list[i] = work.Name
	}
	return strings.Join(list, ", ")
}

// runWorks lets the contenders of some works take their turns.
func runWorks(ctx context.Context, metrics []Metric, works []Work, options Options) (results []Results, err error) {
	ready, results, err := startAll(ctx, works)
	defer func() { err = errors.Join(err, stopAll(ready)) }()
	if err == nil {
		err = share(ctx, ready, options.Quick)
	}
	if err != nil {
		return nil, err
	}
	for round := range options.Rounds {
		for i := range ready {
			e := ready[(i+round)%len(ready)] // nobody is always the one after
			if e.work.MaxRounds > 0 && round >= e.work.MaxRounds {
				continue
			}
			figures, err := e.turn(ctx, e.n)
			if err == nil {
				err = named(e.name, e.results.add(e.name, metrics, figures))
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return results, nil
}

// startAll starts those that can do the works, and makes room for the results of each
// work; also when it fails, those it returns are to be stopped.
func startAll(ctx context.Context, works []Work) (ready []*entrant, results []Results, err error) {
	for _, work := range works {
		all := Results{}
		results = append(results, all)
		for _, c := range work.Contenders {
			if c.Start == nil {
				continue
			}
			session, err := c.Start(ctx)
			if err != nil {
				return ready, nil, named(c.Name, err)
			}
			ready = append(ready, &entrant{name: c.Name, work: work, results: all, Session: session})
		}
	}
	return ready, results, nil
}

func stopAll(ready []*entrant) (err error) {
	for _, e := range ready {
		if e.Stop != nil {
			err = errors.Join(err, named(e.name, e.Stop()))
		}
	}
	return err
}

// share gives everybody as much to do as fits into a turn, after a tenth to warm up;
// for a quick look, everybody the little there is.
func share(ctx context.Context, ready []*entrant, quick bool) error {
	for _, e := range ready {
		if quick {
			e.n = e.work.QuickN
			continue
		}
		fits, err := e.warmUp(ctx, e.work.N)
		if err != nil {
			return err
		}
		if e.n = e.work.N; !e.work.Whole {
			e.n = fits
		}
	}
	return nil
}

func named(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// entrant is a contender that has started.
type entrant struct {
	name    string
	work    Work
	results Results // of the work
	n       int     // how often it does the work in a turn
	Session
}

// warmUp does a tenth of a turn and finds how much fits into one, n at most.
func (e *entrant) warmUp(ctx context.Context, n int) (fits int, err error) {
	tenth := max(1, n/10)
	start := time.Now()
	_, err = e.turn(ctx, tenth)
	share := turnTime.Seconds() / time.Since(start).Seconds()
	return max(1, int(min(float64(n), float64(tenth)*share))), err
}

// turn is one run, with the garbage of others out of the way. A run that never
// returns is left behind: the program ends with the error.
func (e *entrant) turn(ctx context.Context, n int) (Figures, error) {
	runtime.GC()
	ctx, cancel := context.WithTimeout(ctx, turnLimit)
	defer cancel()
	type outcome struct {
		figures Figures
		err     error
	}
	ended := make(chan outcome, 1)
	go func() {
		figures, err := e.Run(ctx, n)
		ended <- outcome{figures, named(e.name, err)}
	}()
	select {
	case o := <-ended:
		return o.figures, o.err
	case <-ctx.Done():
		return nil, named(e.name, fmt.Errorf("the turn did not end: %w", context.Cause(ctx)))
	}
}

// add appends what a run reported.
func (r Results) add(name string, metrics []Metric, figures Figures) error {
	if r[name] == nil {
		r[name] = map[string][]float64{}
	}
	for _, m := range metrics {
		figure, ok := figures[m.Name]
		if !ok && m.Partial {
			continue
		}
		if !ok || math.IsNaN(figure) || math.IsInf(figure, 0) {
			return fmt.Errorf("no figure for %q", m.Name)
		}
		r[name][m.Name] = append(r[name][m.Name], figure)
	}
	return nil
}
