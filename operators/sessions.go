package operators

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// FoldSessions emits, for each session of each key, the key and the combination under a
// monoid of the parts that split took from its values (Flink, Kafka Streams: session
// windows). Values of a key that happened less than gap apart belong to the same session,
// which ends gap after its last value. A value less than gap from two sessions joins them:
// the total of the earlier session comes first. Other values are combined as they come.
//
// [EventTime] says when sessions end, what is late, and how many are kept: one total each.
// Sessions are emitted by their ends. Those that are open when the source completes are
// emitted then; a failure drops them. Without an Idle it all takes place on the caller's goroutine. A gap of
// zero or less is a nanosecond.
func FoldSessions[A any, K comparable, V any](gap time.Duration, e EventTime[A], split func(A) (K, V), m fold.Monoid[V]) stream.Operator[A, EventWindow[fold.Pair[K, V]]] {
	mustHave("FoldSessions", "function", split != nil)
	mustHave("FoldSessions", "monoid", m != nil)
	mustHave("FoldSessions", "function EventTime.At", e.At != nil)
	return func(source stream.Observable[A]) stream.Observable[EventWindow[fold.Pair[K, V]]] {
		mustHave("FoldSessions", "observable", source != nil)
		return func(ctx context.Context, yield func(EventWindow[fold.Pair[K, V]]) bool) error {
			s := sessions[A, K, V]{
				eventClock: newEventClock(ctx, e), split: split, m: m, yield: yield,
				gap: clampDuration(gap, 1), of: make(map[K][]*session[K, V]),
			}
			return eventRun("FoldSessions", &s.eventClock, source, &s)
		}
	}
}

// sessions are those of one run that are kept.
type sessions[A any, K comparable, V any] struct {
	eventClock[A]
	split func(A) (K, V)
	m     fold.Monoid[V]
	yield func(EventWindow[fold.Pair[K, V]]) bool
	gap   int64
	of    map[K][]*session[K, V] // from the earliest to the latest
	due   dueSessions[K, V]
	begun int
}

// session is a session of a key.
type session[K comparable, V any] struct {
	key         K
	number      int
	start, last int64 // times of its values
	total       V
	changed     bool // since it was emitted, if it was
	shown       int  // how often it was
	due         int64
	place       int // among those that are due
}

// take puts a value into its session, and emits the sessions that it makes ready.
func (s *sessions[A, K, V]) take(v A) bool {
	at := nanos(s.At(v))
	key, part := s.split(v)
	found := s.near(key, at)
	if found == nil {
		if at+s.gap+s.lateness <= s.watermark {
			s.late(v)
			return true
		}
		if !s.keep(1) {
			return false
		}
		found = s.begin(key, at)
	}
	found.start, found.last = min(found.start, at), max(found.last, at)
	found.total = s.m.Combine(found.total, part)
	found.changed = true
	if end := found.last + s.gap; end < found.due || found.due <= s.watermark {
		s.schedule(found, end)
	}
	return s.ready() && s.advance(at-s.delay)
}

// near returns the session of a key that a time belongs to, or nil. If the time belongs to
// two sessions, near joins them.
func (s *sessions[A, K, V]) near(key K, at int64) *session[K, V] {
	all := s.of[key]
	i := len(all) - 1
	for i >= 0 && all[i].start >= at+s.gap {
		i--
	}
	if i < 0 || all[i].last+s.gap <= at {
		return nil
	}
	found := all[i]
	if i == 0 || all[i-1].last+s.gap <= at {
		return found
	}
	earlier := all[i-1]
	earlier.last, earlier.shown = found.last, earlier.shown+found.shown
	earlier.total = s.m.Combine(earlier.total, found.total)
	s.drop(found)
	return earlier
}

func (s *sessions[A, K, V]) begin(key K, at int64) *session[K, V] {
	b := &session[K, V]{key: key, number: s.begun, start: at, last: at, total: s.m.Identity(), due: at + s.gap}
	s.begun++
	if same := key; same == key { // a NaN would never be found there, nor deleted
		all := s.of[key]
		i, _ := slices.BinarySearchFunc(all, at, func(x *session[K, V], at int64) int { return cmp.Compare(x.start, at) })
		s.of[key] = slices.Insert(all, i, b)
	}
	heap.Push(&s.due, b)
	return b
}

func (s *sessions[A, K, V]) schedule(x *session[K, V], at int64) {
	x.due = at
	heap.Fix(&s.due, x.place)
}

// advance moves the watermark, and emits the sessions that it has passed.
func (s *sessions[A, K, V]) advance(watermark int64) bool {
	if watermark <= s.watermark {
		return true
	}
	s.watermark = watermark
	return s.ready()
}

// nextDue is the watermark at which there is something to do.
func (s *sessions[A, K, V]) nextDue() int64 {
	if len(s.due) == 0 {
		return forever
	}
	return s.due[0].due
}

// finish emits the sessions that are open.
func (s *sessions[A, K, V]) finish() { s.advance(forever) }

// ready emits the sessions that have ended and drops those that are over.
func (s *sessions[A, K, V]) ready() bool {
	for len(s.due) > 0 && s.due[0].due <= s.watermark {
		switch x := s.due[0]; {
		case x.changed && x.due < x.last+s.gap: // more has come since it was put there
			s.schedule(x, x.last+s.gap)
		case x.changed:
			if s.ctx.Err() != nil || !s.show(x) {
				return false
			}
			s.schedule(x, x.last+s.gap+s.lateness)
		default:
			s.drop(x)
		}
	}
	return true
}

func (s *sessions[A, K, V]) show(x *session[K, V]) bool {
	total := x.total
	if s.lateness > 0 { // a late value may change it
		total = fold.Copy(s.m, total)
	}
	before := x.shown
	x.shown++
	x.changed = false
	return s.yield(EventWindow[fold.Pair[K, V]]{instant(x.start), instant(x.last + s.gap), fold.PairOf(x.key, total), before})
}

func (s *sessions[A, K, V]) drop(x *session[K, V]) {
	heap.Remove(&s.due, x.place)
	s.kept--
	all := s.of[x.key]
	switch i := slices.Index(all, x); {
	case len(all) == 1:
		delete(s.of, x.key)
	case i >= 0:
		s.of[x.key] = slices.Delete(all, i, i+1)
	}
}

// dueSessions is a heap of sessions, by the time at which there is something to do.
type dueSessions[K comparable, V any] []*session[K, V]

func (d dueSessions[K, V]) Len() int { return len(d) }

func (d dueSessions[K, V]) Less(i, j int) bool {
	return d[i].due < d[j].due || d[i].due == d[j].due && d[i].number < d[j].number
}

func (d dueSessions[K, V]) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].place, d[j].place = i, j
}

// Push is for package heap.
func (d *dueSessions[K, V]) Push(x any) {
	s := x.(*session[K, V])
	s.place = len(*d)
	*d = append(*d, s)
}

// Pop is for package heap.
func (d *dueSessions[K, V]) Pop() any {
	old := *d
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*d = old[:len(old)-1]
	return last
}
