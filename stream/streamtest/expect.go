package streamtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// Expect expects a run of strings; see the function of that name.
func (b *Bench) Expect(source stream.Observable[string], diagram string) {
	b.Helper()
	expect(b, calledFrom(), source, diagram, nil)
}

// Expect runs the source on a goroutine of its own and expects to see what the
// diagram shows: each value, completion and failure in its frame, in this order,
// and nothing else. The run begins at frame 0, or at ^. It is unsubscribed (its
// context cancelled) at !, and must end in that frame. A diagram with neither !
// nor an end says what comes as long as it is; then the run is unsubscribed too.
//
// Values are compared with go-cmp; see [Cold] for their names. A difference is
// reported when the test is through, as two diagrams under each other, with ?
// for what has no name.
func Expect[T any](b *Bench, source stream.Observable[T], diagram string, values ...map[rune]T) {
	b.Helper()
	expect(b, calledFrom(), source, diagram, values)
}

// shownSurplus is how many things more than expected are looked at before a run is
// left.
const shownSurplus = 16

// expectation is a run that is compared with a diagram.
type expectation[T any] struct {
	*script[T]
	names[T]
	bench    *Bench
	place    string
	from, to int // when it begins; when it is unsubscribed, -1 for never
	cancel   context.CancelFunc
	over     chan struct{}

	mu    sync.Mutex
	seen  []note[T]
	ended int // the frame
}

func expect[T any](b *Bench, place string, source stream.Observable[T], text string, values []map[rune]T) {
	b.Helper()
	s, n := scripted(b, text, "", "an expectation", values)
	e := &expectation[T]{script: s, names: n, bench: b, place: place, over: make(chan struct{})}
	e.from, e.to = max(0, s.frameOf(subscription)), s.frameOf(letGo)
	if s.frameOf(subscription) >= 0 && s.marks[0].sign != subscription {
		b.Fatal(s.wrong(s.marks[0].column, "%q before the subscription", s.marks[0].sign))
	}
	if e.to < 0 && !e.ends() {
		e.to = s.length
	}
	begin, order := b.instant(e.from), b.order()
	var ctx context.Context
	ctx, e.cancel = context.WithCancel(b.ctx)
	b.running.Go(func() { e.run(ctx, begin, order, source) })
	b.runs = append(b.runs, e.verify)
}

// ends reports whether the run is expected to end by itself.
func (e *expectation[T]) ends() bool {
	return len(e.notes) > 0 && e.notes[len(e.notes)-1].kind != emitted
}

func (e *expectation[T]) run(ctx context.Context, begin time.Time, order int, source stream.Observable[T]) {
	b := e.bench
	defer close(e.over)
	defer e.cancel()
	if b.clock.await(ctx, begin, subscribing, order) != nil {
		return
	}
	if e.to >= 0 {
		end := b.begin.Add(time.Duration(e.to)*b.frame() - beforehand)
		b.running.Go(func() {
			if b.clock.await(ctx, end, lettingGo, order) == nil {
				e.cancel()
			}
		})
	}
	tell(ctx, b, source, e.see)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = b.Now()
}

func (e *expectation[T]) see(n note[T]) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	n.name = e.nameOf(n, e.script)
	e.seen = append(e.seen, n)
	return len(e.seen) < len(e.notes)+shownSurplus
}

// verify waits for the end of the run and reports how it differs.
func (e *expectation[T]) verify() {
	b := e.bench
	var remarks []string
	limit := time.Until(b.begin.Add(time.Duration(e.length)*b.frame())) + b.timeout()
	if !b.within(limit, e.over) {
		remarks = append(remarks, fmt.Sprintf("the run had not ended %v after the diagram", b.timeout()))
		e.cancel()
		if !b.within(b.timeout(), e.over) {
			remarks = append(remarks, "the run does not end though its context has")
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.to >= 0 && e.ended > e.to {
		remarks = append(remarks, fmt.Sprintf("the run went on for %d frames after it was unsubscribed at frame %d", e.ended-e.to, e.to))
	}
	differing, differences := e.compare()
	if len(differing)+len(remarks) == 0 {
		return
	}
	expected, actual := e.row(e.notes), e.row(e.seen)
	told := []string{compared(b.frame(), expected, actual, differing)}
	told = append(append(told, differences...), remarks...)
	b.report("%s: the run is not as expected\n%s", e.place, indented(strings.Join(told, "\n")))
}

// row draws what was expected, or seen, of the run.
func (e *expectation[T]) row(notes []note[T]) *row {
	r := newRow()
	if at := e.frameOf(subscription); at >= 0 {
		r.put(subscription, at)
	}
	ended := false
	for _, n := range notes {
		r.put(n.name, n.frame)
		ended = ended || n.kind != emitted
	}
	if !ended {
		r.length = max(r.length, e.length)
		if at := e.frameOf(letGo); at >= 0 {
			r.put(letGo, at)
		}
	}
	return r
}

// shownDifferences is how many are told in words.
const shownDifferences = 4

// compare gives the frames that differ, and says how.
func (e *expectation[T]) compare() (frames []int, said []string) {
	expected, actual := byFrame(e.notes), byFrame(e.seen)
	for frame := range max(lastFrame(e.notes), lastFrame(e.seen)) + 1 {
		want, got := expected[frame], actual[frame]
		if slices.EqualFunc(want, got, e.matches) {
			continue
		}
		frames = append(frames, frame)
		if len(frames) <= shownDifferences {
			said = append(said, e.difference(frame, want, got))
		}
	}
	if more := len(frames) - shownDifferences; more > 0 {
		said = append(said, fmt.Sprintf("and %d frames more", more))
	}
	return frames, said
}

func (e *expectation[T]) matches(want, got note[T]) bool {
	switch {
	case want.kind != got.kind:
		return false
	case want.kind == failed:
		return errors.Is(got.err, want.err)
	case want.kind == emitted:
		return e.equal(want.value, got.value)
	}
	return true
}

// difference says how what was seen in a frame differs, up to the first thing
// that does.
func (e *expectation[T]) difference(frame int, want, got []note[T]) string {
	at := 0
	for at < min(len(want), len(got)) && e.matches(want[at], got[at]) {
		at++
	}
	what := fmt.Sprintf("frame %d", frame)
	switch {
	case at == len(want):
		return fmt.Sprintf("%s: got %v, expected nothing%s", what, got[at], more(at))
	case at == len(got):
		return fmt.Sprintf("%s: expected %v, got nothing%s", what, want[at], more(at))
	}
	said := fmt.Sprintf("%s: expected %v, got %v", what, want[at], got[at])
	if want[at].kind == emitted && got[at].kind == emitted {
		said += "\n" + indented(e.bench.difference(want[at].value, got[at].value))
	}
	return said
}

// more is for what is missing behind what is there.
func more(before int) string {
	if before > 0 {
		return " more"
	}
	return ""
}

func byFrame[T any](notes []note[T]) map[int][]note[T] {
	by := make(map[int][]note[T])
	for _, n := range notes {
		by[n.frame] = append(by[n.frame], n)
	}
	return by
}

func lastFrame[T any](notes []note[T]) int {
	if len(notes) == 0 {
		return -1
	}
	return notes[len(notes)-1].frame
}
