package streamtest

import (
	"context"
	"errors"
	"runtime"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// errFeed is what the source of an operator fails or panics with.
var errFeed = errors.New("streamtest: failure of the source")

func buildingStartsNothing[A, B any](f *findings, s operatorSpecimen[A, B]) {
	before := runtime.NumGoroutine()
	fed := &feed[A]{inputs: s.inputs}
	s.over(fed)
	time.Sleep(late)
	if fed.runs.Load() > 0 {
		f.add("the source ran before the observable was called")
	}
	for _, stack := range f.unknown(before) {
		f.add("a goroutine was started:\n%s", stack)
	}
}

// completionWithoutValue gives the operator a source without values. What it makes
// of that is its own, but it ends, and leaves nothing.
func completionWithoutValue[A, B any](f *findings, s operatorSpecimen[A, B]) {
	fed := &feed[A]{}
	over := s.over(fed)
	ctx, cancel := cancellable()
	if s.endless {
		defer time.AfterFunc(pace, func() { cancel(errCancelled) }).Stop()
	}
	if o := (run[B]{over, ctx, nil}).start(f); !o.stuck && !o.returned {
		f.add("%s", o.describe())
	}
}

// ending runs the operator over feeds that end in a way of their own: at once,
// and after the inputs, with and without time between them.
func (s operatorSpecimen[A, B]) ending(f *findings, end func() error, check func(*findings, *feed[A], *outcome[B], bool)) {
	for _, way := range []struct {
		title  string
		inputs []A
		pace   time.Duration
	}{
		{"at once", nil, 0},
		{"after the inputs", s.inputs, 0},
		{"after an input a second", s.inputs, pace},
	} {
		g := f.titled(way.title)
		fed := &feed[A]{inputs: way.inputs, pace: way.pace, end: end}
		ctx, _ := cancellable()
		over := s.over(fed)
		o := run[B]{over, ctx, over.whole()}.start(g)
		if !o.stuck {
			check(g, fed, o, len(way.inputs) > 0)
		}
	}
}

func failureOfTheSource[A, B any](f *findings, s operatorSpecimen[A, B]) {
	fail := func() error { return errFeed }
	s.ending(f, fail, func(f *findings, fed *feed[A], o *outcome[B], fedAll bool) {
		over := s.over(fed)
		if fedAll && !s.recovers {
			over.same(f, o.values, !s.losesOnFailure || !fed.reachedEnd())
		}
		if fedAll && s.recovers && len(o.values) >= len(s.want) {
			over.same(f, o.values[:len(s.want)], true)
		}
		switch {
		case !o.returned:
			f.add("%s, want its failure", o.describe())
		case s.recovers, !fed.reachedEnd():
		case !errors.Is(o.err, errFeed):
			f.add("the run returned %v, want %v", o.err, errFeed)
		}
	})
}

// failureInCleanup gives the operator a source that answers yield's false with an error. That
// error may be handed on or not. It is no reason to go on: a value, another run of the
// source or a wait would be for a run that is no longer wanted.
func failureInCleanup[A, B any](f *findings, s operatorSpecimen[A, B]) {
	for _, pace := range []time.Duration{0, pace} {
		f := f.titled("an input every " + pace.String())
		for _, n := range positions(len(s.want)) {
			fed := &feed[A]{inputs: s.inputs, pace: pace, unwell: errFeed}
			s.leftUnwell(f.titled(describe(n, "false")), fed, n)
		}
		if !s.endless {
			fed := &feed[A]{inputs: s.inputs, pace: pace, unwell: errFeed}
			ctx, _ := cancellable()
			s.over(fed).complete(f.titled("end"), ctx, nil)
		}
	}
}

// leftUnwell answers false at the nth value.
func (s operatorSpecimen[A, B]) leftUnwell(f *findings, fed *feed[A], n int) {
	var runs int64
	ctx, _ := cancellable()
	o := run[B]{s.over(fed), ctx, func(i int) bool {
		if i == n {
			synctest.Wait() // runs that have been started have begun
			runs = fed.runs.Load()
		}
		return i < n
	}}.start(f)
	more := fed.runs.Load() - runs
	switch {
	case o.stuck:
	case !o.returned:
		f.add("%s", o.describe())
	case len(o.values) != n:
		f.add("the run ended after %d values, want %d", len(o.values), n)
	case more > 0:
		f.add("after false the source was run %d times more, want none", more)
	case o.err != nil && !errors.Is(o.err, errFeed):
		f.add("the run returned %v, want nil or what the source answered false with: %v", o.err, errFeed)
	case o.ended != o.times[n-1]:
		f.add("the run went on for %v after false", o.ended-o.times[n-1])
	}
}

func panicOfTheSource[A, B any](f *findings, s operatorSpecimen[A, B]) {
	s.ending(f, func() error { panic(errFeed) }, func(f *findings, fed *feed[A], o *outcome[B], _ bool) {
		if !fed.reachedEnd() {
			return
		}
		thrown := o.panicked
		if handedOn, ok := thrown.(*stream.PanicError); ok {
			thrown = handedOn.Value
		}
		if thrown != any(errFeed) {
			f.add("%s, want the panic of the source to reach the caller", o.describe())
		}
	})
}

func goexitOfTheSource[A, B any](f *findings, s operatorSpecimen[A, B]) {
	exit := func() error { runtime.Goexit(); return nil }
	s.ending(f, exit, func(f *findings, fed *feed[A], o *outcome[B], _ bool) {
		if fed.reachedEnd() && !o.exited {
			f.add("%s, want the Goexit of the source to reach the caller", o.describe())
		}
	})
}

// backpressure holds the first value in yield for as long as a source of an
// input a second has time to give more than may be read ahead.
func backpressure[A, B any](f *findings, s operatorSpecimen[A, B]) {
	if s.unlimited || s.readAhead < 0 || len(s.inputs) == 0 {
		return
	}
	spare := 16 * (s.readAhead + len(s.inputs) + 1)
	fed := &feed[A]{inputs: s.inputs, pace: pace, cycles: 1 + spare/len(s.inputs)}
	inner, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	over := s.over(fed)
	run[B]{over, inner, func(n int) bool {
		if n == 1 {
			before := fed.reads.Load()
			time.Sleep(time.Duration(spare) * pace)
			if more := fed.reads.Load() - before; more > int64(s.readAhead) {
				f.add("the source was read for %d values more while yield was at its first, want at most %d", more, s.readAhead)
			}
		}
		return false
	}}.start(f)
}

// bufferingIsTold holds the first value in yield: a source that is read on meanwhile must
// have been told so by its context.
func bufferingIsTold[A, B any](f *findings, s operatorSpecimen[A, B]) {
	if len(s.inputs) == 0 {
		return
	}
	fed := &feed[A]{inputs: s.inputs, pace: pace, cycles: 4}
	inner, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	run[B]{s.over(fed), inner, func(n int) bool {
		if n == 1 {
			before := fed.reads.Load()
			time.Sleep(2 * pace)
			if fed.reads.Load() > before && !fed.marked.Load() {
				f.add("the source was read on while yield was at its first value, and its context does not say so: see stream.WithBuffering")
			}
		}
		return false
	}}.start(f)
}
