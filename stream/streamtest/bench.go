package streamtest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rxipc/rxipc/stream"
)

// Bench is where a test in virtual time takes place. It is the [testing.TB] of
// that test. Its own methods are for the goroutine of the test; Now and Cold are
// for any.
//
// Cold, Hot and Expect are there twice: as methods for strings, whose letters
// stand for themselves, and as functions for values of any type.
type Bench struct {
	testing.TB

	// Frame is how long a column of a diagram lasts: a millisecond unless set,
	// which is done before the first diagram.
	Frame time.Duration

	// Timeout is how long, in virtual time, something is waited for that does
	// not come: an hour unless set.
	Timeout time.Duration

	// Compare are options for comparing values, beside looking at unexported
	// fields.
	Compare []cmp.Option

	ctx    context.Context
	clock  *clock
	begin  time.Time
	errors map[rune]error

	orders  atomic.Int64
	running boundedGroup // ends with ctx
	actions boundedGroup // is waited for
	runs    []func()     // wait for an expected run and report
	letGos  []func()     // report what recorders hold and let them go
	watches []func()     // report subscriptions
}

// Run runs a test in virtual time: f declares what happens on the bench, and runs
// itself in it, in a bubble of [testing/synctest]. Time begins with frame 0 when
// f is called, stands still while anything is at work, and moves when all wait:
// when f waits for a [Recorder] or sleeps, and when it has returned. Run returns
// when all that is expected has been seen; what still goes on then is cancelled,
// and what is left after that fails the test.
//
// What is due in the same frame happens in this order: unsubscriptions; timers of
// the code under test; subscriptions; actions; the values of sources, those of one
// declared first coming first. Each waits until all that the one before has set
// off has come to rest.
//
// As in any bubble, nothing in it may wait for a network, a file or a channel
// made outside; and [Bench.Wait] takes the place of [synctest.Wait], which panics
// when two goroutines call it at a time: the bench does.
func Run(t *testing.T, f func(b *Bench)) {
	t.Helper()
	runBench(t, func(t testing.TB) testing.TB { return t }, f)
}

// runBench is Run, with reports going to another than the test given.
func runBench(t *testing.T, report func(testing.TB) testing.TB, f func(*Bench)) {
	t.Helper()
	var bubble string
	defer func() {
		t.Helper()
		if deadlock := recover(); deadlock != nil {
			report(t).Errorf("the bench cannot end: %v%s", deadlock, stuck(bubble))
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		bubble = bubbleOf(allGoroutines()[0])
		b := newBench(report(t))
		var cancel context.CancelFunc
		b.ctx, cancel = context.WithCancel(t.Context())
		go b.clock.run()
		defer b.close(cancel) // also when f has called FailNow
		f(b)
		b.finish()
	})
}

func newBench(t testing.TB) *Bench {
	return &Bench{
		TB:     t,
		clock:  newClock(),
		begin:  time.Now(),
		errors: map[rune]error{failure: ErrFailed},
	}
}

// stuck are the stacks of what is left in a bubble, but for the bubble's own.
func stuck(bubble string) string {
	var all strings.Builder
	for _, stack := range goroutinesOf(bubble, allGoroutines()) {
		if !strings.Contains(stack, "[synctest.Run") && !strings.Contains(stack, "(*clock).run") {
			all.WriteString("\n\n" + stack)
		}
	}
	return all.String()
}

// finish waits for all that is expected and reports what is not as it should be.
func (b *Bench) finish() {
	if len(b.letGos) > 0 {
		b.Wait()
	}
	for _, steps := range [][]func(){b.letGos, b.runs, {b.awaitActions}, b.watches} {
		for _, step := range steps {
			step()
		}
	}
}

func (b *Bench) awaitActions() {
	if !b.actions.wait(b) {
		b.report("an action has not returned within %v", b.timeout())
	}
}

// close ends what still goes on.
func (b *Bench) close(cancel context.CancelFunc) {
	cancel()
	b.running.wait(b)
	b.clock.stop()
}

// within reports whether something has ended in a time.
func (b *Bench) within(limit time.Duration, ended <-chan struct{}) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-ended:
		return true
	case <-timer.C:
		return false
	}
}

// At calls f at a frame, on a goroutine of its own. The bench does not end before
// it has returned.
func (b *Bench) At(frame int, f func()) {
	b.Helper()
	at := b.instant(frame)
	order := b.order()
	b.actions.Go(func() {
		if b.clock.await(b.ctx, at, acting, order) == nil {
			f()
		}
	})
}

// BindError makes a name stand for a failure with err, in all diagrams that
// follow. A run is expected to fail with an error that is err.
func (b *Bench) BindError(name rune, err error) {
	b.Helper()
	if isSign(name) && name != failure {
		b.Fatalf("%q is a sign of diagrams, not a name", name)
	}
	b.errors[name] = err
}

// Now is the current frame.
func (b *Bench) Now() int { return b.frameAt(time.Now()) }

// Wait waits until all that is due by now has happened, and everything else in the
// bubble waits. Time does not move.
func (b *Bench) Wait() { _ = b.clock.await(b.ctx, time.Now(), resting, 0) }

func (b *Bench) frame() time.Duration {
	if b.Frame > 0 {
		return b.Frame
	}
	return defaultFrame
}

func (b *Bench) timeout() time.Duration {
	if b.Timeout > 0 {
		return b.Timeout
	}
	return time.Hour
}

// beforehand is how long before a frame an unsubscription happens, so that nothing
// that is due in the frame comes before it. It counts as that frame all the same.
const beforehand = time.Nanosecond

func (b *Bench) frameAt(t time.Time) int { return int((t.Sub(b.begin) + beforehand) / b.frame()) }

// instant is when a frame begins, which must not have passed.
func (b *Bench) instant(frame int) time.Time {
	b.Helper()
	at := b.begin.Add(time.Duration(frame) * b.frame())
	if at.Before(time.Now()) {
		b.Fatalf("frame %d has passed: it is frame %d", frame, b.Now())
	}
	return at
}

// order is the place of something declared among all that is.
func (b *Bench) order() int { return int(b.orders.Add(1)) }

func (b *Bench) options() []cmp.Option {
	return append([]cmp.Option{cmp.Exporter(func(reflect.Type) bool { return true })}, b.Compare...)
}

func (b *Bench) equal(x, y any) bool { return cmp.Equal(x, y, b.options()...) }

// difference is that of two values, for people.
func (b *Bench) difference(want, got any) string {
	return "(-expected +actual)\n" + cmp.Diff(want, got, b.options()...)
}

// read reads a diagram; a mistake ends the test.
func (b *Bench) read(text, forbidden, kind string) *diagram {
	b.Helper()
	d, err := read(text, b.frame())
	if err == nil {
		err = d.forbid(forbidden, kind)
	}
	if err != nil {
		b.Fatal(err)
	}
	return d
}

// scripted reads a diagram and binds its names; a mistake ends the test.
func scripted[T any](b *Bench, text, forbidden, kind string, values []map[rune]T) (*script[T], names[T]) {
	b.Helper()
	d := b.read(text, forbidden, kind)
	n := namesOf(b, values)
	s, err := n.bind(d)
	if err != nil {
		b.Fatal(err)
	}
	return s, n
}

// calledFrom is the place in a test's source that called what called this, be it
// through another kit that stands on this one.
func calledFrom() string {
	_, file, line, known := runtime.Caller(2)
	at := fmt.Sprintf("%s:%d", filepath.Base(file), line)
	for skip := 3; known; skip++ {
		if strings.HasSuffix(file, "_test.go") {
			return fmt.Sprintf("%s:%d", filepath.Base(file), line)
		}
		_, file, line, known = runtime.Caller(skip)
	}
	return at // there is none
}

// report fails the test and says why, without the place of this line.
func (b *Bench) report(format string, arguments ...any) {
	b.Fail()
	fmt.Fprintf(b.Output(), format+"\n", arguments...)
}

// tell runs a source and tells each thing that the run does; see wants more. The
// end that cancelling asked for is not told.
func tell[T any](ctx context.Context, b *Bench, source stream.Observable[T], see func(note[T]) bool) {
	seen := func(n note[T]) bool {
		n.at = time.Since(b.begin)
		n.frame = b.Now()
		return see(n)
	}
	wanted, returned := true, false
	defer func() {
		if !returned {
			seen(note[T]{kind: exited})
		}
	}()
	err := source(ctx, func(v T) bool {
		wanted = wanted && seen(note[T]{kind: emitted, value: v})
		return wanted
	})
	returned = true
	switch {
	case !wanted && err == nil:
	case err == nil:
		seen(note[T]{kind: completed})
	case ctx.Err() == nil || !errors.Is(err, context.Canceled):
		seen(note[T]{kind: failed, err: err})
	}
}
