package streamtest

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/rxipc/rxipc/stream"
)

// Watch is the source, and expects it to be subscribed to as the diagrams show,
// one for each run, with ^ where it begins and ! where it ends, whoever ends it. A
// run without ! goes on until the test is through; no diagram says that there is
// no run.
func Watch[T any](b *Bench, source stream.Observable[T], diagrams ...string) stream.Observable[T] {
	b.Helper()
	w := &subscriptions{bench: b, place: calledFrom()}
	for _, text := range diagrams {
		w.expected = append(w.expected, w.read(text))
	}
	b.watches = append(b.watches, w.verify)
	return func(ctx context.Context, yield func(T) bool) error {
		defer w.subscribed()()
		return source(ctx, yield)
	}
}

// subscriptions are those of one source.
type subscriptions struct {
	bench    *Bench
	place    string
	expected []*period

	mu   sync.Mutex
	seen []*period
}

// period is when a source is subscribed to.
type period struct {
	from, to int
}

// open is the end of what goes on.
const open = math.MaxInt

func (w *subscriptions) read(text string) *period {
	w.bench.Helper()
	d := w.bench.read(text, "|#", "a diagram of a subscription")
	for _, m := range d.marks {
		if m.sign != subscription && m.sign != letGo {
			w.bench.Fatal(d.wrong(m.column, "%q has no meaning in a diagram of a subscription", m.sign))
		}
	}
	p := &period{d.frameOf(subscription), d.frameOf(letGo)}
	if p.to < 0 {
		p.to = open
	}
	if p.from < 0 || d.marks[0].sign != subscription {
		w.bench.Fatal(d.wrong(0, "a diagram of a subscription begins with ^"))
	}
	return p
}

// subscribed notes that a run begins; what it returns, that it ends.
func (w *subscriptions) subscribed() (end func()) {
	p := &period{w.bench.Now(), open}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, p)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		p.to = w.bench.Now()
	}
}

func (p *period) compare(other *period) int {
	return cmp.Or(p.from-other.from, p.to-other.to)
}

// length is how many frames it takes to draw the period.
func (p *period) length() int {
	switch {
	case p == nil:
		return 0
	case p.to == open:
		return p.from + 2
	}
	return p.to + 1
}

// row draws the period; one that goes on, up to the given length.
func (p *period) row(length int) *row {
	r := newRow()
	if p == nil {
		return r
	}
	r.put(subscription, p.from)
	if p.to == open {
		r.length = max(r.length, length)
	} else {
		r.put(letGo, p.to)
	}
	return r
}

func (w *subscriptions) verify() {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortStableFunc(w.expected, (*period).compare)
	slices.SortStableFunc(w.seen, (*period).compare)
	var told []string
	for i := range max(len(w.expected), len(w.seen)) {
		a, b := at(w.expected, i), at(w.seen, i)
		length := max(a.length(), b.length())
		expected, actual := a.row(length), b.row(length)
		if differing := differingFrames(expected, actual); len(differing) > 0 {
			told = append(told, compared(w.bench.frame(), expected, actual, differing))
		}
	}
	if len(told) > 0 {
		w.bench.report("%s: the subscriptions are not as expected\n%s", w.place, indented(strings.Join(told, "\n")))
	}
}

func at(periods []*period, i int) *period {
	if i < len(periods) {
		return periods[i]
	}
	return nil
}
