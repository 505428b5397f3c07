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

// Options sets the number and length of the rounds.
type Options struct {
	Rounds   int       // at least one
	Quick    bool      // run every work with its QuickN, without a warm-up
	Progress io.Writer // gets a line for each work
}

const (
	// turnTime is the intended longest time of a turn; n is lower for a slower contender.
	turnTime = time.Second / 2

	// turnLimit is the time after which a turn fails.
	turnLimit = 2 * time.Minute
)

// Run measures a suite. It fails when a contender fails.
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

// together returns the number of works that take turns with each other, which are those whose
// rounds are compared.
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

// runWorks runs the contenders of some works in turns.
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
			e := ready[(i+round)%len(ready)] // changes the order each round
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

// startAll starts the contenders of the works, except absent ones, and returns empty results for
// each work. The caller must stop the returned entrants, even after an error.
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

// share sets n of each entrant to what fits into a turn, found by a warm-up of a tenth of a turn.
// For a quick run it sets n to QuickN.
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

// entrant is a started contender.
type entrant struct {
	name    string
	work    Work
	results Results // of the work
	n       int     // repetitions of the work in a turn
	Session
}

// warmUp runs a tenth of n and returns the number of repetitions that fit into a turn, at most n.
func (e *entrant) warmUp(ctx context.Context, n int) (fits int, err error) {
	tenth := max(1, n/10)
	start := time.Now()
	_, err = e.turn(ctx, tenth)
	share := turnTime.Seconds() / time.Since(start).Seconds()
	return max(1, int(min(float64(n), float64(tenth)*share))), err
}

// turn makes one run, after a garbage collection. If a run does not return in time, its goroutine
// is abandoned and the program ends with the error.
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
		return nil, named(e.name, fmt.Errorf("run a turn: it did not end in time: %w", context.Cause(ctx)))
	}
}

// add appends the figures of a run.
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
			return fmt.Errorf("run a turn: it reported no figure %q", m.Name)
		}
		r[name][m.Name] = append(r[name][m.Name], figure)
	}
	return nil
}
