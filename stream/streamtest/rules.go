package streamtest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

// errCancelled is the cause that runs are cancelled with.
var errCancelled = errors.New("streamtest: cancelled by the check")

// until wants more up to the nth value, and not after it.
func until(n int) func(int) bool { return func(i int) bool { return i < n } }

// whole is what yield does in a run to the end; that of an endless observable is
// where all expected values have come.
func (s specimen[T]) whole() func(int) bool {
	if s.endless {
		return until(len(s.want))
	}
	return nil
}

// complete checks a run to the end, with a context of its own.
func (s specimen[T]) complete(f *findings, ctx context.Context, yield func(int) bool) {
	if s.endless && len(s.want) == 0 {
		cancellable, cancel := context.WithCancelCause(ctx)
		time.AfterFunc(pace, func() { cancel(errCancelled) })
		o := run[T]{s, cancellable, yield}.start(f)
		s.same(f, o.values, true)
		return
	}
	o := run[T]{s, ctx, yield}.start(f)
	s.finished(f, o)
}

// finished checks what was seen of a run to the end.
func (s specimen[T]) finished(f *findings, o *outcome[T]) {
	s.same(f, o.values, true)
	switch {
	case o.stuck:
	case !o.returned:
		f.add("%s", o.describe())
	case s.fails == nil && o.err != nil:
		f.add("the run returned %v, want nil", o.err)
	case s.fails != nil && !errors.Is(o.err, s.fails):
		f.add("the run returned %v, want %v", o.err, s.fails)
	}
}

func valuesAndEnd[T any](f *findings, s specimen[T]) {
	s.complete(f.titled("context without end"), context.Background(), s.whole())
	ctx, _ := cancellable()
	s.complete(f.titled("context with cancel"), ctx, s.whole())
}

// cancellable is a watched context and what cancels it.
func cancellable() (*watchedContext, func(error)) {
	ctx := watch(context.WithCancelCause(context.Background()))
	return ctx, ctx.end
}

func independentRuns[T any](f *findings, s specimen[T]) {
	fresh := func(title string) {
		ctx, _ := cancellable()
		s.complete(f.titled(title), ctx, s.whole())
	}
	fresh("first run")
	fresh("second run")
	if len(s.want) == 0 {
		return
	}
	left, _ := cancellable()
	run[T]{s, left, until(1)}.start(f.titled("run that is left"))
	fresh("run after one that was left")
}

func simultaneousRuns[T any](f *findings, s specimen[T]) {
	if len(s.want) == 0 {
		return
	}
	s.left = nil // the other run goes on
	whole := s.whole()
	slowly := func(n int) bool {
		if n == 1 {
			time.Sleep(pace) // for the other one to come in between
		}
		return whole == nil || whole(n)
	}
	if s.endless {
		slowly = whole // slow is not late: values may have been skipped
	}
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			ctx, _ := cancellable()
			s.finished(f, run[T]{s, ctx, slowly}.beside(f))
		})
	}
	all.Wait()
}

// nestedRuns runs it once more while yield is at the first value.
func nestedRuns[T any](f *findings, s specimen[T]) {
	if len(s.want) == 0 {
		return
	}
	s.left = nil // the outer run goes on
	ctx, _ := cancellable()
	whole := s.whole()
	outer := run[T]{s, ctx, func(n int) bool {
		if n == 1 {
			inner, _ := cancellable()
			s.finished(f, run[T]{s, inner, s.whole()}.beside(f))
		}
		return whole == nil || whole(n)
	}}.beside(f)
	s.finished(f, outer)
}

// serial takes its time in yield, so that a second call has the time to come.
func serial[T any](f *findings, s specimen[T]) {
	ctx, _ := cancellable()
	whole := s.whole()
	r := run[T]{s, ctx, func(n int) bool {
		if n <= 16 {
			time.Sleep(pace)
		} else {
			runtime.Gosched()
		}
		return whole == nil || whole(n)
	}}
	if s.endless { // slow is not late: values may have been skipped
		if len(s.want) > 0 {
			r.start(f)
		}
		return
	}
	s.finished(f, r.start(f))
}

func nothingAfterFalse[T any](f *findings, s specimen[T]) {
	for _, n := range positions(len(s.want)) {
		g := f.titled(describe(n, "false"))
		ctx, _ := cancellable()
		o := run[T]{s, ctx, until(n)}.start(g)
		s.same(g, o.values, false)
		switch {
		case !o.returned:
			g.add("%s", o.describe())
		case len(o.values) != n:
			g.add("the run ended after %d values", len(o.values))
		case o.err != nil:
			g.add("the run returned %v, want nil: it was not wanted any more", o.err)
		case o.ended != o.times[n-1]:
			g.add("the run went on for %v", o.ended-o.times[n-1])
		}
	}
}

// nothingAfterReturn looks at runs that ended in all the ways there are: each is
// watched for a while after it.
func nothingAfterReturn[T any](f *findings, s specimen[T]) { s.everyEnd(f) }

// nothingIsLeft looks at the same runs: each is followed by a count.
func nothingIsLeft[T any](f *findings, s specimen[T]) { s.everyEnd(f) }

func (s specimen[T]) everyEnd(f *findings) {
	ctx, _ := cancellable()
	s.complete(f.titled("end"), ctx, s.whole())
	if len(s.want) > 0 {
		ctx, _ = cancellable()
		run[T]{s, ctx, until(1)}.start(f.titled("false"))
	}
	ctx, cancel := cancellable()
	timer := time.AfterFunc(pace/2, func() { cancel(errCancelled) })
	defer timer.Stop()
	run[T]{s, ctx, s.whole()}.start(f.titled("cancellation"))
}

func cancelledBefore[T any](f *findings, s specimen[T]) {
	for _, end := range ends {
		g := f.titled(end.name)
		ctx, cancel := end.context(0)
		cancel()
		o := run[T]{s, ctx, nil}.start(g)
		if len(o.values) > 0 {
			g.add("%d values came", len(o.values))
		}
		s.cancelled(g, o, end.cause, 0, nil)
	}
}

// cancelled checks that a run ended when it was cancelled, and said so. A failure, unless
// it is nil, may have come in that moment and be reported instead. A completion may not.
func (s specimen[T]) cancelled(f *findings, o *outcome[T], cause error, at time.Duration, failure error) {
	switch {
	case o.stuck:
	case !o.returned:
		f.add("%s", o.describe())
	case failure != nil && errors.Is(o.err, failure):
	case !errors.Is(o.err, cause):
		f.add("the run returned %v, want the cause of its context's end: %v", o.err, cause)
	case o.ended > at:
		f.add("the run went on for %v after its context had ended", o.ended-at)
	}
}

// ends are the ways a context ends.
var ends = []struct {
	name  string
	cause error
	// context ends after a time, or when the function is called if that is zero.
	context func(after time.Duration) (*watchedContext, func())
}{
	{"with a cause", errCancelled, func(after time.Duration) (*watchedContext, func()) {
		ctx, cancel := cancellable()
		return ctx, later(after, func() { cancel(errCancelled) })
	}},
	{"without a cause", context.Canceled, func(after time.Duration) (*watchedContext, func()) {
		ctx, cancel := cancellable()
		return ctx, later(after, func() { cancel(nil) })
	}},
	{"by its deadline", context.DeadlineExceeded, func(after time.Duration) (*watchedContext, func()) {
		inner, cancel := context.WithTimeout(context.Background(), after)
		ctx := watch(inner, func(error) { cancel() })
		if after > 0 {
			context.AfterFunc(inner, ctx.fire)
		}
		return ctx, func() { ctx.end(nil) }
	}},
}

// later is f called after a time, unless what it returns is called before; or,
// if the time is zero, f itself.
func later(after time.Duration, f func()) (stop func()) {
	if after == 0 {
		return f
	}
	timer := time.AfterFunc(after, f)
	return func() { timer.Stop() }
}

func cancelledInYield[T any](f *findings, s specimen[T]) {
	for _, n := range positions(len(s.want)) {
		g := f.titled(describe(n, "cancelled"))
		ctx, cancel := cancellable()
		o := run[T]{s, ctx, func(i int) bool {
			if i == n {
				cancel(errCancelled)
			}
			return true
		}}.start(g)
		s.cancelledAt(g, o, n, 0)
	}
}

// cancelledAt checks a run that was cancelled while yield was at the nth value,
// which took it some time after its context's end.
func (s specimen[T]) cancelledAt(f *findings, o *outcome[T], n int, more time.Duration) {
	s.same(f, o.values, false)
	if len(o.values) > n {
		f.add("%d values came after its end", len(o.values)-n)
	}
	if len(o.values) < n {
		f.add("the run ended after %d values", len(o.values))
		return
	}
	var failure error
	if n == len(s.want) {
		failure = s.fails
	}
	s.cancelled(f, o, errCancelled, o.times[n-1]+more, failure)
}

// cancelledInSource cancels in the middle of each time that the run waits
// outside of yield.
func cancelledInSource[T any](f *findings, s specimen[T]) {
	for _, at := range s.waits(f) {
		for _, end := range ends {
			g := f.titled(end.name + " after " + at.String())
			ctx, stop := end.context(at)
			o := run[T]{s, ctx, nil}.start(g)
			stop()
			if !s.endless {
				s.same(g, o.values, false)
			}
			s.cancelled(g, o, end.cause, at, nil)
		}
	}
}

// waits are times when the run waits for something else than yield.
func (s specimen[T]) waits(f *findings) []time.Duration {
	if s.endless && len(s.want) == 0 {
		return []time.Duration{1, pace}
	}
	ctx, _ := cancellable()
	o := run[T]{s, ctx, s.whole()}.start(f)
	var waits []time.Duration
	var before time.Duration
	for _, t := range append(o.times, o.ended) {
		if t-before > 1 && len(waits) < 8 {
			waits = append(waits, before+(t-before)/2)
		}
		before = t
	}
	if s.endless {
		waits = append(waits, before+1)
	}
	return waits
}

func cancelledInSlowYield[T any](f *findings, s specimen[T]) {
	for _, n := range positions(len(s.want)) {
		g := f.titled(describe(n, "cancelled"))
		ctx, cancel := cancellable()
		o := run[T]{s, ctx, func(i int) bool {
			if i == n {
				defer time.AfterFunc(10*pace, func() { cancel(errCancelled) }).Stop()
				time.Sleep(20 * pace)
			}
			return true
		}}.start(g)
		s.cancelledAt(g, o, n, 20*pace)
	}
}

func panicOfYield[T any](f *findings, s specimen[T]) {
	for _, n := range positions(len(s.want)) {
		g := f.titled(describe(n, "panic"))
		ctx, _ := cancellable()
		thrown := errors.New("streamtest: panic of the check")
		o := run[T]{s, ctx, func(i int) bool {
			if i == n {
				panic(thrown)
			}
			return true
		}}.start(g)
		if !o.stuck && o.panicked != any(thrown) {
			g.add("%s, want the panic of yield to reach the caller", o.describe())
		}
	}
}

func goexitOfYield[T any](f *findings, s specimen[T]) {
	for _, n := range positions(len(s.want)) {
		g := f.titled(describe(n, "Goexit"))
		ctx, _ := cancellable()
		o := run[T]{s, ctx, func(i int) bool {
			if i == n {
				runtime.Goexit()
			}
			return true
		}}.start(g)
		if !o.stuck && !o.exited {
			g.add("%s, want the Goexit of yield to reach the caller", o.describe())
		}
	}
}
