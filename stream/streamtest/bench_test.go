package streamtest

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// reporter stands for the test that a bench reports to.
type reporter struct {
	testing.TB
	said   strings.Builder
	failed bool
}

// errStopped stands for FailNow.
var errStopped = fmt.Errorf("stopped")

func (*reporter) Helper()             {}
func (r *reporter) Output() io.Writer { return &r.said }
func (r *reporter) Fail()             { r.failed = true }
func (r *reporter) Failed() bool      { return r.failed }
func (r *reporter) Errorf(format string, arguments ...any) {
	r.Fail()
	fmt.Fprintf(&r.said, format+"\n", arguments...)
}
func (r *reporter) Fatalf(format string, arguments ...any) {
	r.Errorf(format, arguments...)
	panic(errStopped)
}
func (r *reporter) Fatal(arguments ...any) { r.Fatalf("%s", fmt.Sprint(arguments...)) }

func (r *reporter) over(inner testing.TB) testing.TB {
	r.TB = inner
	return r
}

// reportOf is what a test on a bench says. Spaces that go-cmp puts there at random
// are plain.
func reportOf(t *testing.T, f func(*Bench)) string {
	t.Helper()
	r := new(reporter)
	runBench(t, r.over, func(b *Bench) {
		defer func() {
			if v := recover(); v != nil && v != any(errStopped) {
				panic(v)
			}
		}()
		f(b)
	})
	if said := r.said.String(); (said != "") != r.failed {
		t.Errorf("failed: %v, but it says %q", r.failed, said)
	}
	return strings.ReplaceAll(r.said.String(), "\u00a0", " ")
}

// says compares what a test on a bench says with a text whose lines are indented.
func says(t *testing.T, want string, f func(*Bench)) {
	t.Helper()
	if got, want := unindented(reportOf(t, f)), unindented(want); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// unindented drops the indentation of the first line from all, the line numbers of
// tests, and empty lines at both ends.
func unindented(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	indentation := len(lines[0]) - len(strings.TrimLeft(lines[0], "\t"))
	for i, line := range lines {
		line = strings.TrimRight(line[min(indentation, len(line)-len(strings.TrimLeft(line, "\t"))):], "\t ")
		if place, rest, ok := strings.Cut(line, ": "); ok && strings.Contains(place, "_test.go:") {
			line = "here: " + rest
		}
		lines[i] = line
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

func TestOrderWithinAnInstant(t *testing.T) {
	for range 20 {
		Run(t, func(b *Bench) {
			var mu sync.Mutex // a timer's function shares nothing else with the others
			var order []string
			note := func(what string) {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, what)
			}
			first, second := b.Cold("--a|"), b.Cold("--b|")
			for _, source := range []stream.Observable[string]{second, first} {
				Expect(b, func(ctx context.Context, _ func(string) bool) error {
					return source.ForEach(ctx, note)
				}, "---|")
			}
			b.At(2, func() { note("action") })
			Expect(b, func(ctx context.Context, _ func(int) bool) error {
				note("subscription")
				return nil
			}, "--(^|)")
			Expect(b, func(ctx context.Context, _ func(int) bool) error {
				<-ctx.Done()
				note("unsubscription")
				return context.Cause(ctx)
			}, "--!")
			time.AfterFunc(2*time.Millisecond, func() { note("timer") })
			b.At(3, func() {
				mu.Lock()
				defer mu.Unlock()
				want := []string{"unsubscription", "timer", "subscription", "action", "a", "b"}
				if !slices.Equal(order, want) {
					b.Errorf("got %q, want %q", order, want)
				}
			})
		})
	}
}

func TestBenchTime(t *testing.T) {
	Run(t, func(b *Bench) {
		b.Frame = time.Second
		begin := time.Now()
		b.At(5, func() {
			if b.Now() != 5 || time.Since(begin) != 5*time.Second {
				b.Errorf("call at frame 5: got frame %d after %v, want frame 5 after 5 s", b.Now(), time.Since(begin))
			}
		})
		time.Sleep(2500 * time.Millisecond)
		if b.Now() != 2 {
			b.Errorf("read the frame after 2.5 s: got %d, want 2", b.Now())
		}
		b.Wait()
	})
}

func TestFramesThatHavePassed(t *testing.T) {
	says(t, `frame 2 has passed: it is frame 3`, func(b *Bench) {
		time.Sleep(3 * time.Millisecond)
		b.At(2, func() {})
	})
	says(t, `frame 0 has passed: it is frame 3`, func(b *Bench) {
		time.Sleep(3 * time.Millisecond)
		b.Expect(b.Cold("|"), "|")
	})
	Run(t, func(b *Bench) {
		time.Sleep(3 * time.Millisecond)
		b.Expect(b.Cold("-a|"), "---^a|")
	})
}

func TestBenchWaitsForActions(t *testing.T) {
	acted := false
	Run(t, func(b *Bench) {
		b.At(3, func() {
			time.Sleep(time.Second)
			acted = true
		})
	})
	if !acted {
		t.Error("the bench ended before")
	}
	said := reportOf(t, func(b *Bench) {
		b.Timeout = time.Minute
		b.At(3, func() { time.Sleep(90 * time.Second) })
	})
	if !strings.HasPrefix(said, "an action has not returned within 1m0s\nthe bench cannot end") {
		t.Errorf("wait for an action that takes too long: the bench reported %q, want that it has not returned", said)
	}
}

func TestBenchWithSomethingLeftFailsTheTest(t *testing.T) {
	said := reportOf(t, func(b *Bench) {
		go func() { time.Sleep(time.Hour) }()
	})
	holds(t, said, "the bench cannot end: deadlock: main bubble goroutine has exited", "TestBenchWithSomethingLeftFailsTheTest.func1.1()")
	if n := strings.Count(said, "goroutine "); n != 3 { // the message, one that is left, who made it
		t.Errorf("%d goroutines in %s", n, said)
	}
	Run(t, func(b *Bench) {
		ctx := b.Context()
		go func() { <-ctx.Done() }() // ends with the test
	})
}

func TestBenchThatIsBlockedFailsTheTest(t *testing.T) {
	said := reportOf(t, func(*Bench) { select {} })
	holds(t, said, "the bench cannot end: deadlock: all goroutines in bubble are blocked", "TestBenchThatIsBlockedFailsTheTest.func1")
}

func TestBenchRunThatDoesNotEndFailsTheTest(t *testing.T) {
	said := reportOf(t, func(b *Bench) {
		b.Expect(func(context.Context, func(string) bool) error {
			for {
				time.Sleep(time.Minute)
			}
		}, "-a|")
	})
	holds(t, said, "the run had not ended 1h0m0s after the diagram", "the run does not end though its context has",
		"the bench cannot end", "TestBenchRunThatDoesNotEndFailsTheTest.func1.1(")
}

func holds(t *testing.T, said string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(said, part) {
			t.Errorf("%q is not in\n%s", part, said)
		}
	}
}

func TestBenchSeesGoexitInARun(t *testing.T) {
	says(t, `
		here: the run is not as expected
		    expected  -a|
		      actual  -?
		               ^^
		    frame 1: expected "a", got exit of the run's goroutine
		    frame 2: expected completion, got nothing
	`, func(b *Bench) {
		source := b.Cold("-a|")
		b.Expect(func(ctx context.Context, yield func(string) bool) error {
			return source.ForEach(ctx, func(string) { b.exit() })
		}, "-a|")
	})
}

// exit ends the goroutine, as FailNow does.
func (*Bench) exit() { runtime.Goexit() }
