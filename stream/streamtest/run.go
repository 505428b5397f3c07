package streamtest

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"sync"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Times of a bubble's clock.
const (
	pace       = time.Second        // between things that happen in time
	late       = time.Hour          // how long a run that returned is watched
	runTimeout = 10_000 * time.Hour // how long a run is waited for
	surplus    = 1_000              // values more than expected that are looked at
)

// outcome is what was seen of one run.
type outcome[T any] struct {
	values   []T
	times    []time.Duration // when each came, since the start
	ended    time.Duration   // when the run did
	returned bool            // rather than panicked, exited, or got stuck
	err      error
	panicked any
	stack    []byte // of the panic
	exited   bool   // runtime.Goexit
	stuck    bool
}

// describe says how a run ended.
func (o *outcome[T]) describe() string {
	switch {
	case o.returned:
		return fmt.Sprintf("the run returned %v", o.err)
	case o.exited:
		return "the run's goroutine exited"
	case o.stuck:
		return "the run does not end"
	default:
		return fmt.Sprintf("the run panicked with %v\n%s", o.panicked, o.stack)
	}
}

// run is one run that is watched. Its zero value but for source and context is a
// run to the end.
type run[T any] struct {
	specimen[T]
	ctx   context.Context
	yield func(n int) bool // what yield does at the nth value, counted from one; nil wants more
}

// watcher is what all calls of yield of one run share.
type watcher struct {
	mu     sync.Mutex
	inside bool
	closed string // why yield must not be called any more
}

// start runs it, waits for its end and looks at what it left. What breaks the
// contract in any run, whatever the check is about, goes to the findings.
func (r run[T]) start(f *findings) *outcome[T] {
	before := runtime.NumGoroutine()
	defer r.release()
	o := r.beside(f)
	if !o.stuck {
		lookAround(f, before)
	}
	return o
}

// beside runs it in a goroutine of its own and waits for its end. Other runs may
// go on at the same time.
func (r run[T]) beside(f *findings) *outcome[T] {
	o := new(outcome[T])
	w := new(watcher)
	begin := time.Now()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() {
			o.ended = time.Since(begin)
			w.mu.Lock()
			w.closed = "after the run had ended"
			w.mu.Unlock()
			if !o.returned {
				o.panicked, o.stack = recover(), debug.Stack()
				o.exited = o.panicked == nil
			}
			if r.left != nil {
				if left := r.left(); left != "" {
					f.add("when the run ended: %s", left)
				}
			}
			if ctx, ok := r.ctx.(*watchedContext); ok && ctx.count() > 0 {
				f.add("when the run ended: %d contexts or functions were still registered with its context", ctx.count())
			}
		}()
		caller := goroutineID()
		o.err = r.source(r.ctx, func(v T) bool {
			if !w.enter(f, caller) {
				return false
			}
			more := false
			defer func() { w.exit(more) }()
			o.values = append(o.values, v)
			o.times = append(o.times, time.Since(begin))
			n := len(o.values)
			if n > len(r.want)+surplus {
				return false // more than anybody asked for: it may not end by itself
			}
			more = r.yield == nil || r.yield(n)
			return more
		})
		o.returned = true
	}()
	timeout := time.NewTimer(runTimeout)
	defer timeout.Stop()
	select {
	case <-ended:
	case <-timeout.C:
		f.add("the run does not end")
		return &outcome[T]{stuck: true}
	}
	return o
}

// enter begins a call of yield and reports whether it may go on.
func (w *watcher) enter(f *findings, caller string) bool {
	elsewhere := goroutineID() != caller
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed != "":
		f.add("yield was called %s", w.closed)
	case w.inside:
		f.add("yield was called while another call was at work")
	case elsewhere:
		f.add("yield was called on another goroutine than the caller's")
	default:
		w.inside = true
		return true
	}
	return false
}

func (w *watcher) exit(more bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inside = false
	if !more && w.closed == "" {
		w.closed = "after it had returned false, panicked or exited"
	}
}

// lookAround looks for what the run has left, now and for a while.
func lookAround(f *findings, before int) {
	synctest.Wait() // a goroutine that has done all it does may still be on its way out
	for _, stack := range f.unknown(before) {
		f.add("a goroutine is left:\n%s", stack)
	}
	time.Sleep(late) // also for what is left: it may end by itself
}

// release ends the context of a run that is over, or stuck, so that what it has left, and
// has been reported, need not stay for as long as the process.
func (r run[T]) release() {
	if ctx, ok := r.ctx.(*watchedContext); ok {
		ctx.end(errCancelled)
	}
}

// same reports values that are not those expected: all of them, or the first ones
// where an end came early.
func (s specimen[T]) same(f *findings, got []T, whole bool) {
	want := s.want
	switch {
	case whole && len(got) != len(want), len(got) > len(want):
		f.add("got %d values, want %d\n got %v\nwant %v", len(got), len(want), got, want)
	case s.unordered:
		s.someOf(f, got)
	default:
		for i, v := range got {
			if !equal(v, want[i]) {
				f.add("value %d is %v, want %v\n got %v\nwant %v", i+1, v, want[i], got, want)
				return
			}
		}
	}
}

// someOf reports values that are not among those expected.
func (s specimen[T]) someOf(f *findings, got []T) {
	taken := make([]bool, len(s.want))
	for _, v := range got {
		found := false
		for i, w := range s.want {
			if !taken[i] && equal(v, w) {
				taken[i], found = true, true
				break
			}
		}
		if !found {
			f.add("value %v is not expected, or not so often\n got %v\nwant %v", v, got, s.want)
			return
		}
	}
}

// equal compares deeply, unexported fields included.
func equal[T any](a, b T) bool {
	return cmp.Equal(a, b, cmp.Exporter(func(reflect.Type) bool { return true }))
}
