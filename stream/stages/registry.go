package stages

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// MaxStages is how many stages a [Registry] has at most. Names that come later share one stage for
// each parent, with the name "…". So names that are made from data, such as those of users, do not
// fill the memory.
const MaxStages = 10_000

// Registry has the stages of all runs whose context comes from Follow, also of those that have
// ended. The zero value is ready. All methods may be called from any goroutine. A Registry must not
// be copied.
type Registry struct {
	mu     sync.Mutex
	root   *place
	places []*place // all others; the ID of each is its index plus one

	lease atomic.Int64 // values are timed until then; see Time
}

// Follow returns a context whose runs are followed. Stages with a name find the registry in it. If
// ctx is followed already, the other registry has no more of these runs.
func (r *Registry) Follow(ctx context.Context) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.root == nil {
		r.root = &place{registry: r}
	}
	return context.WithValue(ctx, placeKey{}, &spot{place: r.root})
}

// Time makes the stages measure latencies until the given duration from now is over. A run pays
// for it with at most 2% of its time. Whoever watches calls Time again and again; with nobody
// watching, nothing is measured.
func (r *Registry) Time(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lease.Store(time.Now().Add(d).UnixNano())
	for _, p := range r.places {
		p.arm()
	}
}

// timing reports whether values are timed now.
func (r *Registry) timing(now time.Time) bool { return now.UnixNano() < r.lease.Load() }

// place is a stage, or a buffer, of a registry: one for each parent and name. The registry's mu
// guards its fields, except those that are atomic.
type place struct {
	registry *Registry
	parent   *place
	id       int
	kind     Kind
	name     string
	children map[string]*place // by kind and name
	upstream []*place          // the children, in the order of their first run

	running map[*Run]struct{}
	ended   totals    // of runs that have ended
	changed time.Time // when a step of a run was last noticed

	timings atomic.Pointer[timings] // nil if nothing was timed
	samples samples
}

// totals is what runs add up to.
type totals struct {
	runs, completed, failed, stopped uint64
	values                           uint64
	dropped, skipped                 int
}

type placeKey struct{}

// spot is where a run is, in a context.
type spot struct {
	place   *place
	covered bool // the place has the fill of the next buffer inside: that one does not tell its own
}

// child returns the place of a name inside, mu held.
func (p *place) child(kind Kind, name string) *place {
	key := string(kind) + "/" + name
	if child := p.children[key]; child != nil {
		return child
	}
	r := p.registry
	if len(r.places) >= MaxStages && name != others {
		return p.child(kind, others)
	}
	child := &place{registry: r, parent: p, id: len(r.places) + 1, kind: kind, name: name, running: make(map[*Run]struct{})}
	if p.children == nil {
		p.children = make(map[string]*place)
	}
	p.children[key] = child
	p.upstream = append(p.upstream, child)
	r.places = append(r.places, child)
	return child
}

// others is the name of what has no place of its own.
const others = "…"

// arm makes the runs time their values, mu held.
func (p *place) arm() {
	if p.kind != Named || len(p.running) == 0 {
		return
	}
	if p.timings.Load() == nil {
		p.timings.Store(new(timings))
	}
	for run := range p.running {
		run.timed.Store(true)
	}
}
