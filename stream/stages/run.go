package stages

import (
	"context"
	"sync/atomic"
	"time"
)

// Run is one run of a stage. Its methods may be called on a nil Run, which is the run of a stage
// that is not followed; Emit and Emitted may not. operators.Named and the buffers of package
// stream use it; a stage of your own needs it only if it buffers values by itself.
type Run struct {
	steps atomic.Uint64 // goes up by one when yield is called and when it returns: odd while yield is at work
	timed atomic.Bool   // values are timed

	// Used by the goroutine of the run alone.
	due      uint64    // the step from which on the next value is timed
	last     uint64    // the step at which a value was counted last
	counted  time.Time // when that was
	returned time.Time // when yield returned last, if that value was timed; zero otherwise

	place   *place // nil if no registry follows the run
	started time.Time
	seen    uint64    // steps when the registry looked last
	moved   time.Time // when the registry noticed a step last
	lost    func() (dropped, skipped int)
	fill    func() Fill
}

// Enter notes that a run of a stage begins, and returns the context for its source. The Run is nil
// if ctx is not followed.
func Enter(ctx context.Context, kind Kind, name string) (*Run, context.Context) {
	at, _ := ctx.Value(placeKey{}).(*spot)
	switch {
	case at == nil:
		return nil, ctx
	case at.covered && kind == Buffer:
		return nil, context.WithValue(ctx, placeKey{}, &spot{place: at.place})
	}
	run := at.place.begin(kind, name)
	return run, context.WithValue(ctx, placeKey{}, &spot{place: run.place})
}

// Cover returns a context in which the next buffer does not tell its fill, because the stage that
// was entered tells it.
func Cover(ctx context.Context) context.Context {
	at, _ := ctx.Value(placeKey{}).(*spot)
	if at == nil {
		return ctx
	}
	return context.WithValue(ctx, placeKey{}, &spot{place: at.place, covered: true})
}

// begin makes a run of the stage with this name inside.
func (p *place) begin(kind Kind, name string) *Run {
	now := time.Now()
	run := &Run{started: now, moved: now}
	r := p.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	run.place = p.child(kind, name)
	run.place.running[run] = struct{}{}
	run.place.ended.runs++
	if r.timing(now) {
		run.place.arm()
	}
	return run
}

// Loses sets the function that returns how many values have been lost on the way to this stage. It
// is called by snapshots, on any goroutine, and when the run ends.
func (r *Run) Loses(lost func() (dropped, skipped int)) {
	if r == nil || r.place == nil {
		return
	}
	r.place.registry.mu.Lock()
	defer r.place.registry.mu.Unlock()
	r.lost = lost
}

// Fills sets the function that returns the fill of the run's buffer. It is called by snapshots, on
// any goroutine, and must not block.
func (r *Run) Fills(fill func() Fill) {
	if r == nil {
		return
	}
	r.place.registry.mu.Lock()
	defer r.place.registry.mu.Unlock()
	r.fill = fill
}

// Passing reports whether yield has not returned from the last value.
func (r *Run) Passing() bool { return r.steps.Load()%2 == 1 }

// Emit notes that yield is about to be called, at a step that is odd and one more than the last
// one. It reports whether this value is to be timed with [Timed].
func (r *Run) Emit(step uint64) (timed bool) {
	r.steps.Store(step)
	return r.timed.Load() && step >= r.due
}

// Emitted notes that yield has returned, at the next step.
func (r *Run) Emitted(step uint64) { r.steps.Store(step) }

// Fill is how full a buffer is.
type Fill struct {
	Waiting  int // values that wait now
	Capacity int // values that may wait
	Blocked  int // producers that wait for room
}

// End notes how the run has ended: with an error, by itself, or, if it was stopped, because nobody
// wanted more or its context ended.
func (r *Run) End(err error, stopped bool) {
	if r == nil || r.place == nil {
		return
	}
	p := r.place
	p.registry.mu.Lock()
	defer p.registry.mu.Unlock()
	delete(p.running, r)
	p.changed = time.Now()
	p.ended.add(r)
	switch {
	case stopped:
		p.ended.stopped++
	case err != nil:
		p.ended.failed++
	default:
		p.ended.completed++
	}
}

// add adds the values of a run.
func (t *totals) add(r *Run) {
	t.values += (r.steps.Load() + 1) / 2
	if r.lost != nil {
		dropped, skipped := r.lost()
		t.dropped += dropped
		t.skipped += skipped
	}
}

// Values that follow each other faster than quick are timed in pairs, one of each skipped.
const (
	quick   = 5 * time.Microsecond
	skipped = 64
)

// Timed calls yield with a value that Emit wants timed, and returns what it returned.
func Timed[T any](r *Run, v T, yield func(T) bool) bool {
	step := r.steps.Load()
	begin := time.Now()
	if r.place == nil || !r.place.registry.timing(begin) {
		r.timed.Store(false)
		r.returned, r.counted = time.Time{}, time.Time{}
		return yield(v)
	}
	if r.place.sampling(begin) {
		r.place.sample(begin, func(contents bool) string {
			if contents {
				return print(v)
			}
			return ""
		})
	}
	wanted := yield(v)
	r.measured(step, begin, time.Now())
	return wanted
}

// measured notes when yield was called at a step, and when it returned. After a value that was
// not timed, the wait for this one is not known: a quick value is not counted then, and the next
// one is timed. A value that is counted stands for those since the last one that was, a slow one
// for as many as fit into the time between.
func (r *Run) measured(step uint64, begin, end time.Time) {
	took := end.Sub(begin)
	if r.returned.IsZero() {
		r.returned, r.due = end, step+2
		if took >= quick {
			r.count(step, took, took, 0)
			r.counted = end
		}
		return
	}
	waited := begin.Sub(r.returned)
	elapsed := took + waited
	if !r.counted.IsZero() {
		elapsed = end.Sub(r.counted)
	}
	r.returned, r.due = end, step+2
	if took+waited < quick {
		r.returned, r.due = time.Time{}, step+2*skipped
	}
	r.count(step, elapsed, took, waited)
	r.counted = end
}

// count adds a value that stands for the values of the elapsed time.
func (r *Run) count(step uint64, elapsed, took, waited time.Duration) {
	both := max(1, took+waited)
	values := (step - r.last + 1) / 2
	if both >= quick { // those that were not timed may have been quick
		values = min(values, max(1, uint64(elapsed/both)))
	}
	busy := time.Duration(float64(elapsed) * float64(took) / float64(both))
	r.last = step
	r.place.timings.Load().add(took, busy, elapsed-busy, values)
}
