package operators

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// BufferEventTime emits, for each window of event time that has values, a slice of them in
// the order in which they came. A window begins at each multiple of every since 1970 and is
// size long. If every is size or zero, windows follow each other (tumbling). If it is less
// than size, they overlap (hopping). If it is more, values between two windows are left
// out. [EventTime] says when windows end, what is late, and how many values are kept.
//
// Windows are emitted in order. Those that are open when the source completes are emitted
// then; a failure drops them. Without an Idle it all takes place on the caller's goroutine.
// Slices belong to the receiver. Windows that overlap share parts, which are as long as the
// greatest common divisor of size and every. In a slice, the values of an earlier part come
// first. A size of zero or less counts as a nanosecond. Each value is in size divided by
// every windows, all of which are emitted.
//
// A window is emitted when it has ended. [GroupBy] the start of the window, with
// [GroupLatest], has the values of each window as they come.
func BufferEventTime[T any](size, every time.Duration, e EventTime[T]) stream.Operator[T, EventWindow[[]T]] {
	return eventWindows("BufferEventTime", size, every, e, contents[T, []T]{
		fresh: func() []T { return nil },
		add: func(p *[]T, v T) int {
			*p = append(*p, v)
			return 1
		},
		join: func(a *[]T, b []T) { *a = append(*a, b...) },
	}, func(values []T) []T { return values })
}

// FoldEventTime emits, for each window of event time that has values, the combination under
// a monoid of the parts that part took from them. Windows are those of [BufferEventTime].
// It keeps one total for each window, or for each part of windows that overlap, so a value
// costs the same however many windows it is in.
func FoldEventTime[A, V any](size, every time.Duration, e EventTime[A], part func(A) V, m fold.Monoid[V]) stream.Operator[A, EventWindow[V]] {
	mustHave("FoldEventTime", "function", part != nil)
	mustHave("FoldEventTime", "monoid", m != nil)
	type total struct {
		value V
		begun bool
	}
	return eventWindows("FoldEventTime", size, every, e, contents[A, total]{
		fresh: func() total { return total{value: m.Identity()} },
		add: func(t *total, v A) int {
			t.value = m.Combine(t.value, part(v))
			if t.begun {
				return 0
			}
			t.begun = true
			return 1
		},
		join: func(a *total, b total) { a.value = m.Combine(a.value, b.value) },
	}, func(t total) V { return t.value })
}

// FoldEventTimeByKey emits, for each window of event time that has values, a map: for each
// key, the combination under a monoid of the parts that split took from its values. It is
// [FoldByKey] of each window; windows are those of [BufferEventTime]. It keeps one total for
// each key of each window, or of each part of windows that overlap. Maps belong to the
// receiver.
func FoldEventTimeByKey[A any, K comparable, V any](size, every time.Duration, e EventTime[A], split func(A) (K, V), m fold.Monoid[V]) stream.Operator[A, EventWindow[map[K]V]] {
	mustHave("FoldEventTimeByKey", "function", split != nil)
	mustHave("FoldEventTimeByKey", "monoid", m != nil)
	return eventWindows("FoldEventTimeByKey", size, every, e, contents[A, *totals[K, V]]{
		fresh: func() *totals[K, V] { return newTotals[K](m) },
		reuse: (*totals[K, V]).clear,
		add: func(t **totals[K, V], v A) (kept int) {
			key, part := split(v)
			total := (*t).of[key]
			if total == nil {
				total, kept = (*t).add(key), 1
			}
			*total = m.Combine(*total, part)
			return kept
		},
		join: func(a **totals[K, V], b *totals[K, V]) {
			for key, part := range b.of {
				total := (*a).of[key]
				if total == nil {
					total = (*a).add(key)
				}
				*total = m.Combine(*total, *part)
			}
		},
	}, func(t *totals[K, V]) map[K]V { return t.all() })
}

// eventWindows emits what show makes of the contents of each window.
func eventWindows[A, P, V any](name string, size, every time.Duration, e EventTime[A], of contents[A, P], show func(P) V) stream.Operator[A, EventWindow[V]] {
	mustHave(name, "function EventTime.At", e.At != nil)
	length := clampDuration(size, 1)
	step := length
	if every > 0 {
		step = clampDuration(every, 1)
	}
	return func(source stream.Observable[A]) stream.Observable[EventWindow[V]] {
		mustHave(name, "observable", source != nil)
		return func(ctx context.Context, yield func(EventWindow[V]) bool) error {
			w := panes[A, P]{
				eventClock: newEventClock(ctx, e), contents: of,
				size: length, every: step, width: gcd(length, step), due: forever,
			}
			w.once = w.width == w.size && w.lateness == 0
			w.yield = func(start int64, updates int, p P) bool {
				return yield(EventWindow[V]{instant(start), instant(start + w.size), show(p), updates})
			}
			return eventRun(name, &w.eventClock, source, &w)
		}
	}
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// panes are the parts of the windows of one run. Windows that overlap share panes. The number
// of a window is its start divided by every.
type panes[A, P any] struct {
	eventClock[A]
	contents[A, P]
	size, every, width int64
	once               bool // each pane is that of one window, which is emitted once
	yield              func(start int64, updates int, p P) bool
	parts              []*pane[P] // from the earliest to the latest
	current            *pane[P]   // that of the last value; nil if it may have been dropped
	spare              *pane[P]   // is not needed any more; nil if there is none
	due                int64      // the watermark at which there is something to do
	updates            map[int64]int
}

// pane is a part of windows.
type pane[P any] struct {
	start       int64
	first, last int64 // numbers of its windows
	closes      int64 // the end of the first of them
	content     P
	count       int // what it keeps
}

// end is the end of a window.
func (w *panes[A, P]) end(number int64) int64 { return number*w.every + w.size }

// passed is the number of the last window that ends at or before a time.
func (w *panes[A, P]) passed(time int64) int64 { return floorDiv(time-w.size, w.every) }

// take puts a value into its pane, and emits the windows that it makes ready.
func (w *panes[A, P]) take(v A) bool {
	at := nanos(w.At(v))
	p := w.current
	if p == nil || at < p.start || at >= p.start+w.width || p.closes <= w.watermark {
		var late bool
		if p, late = w.find(at); late {
			w.late(v)
			return true
		}
	}
	if p != nil {
		more := w.add(&p.content, v)
		p.count += more
		if !w.keep(more) {
			return false
		}
		if p.closes <= w.watermark && !w.again(p) {
			return false
		}
	}
	return w.advance(at - w.delay)
}

// find is the pane of a time; nil if that is between windows.
func (w *panes[A, P]) find(at int64) (p *pane[P], late bool) {
	start := at - at%w.width
	if start > at { // before 1970
		start -= w.width
	}
	last := floorDiv(start, w.every)
	switch {
	case w.end(last) <= start:
		return nil, false
	case w.end(last)+w.lateness <= w.watermark:
		return nil, true
	}
	i, found := slices.BinarySearchFunc(w.parts, start, func(p *pane[P], start int64) int { return cmp.Compare(p.start, start) })
	if !found {
		p = w.newPane()
		p.start, p.first, p.last = start, w.passed(start)+1, last
		p.closes = w.end(p.first)
		w.parts = slices.Insert(w.parts, i, p)
		w.due = min(w.due, w.end(max(p.first, w.passed(w.watermark)+1)), w.end(last)+w.lateness)
	}
	w.current = w.parts[i]
	return w.current, false
}

// newPane returns an empty pane. It reuses a pane that is no longer needed, if there is one.
func (w *panes[A, P]) newPane() *pane[P] {
	p := w.spare
	if p == nil {
		return &pane[P]{content: w.fresh()}
	}
	w.spare, p.count = nil, 0
	w.reuse(p.content)
	return p
}

// again emits once more, or for the first time, the windows of a pane that have ended and
// are kept.
func (w *panes[A, P]) again(p *pane[P]) bool {
	for number := max(p.first, w.passed(w.watermark-w.lateness)+1); number <= min(p.last, w.passed(w.watermark)); number++ {
		if !w.show(number) {
			return false
		}
	}
	return true
}

// advance moves the watermark, and emits the windows that it has passed.
func (w *panes[A, P]) advance(watermark int64) bool {
	if watermark <= w.watermark {
		return true
	}
	passed := w.passed(w.watermark) // up to here all are emitted
	w.watermark = watermark
	if watermark < w.due {
		return true
	}
	for number, ok := w.next(passed + 1); ok && w.end(number) <= watermark; number, ok = w.next(number + 1) {
		if !w.show(number) {
			return false
		}
	}
	w.forget()
	return true
}

// next is the first window with values, from a number on.
func (w *panes[A, P]) next(number int64) (next int64, ok bool) {
	i, _ := slices.BinarySearchFunc(w.parts, number, func(p *pane[P], number int64) int { return cmp.Compare(p.last, number) })
	if i == len(w.parts) {
		return 0, false
	}
	return max(number, w.parts[i].first), true
}

// show emits a window.
func (w *panes[A, P]) show(number int64) bool {
	if w.ctx.Err() != nil {
		return false
	}
	start := number * w.every
	i, _ := slices.BinarySearchFunc(w.parts, start, func(p *pane[P], start int64) int { return cmp.Compare(p.start, start) })
	if w.once {
		return w.yield(start, 0, w.parts[i].content)
	}
	whole := w.fresh()
	for ; i < len(w.parts) && w.parts[i].start < start+w.size; i++ {
		w.join(&whole, w.parts[i].content)
	}
	before := 0
	if w.lateness > 0 {
		if w.updates == nil {
			w.updates = make(map[int64]int)
		}
		before = w.updates[number]
		w.updates[number]++
	}
	return w.yield(start, before, whole)
}

// forget drops the panes that no window needs any more, and sets due.
func (w *panes[A, P]) forget() {
	gone := w.passed(w.watermark - w.lateness)
	n := 0
	for n < len(w.parts) && w.parts[n].last <= gone {
		w.kept -= w.parts[n].count
		n++
	}
	if n > 0 {
		if w.reuse != nil {
			w.spare = w.parts[n-1]
		}
		w.current = nil
		w.parts = slices.Delete(w.parts, 0, n)
	}
	maps.DeleteFunc(w.updates, func(number int64, _ int) bool { return number <= gone })
	w.due = forever
	if len(w.parts) > 0 {
		w.due = w.end(w.parts[0].last) + w.lateness
	}
	if number, ok := w.next(w.passed(w.watermark) + 1); ok {
		w.due = min(w.due, w.end(number))
	}
}

// nextDue is the watermark at which there is something to do.
func (w *panes[A, P]) nextDue() int64 { return w.due }

// finish emits the windows that are open.
func (w *panes[A, P]) finish() {
	w.due = math.MinInt64
	w.advance(forever)
}
