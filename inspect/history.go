package inspect

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rxipc/rxipc/stream/stages"
)

// history has what earlier looks at the stages have seen, for rates and sparklines. All viewers
// share it. With nobody watching, nobody looks.
type history struct {
	mu     sync.Mutex
	looked time.Time
	seen   map[int]*track
	last   []stages.Stage
}

// track is the history of a stage.
type track struct {
	marks   []mark  // values at the last looks, the oldest first
	seconds []mark  // values at the last looks that were a second apart, for the sparkline
	busy    float64 // share of the time in which what follows is at work, smoothed
	before  stages.Latencies
	older   stages.Latencies // those of recent values are newer
	newer   stages.Latencies
	turned  time.Time // when newer was taken
	full    time.Time // when the buffer was last seen to be full
}

type mark struct {
	at     time.Time
	values uint64
}

// The lengths of histories, and the times after which a stage is stuck or its source silent.
const (
	sparkLength = 120
	rateWindow  = 2 * time.Second
	recent      = 10 * time.Second
	minLook     = 50 * time.Millisecond
	stuckAfter  = 500 * time.Millisecond
	silentAfter = time.Second
	fullFor     = time.Second // a buffer that was full counts as full, so that it does not flicker
)

// look takes a snapshot of the registry, unless another viewer has just done so, notes it, and calls
// use with it, and with the history of each stage. Values are timed for some seconds after it.
func (h *history) look(r *stages.Registry, now time.Time, use func([]stages.Stage, map[int]*track)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.looked.IsZero() || now.Sub(h.looked) >= minLook {
		r.Time(3 * time.Second)
		h.last = r.Snapshot()
		if h.seen == nil {
			h.seen = make(map[int]*track)
		}
		for _, s := range h.last {
			if h.seen[s.ID] == nil {
				h.seen[s.ID] = &track{turned: now}
			}
			h.seen[s.ID].note(s, now)
		}
		h.looked = now
	}
	use(h.last, h.seen)
}

// note adds what a look has seen.
func (t *track) note(s stages.Stage, now time.Time) {
	if s.Fill.Blocked > 0 || s.Fill.Capacity > 0 && s.Fill.Waiting >= s.Fill.Capacity {
		t.full = now
	}
	moved := len(t.marks) == 0 || t.marks[len(t.marks)-1].values != s.Values
	t.marks = append(t.marks, mark{now, s.Values})
	for len(t.marks) > 2 && now.Sub(t.marks[1].at) >= rateWindow {
		t.marks = slices.Delete(t.marks, 0, 1)
	}
	if n := len(t.seconds); n == 0 || now.Sub(t.seconds[n-1].at) >= time.Second {
		t.seconds = append(t.seconds, mark{now, s.Values})
		t.seconds = slices.Delete(t.seconds, 0, max(0, len(t.seconds)-sparkLength-1))
	}
	if now.Sub(t.turned) >= recent {
		t.older, t.newer, t.turned = t.newer, s.Latencies, now
	}
	fresh := s.Latencies.Since(t.before)
	t.before = s.Latencies
	passing := 0.0
	if s.Running > 0 {
		passing = float64(s.Passing) / float64(s.Running)
	}
	switch timed := fresh.Busy + fresh.Idle; {
	case !moved:
		t.busy = passing
	case timed > 0:
		t.busy += 0.5 * (fresh.Busy.Seconds()/timed.Seconds() - t.busy)
	default:
		t.busy += 0.5 * (passing - t.busy)
	}
}

// rate returns the values a second over the last two seconds.
func (t *track) rate() float64 { return rateOf(t.marks[0], t.marks[len(t.marks)-1]) }

func rateOf(from, to mark) float64 {
	if passed := to.at.Sub(from.at).Seconds(); passed > 0 {
		return float64(to.values-from.values) / passed
	}
	return 0
}

// spark returns the rates of the last seconds.
func (t *track) spark() (rates []float32) {
	for n := 1; n < len(t.seconds); n++ {
		rates = append(rates, float32(rateOf(t.seconds[n-1], t.seconds[n])))
	}
	return rates
}

// row is a stage in the order of the list.
type row struct {
	stage            stages.Stage
	rail             Rail
	dropped, skipped int // of those that the stage counts, not those that stages above it count
}

// rows orders stages in the direction of the values: each comes after those upstream of it.
func rows(all []stages.Stage) []row {
	upstream := make(map[int][]stages.Stage)
	for _, s := range all {
		upstream[s.Parent] = append(upstream[s.Parent], s)
	}
	l := lister{upstream: upstream, list: make([]row, 0, len(all))}
	for _, root := range upstream[0] {
		l.visit(root, 0, false)
	}
	return l.list
}

type lister struct {
	upstream map[int][]stages.Stage
	passing  []int // lanes that go on to a stage further below
	list     []row
}

// maxLane is the last lane that is drawn on its own.
const maxLane = 5

// visit appends what is upstream of a stage, a lane for each, and then the stage. It returns how
// many values have been lost on the way to the next stage.
func (l *lister) visit(s stages.Stage, lane int, bottom bool) (dropped, skipped int) {
	above := l.upstream[s.ID]
	r := Rail{Lane: lane, Top: len(above) > 0, Bottom: bottom}
	for n, child := range above {
		childLane := min(lane+n, maxLane)
		lost, bad := l.visit(child, childLane, true)
		dropped, skipped = dropped+lost, skipped+bad
		if !slices.Contains(l.passing, childLane) {
			l.passing = append(l.passing, childLane)
		}
		if n > 0 && childLane != lane && !slices.Contains(r.Joins, childLane) {
			r.Joins = append(r.Joins, childLane)
		}
	}
	for n := range above {
		childLane := min(lane+n, maxLane)
		l.passing = slices.DeleteFunc(l.passing, func(passing int) bool { return passing == childLane })
	}
	r.Through = slices.Sorted(slices.Values(l.passing))
	if s.Kind == stages.Buffer {
		l.list = append(l.list, row{stage: s, rail: r})
		return dropped, skipped
	}
	l.list = append(l.list, row{s, r, s.Dropped - dropped, s.Skipped - skipped})
	return s.Dropped, s.Skipped
}

// pipelines returns the diagnosis of each pipeline that runs, the worst first.
func pipelines(all []stages.Stage, tracks map[int]*track, now time.Time) (verdicts []Verdict) {
	nodes := make(map[int]*node, len(all))
	var roots []*node
	for _, s := range all { // parents come first
		n := nodeOf(s, tracks[s.ID], now)
		nodes[s.ID] = n
		if parent := nodes[s.Parent]; parent != nil {
			parent.upstream = append(parent.upstream, n)
		} else {
			roots = append(roots, n)
		}
	}
	for _, root := range roots {
		if v, ok := diagnose(root); ok {
			verdicts = append(verdicts, v)
		}
	}
	slices.SortStableFunc(verdicts, func(a, b Verdict) int { return cmp.Compare(a.Severity.rank(), b.Severity.rank()) })
	return verdicts[:min(len(verdicts), maxVerdicts)]
}

// maxVerdicts is how many verdicts a snapshot has at most.
const maxVerdicts = 20

func (s Severity) rank() int { return slices.Index([]Severity{Dead, Slow, Calm}, s) }

func nodeOf(s stages.Stage, t *track, now time.Time) *node {
	n := &node{id: s.ID, name: s.Name, buffer: s.Kind == stages.Buffer, running: s.Running > 0, busy: t.busy,
		waiting: s.Fill.Waiting, capacity: s.Fill.Capacity}
	n.full = s.Fill.Waiting > 0 && !t.full.IsZero() && now.Sub(t.full) < fullFor
	if since := now.Sub(s.PassingSince); s.Passing > 0 && since >= stuckAfter && t.busy >= 0.99 {
		n.stuck = since
	}
	if since := now.Sub(s.Moved); s.Passing == 0 && since >= silentAfter {
		n.silent = since
	}
	return n
}

// stageOf returns what a viewer sees of a stage.
func stageOf(r row, t *track, now time.Time) Stage {
	s, n := r.stage, nodeOf(r.stage, t, now)
	recently := s.Latencies.Since(t.older)
	v := Stage{
		ID: s.ID, Parent: s.Parent, Kind: string(s.Kind), Name: s.Name, Rail: r.rail,
		Running: s.Running, Runs: s.Runs, Completed: s.Completed, Failed: s.Failed, Stopped: s.Stopped,
		Values: s.Values, Rate: t.rate(), Spark: t.spark(), Dropped: r.dropped, Skipped: r.skipped,
		P50: recently.Quantile(0.5).Seconds(), P99: recently.Quantile(0.99).Seconds(), Busy: t.busy,
		Waiting: s.Fill.Waiting, Capacity: s.Fill.Capacity, Blocked: s.Fill.Blocked,
	}
	v.State, v.Seconds = stateOf(n)
	return v
}

// stateOf returns the state of a stage, and how many seconds it lasts if that is known.
func stateOf(n *node) (State, float64) {
	switch {
	case !n.running:
		return Ended, 0
	case n.buffer && n.full:
		return Full, 0
	case n.buffer && n.waiting > 0:
		return Filling, 0
	case n.buffer:
		return Empty, 0
	case n.stuck > 0:
		return Stuck, n.stuck.Seconds()
	case n.silent > 0:
		return Silent, n.silent.Seconds()
	case n.busy >= 0.9:
		return HeldUp, 0
	case n.busy <= 0.1:
		return Waits, 0
	}
	return Flows, 0
}

// findStages returns the rows that a query finds. The rails are left out if some are not found.
func findStages(list []row, find string) []row {
	if find == "" {
		return list
	}
	var found []row
	for _, r := range list {
		if strings.Contains(r.stage.Path, find) {
			r.rail = Rail{}
			found = append(found, r)
		}
	}
	return found
}
