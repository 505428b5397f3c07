package streamtest

import (
	"context"
	"errors"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// Recorder holds what a run tells until the test looks at it, thing by thing, in
// order. What nobody has looked at when the test function returns fails the test.
// When a method returns, all that is due at that instant has happened. A recorder
// is for the goroutine of the test.
type Recorder[T any] struct {
	bench  *Bench
	names  names[T]
	place  string
	cancel context.CancelFunc
	over   chan struct{}
	events chan note[T]
	next   *note[T] // received, and not looked at yet
	closed bool
}

// maxUnseen is how many things a recorder holds that nobody has looked at.
const maxUnseen = 1_000

// Record runs the source on a goroutine of its own, from now on. It ends with
// [Recorder.Cancel], or when the test function returns.
func Record[T any](b *Bench, source stream.Observable[T]) *Recorder[T] {
	b.Helper()
	r := &Recorder[T]{
		bench:  b,
		names:  namesOf[T](b, nil),
		place:  calledFrom(),
		over:   make(chan struct{}),
		events: make(chan note[T], maxUnseen+1),
	}
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(b.ctx)
	b.running.Go(func() {
		defer close(r.over)
		tell(ctx, b, source, r.see)
	})
	b.letGos = append(b.letGos, func() {
		if !r.closed {
			r.close()
		}
	})
	return r
}

// see keeps a place for the end.
func (r *Recorder[T]) see(n note[T]) bool {
	if n.kind == emitted && len(r.events) >= maxUnseen {
		return false
	}
	r.events <- n
	return true
}

// await is the next thing, if it comes before the time is over. What else is due
// by then has happened when it returns.
func (r *Recorder[T]) await(within time.Duration) (note[T], bool) {
	end := time.Since(r.bench.begin) + within
	defer r.bench.Wait()
	if r.next == nil {
		timer := time.NewTimer(within)
		defer timer.Stop()
		select {
		case n := <-r.events:
			r.next = &n
		case <-timer.C:
			return note[T]{}, false
		}
	}
	return *r.next, r.next.at < end
}

// take is the next thing; the test ends if none comes.
func (r *Recorder[T]) take(expected string) note[T] {
	r.bench.Helper()
	n, came := r.await(r.bench.timeout())
	if !came {
		r.bench.Fatalf("expected %s, got nothing for %v", expected, r.bench.timeout())
	}
	r.next = nil
	return n
}

// Next waits for a value, which must be want.
func (r *Recorder[T]) Next(want T) {
	r.bench.Helper()
	expected := note[T]{value: want}
	n := r.take(expected.String())
	switch {
	case n.kind != emitted:
		r.bench.Fatalf("frame %d: expected %v, got %v", n.frame, expected, n)
	case !r.names.equal(want, n.value):
		r.bench.Fatalf("frame %d: expected %v, got %v\n%s", n.frame, expected, n,
			indented(r.bench.difference(want, n.value)))
	}
}

// Value waits for a value and returns it.
func (r *Recorder[T]) Value() T {
	r.bench.Helper()
	n := r.take("a value")
	if n.kind != emitted {
		r.bench.Fatalf("frame %d: expected a value, got %v", n.frame, n)
	}
	return n.value
}

// Error waits for the run to fail with an error that is want.
func (r *Recorder[T]) Error(want error) {
	r.bench.Helper()
	expected := note[T]{kind: failed, err: want}
	if n := r.take(expected.String()); n.kind != failed || !errors.Is(n.err, want) {
		r.bench.Fatalf("frame %d: expected %v, got %v", n.frame, expected, n)
	}
}

// Complete waits for the run to complete.
func (r *Recorder[T]) Complete() {
	r.bench.Helper()
	if n := r.take("completion"); n.kind != completed {
		r.bench.Fatalf("frame %d: expected completion, got %v", n.frame, n)
	}
}

// Nothing waits for so long, in which nothing may come. What comes at the very
// end of it is not in it.
func (r *Recorder[T]) Nothing(d time.Duration) {
	r.bench.Helper()
	if n, came := r.await(d); came {
		r.bench.Fatalf("frame %d: expected nothing for %v, got %v", n.frame, d, n)
	}
}

// Cancel cancels the run's context and waits for its end. What has come before
// and was not looked at fails the test.
func (r *Recorder[T]) Cancel() {
	r.bench.Helper()
	r.bench.Wait()
	r.close()
}

// close cancels the run and reports what nobody has looked at.
func (r *Recorder[T]) close() {
	r.bench.Helper()
	r.closed = true
	r.cancel()
	begin := time.Now()
	if !r.bench.within(r.bench.timeout(), r.over) {
		r.bench.report("%s: the recorded run does not end though its context has", r.place)
		return
	}
	if late := time.Since(begin); late > 0 {
		r.bench.report("%s: the recorded run went on for %v after it was cancelled", r.place, late)
	}
	unseen := len(r.events)
	if r.next == nil && unseen > 0 {
		n := <-r.events
		r.next = &n
	} else if r.next != nil {
		unseen++
	}
	if r.next != nil {
		r.bench.report("%s: nobody looked at %v of frame %d, nor at %d things after it", r.place, r.next, r.next.frame, unseen-1)
	}
}
