package operators

import (
	"cmp"
	"context"
	"fmt"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// Named gives the source a name, so that a pipeline says where it failed and where it is
// stuck. A failure of the source becomes a [*StageError]. The cause of the end of the run's
// own context, and a panic, stay as they are. While the stage runs it is one of [Stages].
// In the profiles of runtime/pprof, the goroutine of the run has the label "stream" with the
// path of the stage. Goroutines that it starts inherit the label.
//
// A value costs two atomic stores, about 10 ns, and a run 200 ns.
func Named[T any](name string) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Named", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			path := name
			if outer, ok := pprof.Label(ctx, stageLabel); ok {
				path = outer + "/" + name
			}
			s := stages.enter(path, ctx)
			defer stages.leave(s)
			defer pprof.SetGoroutineLabels(ctx)
			labelled := pprof.WithLabels(stream.WithDrops(ctx, &s.drops), pprof.Labels(stageLabel, path))
			pprof.SetGoroutineLabels(labelled)
			steps := uint64(0)
			err := source(labelled, func(v T) bool {
				s.steps.Store(steps + 1)
				wanted := yield(v)
				steps += 2
				s.steps.Store(steps)
				return wanted
			})
			if err == nil || ctx.Err() != nil {
				return err
			}
			return &StageError{name, err}
		}
	}
}

// stageLabel is the key of the profiler's label.
const stageLabel = "stream"

// StageError is the failure of a source that has a name; see [Named].
type StageError struct {
	Stage string // its name
	Err   error  // what it failed with
}

// Error gives the name and what went wrong.
func (e *StageError) Error() string { return e.Stage + ": " + e.Err.Error() }

// Unwrap returns the failure as it was.
func (e *StageError) Unwrap() error { return e.Err }

// Stage is what there is to see of a run of [Named].
type Stage struct {
	// Path is its name after those of the named stages that run it, as in
	// "store/parse/read": a pipeline is run from its end, so what comes later in it
	// comes earlier here.
	Path string

	Started time.Time // when this run of it began
	Values  int       // how many values the source has emitted
	Dropped int       // how many were dropped on the way there: see [stream.Drops]
	Skipped int       // how many were skipped on the way there, being bad or late

	// Passing says that yield has not returned from the last value: the following stage is at
	// work or stuck. Otherwise the source is at work or stuck.
	Passing bool
}

// String is a line for people: the path, how many values since when, how many were dropped
// or skipped if any, and what the stage waits for.
func (s Stage) String() string {
	waits := "its source"
	if s.Passing {
		waits = "what follows"
	}
	lost := ""
	if s.Dropped > 0 {
		lost = fmt.Sprintf(", %d dropped", s.Dropped)
	}
	if s.Skipped > 0 {
		lost += fmt.Sprintf(", %d skipped", s.Skipped)
	}
	return fmt.Sprintf("%s: %d values since %s%s, waits for %s", s.Path, s.Values, s.Started.Format(time.TimeOnly), lost, waits)
}

// Stages returns the named stages that run now, anywhere in the program, in the order in which
// they began. A pipeline is stuck between a stage that is Passing and the next
// stage in the direction of the values, which is not Passing.
func Stages() []Stage { return stages.snapshot() }

// stages are the runs of Named.
var stages registry

type registry struct {
	mu      sync.Mutex
	running map[*stage]struct{}
	entered uint64
}

// stage is a run of Named.
type stage struct {
	number  uint64 // of all runs
	path    string
	started time.Time
	drops   stream.Drops
	within  *timeoutRun   // nearest Timeout around it; nil if there is none
	steps   atomic.Uint64 // goes up by one when yield is called and when it returns: odd while yield is at work
}

func (r *registry) enter(path string, ctx context.Context) *stage {
	s := &stage{path: path, started: time.Now()}
	s.within, _ = ctx.Value(timeoutRunKey{}).(*timeoutRun)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running == nil {
		r.running = make(map[*stage]struct{})
	}
	r.entered++
	s.number = r.entered
	r.running[s] = struct{}{}
	return s
}

func (r *registry) leave(s *stage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, s)
}

// timeoutRun is a run of Timeout. Stages that run within it find it in their context.
type timeoutRun struct{ _ byte } // of a size: each has an address of its own

type timeoutRunKey struct{}

// waiting returns the paths of the stages within a Timeout that wait for their source. It
// leaves out a stage whose source is another such stage.
func (r *registry) waiting(within *timeoutRun) string {
	var paths []string
	for _, s := range r.sorted() {
		if s.within == within && s.steps.Load()%2 == 0 {
			paths = append(paths, s.path)
		}
	}
	paths = slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		return slices.ContainsFunc(paths, func(other string) bool { return strings.HasPrefix(other, path+"/") })
	})
	return strings.Join(paths, ", ")
}

// sorted are the stages that run, the first one first.
func (r *registry) sorted() []*stage {
	r.mu.Lock()
	running := make([]*stage, 0, len(r.running))
	for s := range r.running {
		running = append(running, s)
	}
	r.mu.Unlock()
	slices.SortFunc(running, func(a, b *stage) int { return cmp.Compare(a.number, b.number) })
	return running
}

func (r *registry) snapshot() []Stage {
	running := r.sorted()
	seen := make([]Stage, len(running))
	for i, s := range running {
		steps := s.steps.Load()
		seen[i] = Stage{Path: s.path, Started: s.started, Values: int(steps+1) / 2, Dropped: s.drops.Total(), Skipped: s.drops.Skipped(), Passing: steps%2 == 1}
	}
	return seen
}
