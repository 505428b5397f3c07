package stages

import (
	"fmt"
	"strings"
	"time"
)

// Kind says what a stage is.
type Kind string

// The kinds of stages.
const (
	Named  Kind = "stage"  // has a name
	Buffer Kind = "buffer" // hands values from one goroutine to another; its name is that of the operator
)

// Stage is what there is to see of all runs of a stage at one place. The totals are of all runs
// since the registry follows them, also of those that have ended.
type Stage struct {
	ID     int    // a number of its own in the registry
	Parent int    // the ID of the stage that its values go to next; 0 if they go to the consumer
	Kind   Kind   // whether it is a named stage or a buffer
	Name   string // of operators.Named, or of the operator that buffers

	// Path is its name after those of the stages that its values go to, as in
	// "store/ObserveOn/read". What comes later in a pipeline comes earlier here.
	Path string

	Running   int    // runs that have not ended
	Runs      uint64 // runs by now
	Completed uint64 // of these, that have completed
	Failed    uint64 // of these, that have failed
	Stopped   uint64 // of these, that ended because nobody wanted more, or with their context

	Values  uint64 // that it has emitted; none of a buffer
	Dropped int    // values that were dropped on the way there: see stream.Drops
	Skipped int    // values that were skipped on the way there, being bad or late

	// Passing is how many runs are in yield: what follows is at work or stuck. The others wait for
	// their source.
	Passing int

	// PassingSince is when the run that has been longest in the same yield was last seen to make a
	// step; zero if no run is Passing. It is as exact as snapshots are frequent.
	PassingSince time.Time

	// Moved is when a run last began, ended, or was seen to make a step.
	Moved time.Time

	Started   time.Time // when the oldest run that has not ended began; zero if none runs
	Latencies Latencies // what Registry.Time has measured
	Fill      Fill      // of the buffers of all runs
}

// String is a line for people: the path, how many values since when, how many were dropped or
// skipped if any, and what the stage waits for.
func (s Stage) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", s.Path)
	if s.Kind == Buffer {
		fmt.Fprintf(&b, "%d of %d values wait", s.Fill.Waiting, s.Fill.Capacity)
		return b.String()
	}
	fmt.Fprintf(&b, "%d values", s.Values)
	if s.Running > 0 {
		fmt.Fprintf(&b, " since %s", s.Started.Format(time.TimeOnly))
	}
	if s.Dropped > 0 {
		fmt.Fprintf(&b, ", %d dropped", s.Dropped)
	}
	if s.Skipped > 0 {
		fmt.Fprintf(&b, ", %d skipped", s.Skipped)
	}
	switch {
	case s.Running == 0:
		b.WriteString(", ended")
	case s.Passing > 0:
		b.WriteString(", waits for what follows")
	default:
		b.WriteString(", waits for its source")
	}
	return b.String()
}

// Snapshot returns all stages, each before those that its values come from. A pipeline is
// stuck between a stage that is Passing and the next stage in the direction of the values, which
// is not Passing.
func (r *Registry) Snapshot() []Stage {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.root == nil {
		return nil
	}
	now := time.Now()
	list := make([]Stage, 0, len(r.places))
	for _, p := range r.root.upstream {
		list = p.snapshot(list, now, 0, "")
	}
	return list
}

// snapshot appends the place and what is upstream of it, mu held.
func (p *place) snapshot(list []Stage, now time.Time, parent int, prefix string) []Stage {
	s := Stage{
		ID: p.id, Parent: parent, Kind: p.kind, Name: p.name, Path: prefix + p.name,
		Running: len(p.running), Runs: p.ended.runs, Completed: p.ended.completed, Failed: p.ended.failed, Stopped: p.ended.stopped,
		Latencies: p.timings.Load().read(),
	}
	all := p.ended
	for run := range p.running {
		all.add(run)
		run.look(now)
		if run.seen%2 == 1 {
			s.Passing++
			if s.PassingSince.IsZero() || run.moved.Before(s.PassingSince) {
				s.PassingSince = run.moved
			}
		}
		if run.moved.After(p.changed) {
			p.changed = run.moved
		}
		if s.Started.IsZero() || run.started.Before(s.Started) {
			s.Started = run.started
		}
		if run.fill != nil {
			f := run.fill()
			s.Fill.Waiting += f.Waiting
			s.Fill.Capacity += f.Capacity
			s.Fill.Blocked += f.Blocked
		}
	}
	if p.kind == Named {
		s.Values = all.values
	}
	s.Dropped, s.Skipped, s.Moved = all.dropped, all.skipped, p.changed
	list = append(list, s)
	for _, child := range p.upstream {
		list = child.snapshot(list, now, p.id, s.Path+"/")
	}
	return list
}

// look notes whether the run has made a step since the last look.
func (r *Run) look(now time.Time) {
	if steps := r.steps.Load(); steps != r.seen {
		r.seen, r.moved = steps, now
	}
}
