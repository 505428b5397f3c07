package streamtest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// recorder stands for the test that a check reports to.
type recorder struct {
	testing.TB
	errors []string
}

func (*recorder) Helper()                  {}
func (r *recorder) Error(arguments ...any) { r.errors = append(r.errors, fmt.Sprint(arguments...)) }

// found is what the rule of that name finds wrong. Culprits that stand still are let go
// afterwards: goroutines of a bubble that cannot end stay for as long as the process.
func found[S any](t *testing.T, rules []rule[S], name string, s S) string {
	report := new(recorder)
	for _, r := range rules {
		if r.name == name {
			check := r.check
			r.check = func(f *findings, s S) {
				still.made()
				check(f, s)
				still.letGo()
			}
			r.inBubble(t, report, s)
		}
	}
	return strings.Join(report.errors, "\n")
}

// gate is where culprits stand still.
type gate chan struct{}

var still = new(gate)

func (g *gate) made()  { *g = make(chan struct{}) }
func (g *gate) wait()  { <-*g }
func (g *gate) letGo() { close(*g); time.Sleep(late) }

// open reports whether culprits have been let go.
func (g *gate) open() bool {
	select {
	case <-*g:
		return true
	default:
		return false
	}
}

// inBubbles are the stacks of the goroutines in any bubble, by number.
func inBubbles() map[string]string {
	found := make(map[string]string)
	for _, stack := range allGoroutines() {
		if bubbleOf(stack) != "" {
			found[idOf(stack)] = stack
		}
	}
	return found
}

type culprit[S any] struct {
	name     string
	rule     string // one that it breaks
	says     string // part of what is said of it
	specimen S
}

func check[S any](t *testing.T, rules []rule[S], culprits []culprit[S]) {
	before := inBubbles()
	defer func() {
		for id, stack := range inBubbles() {
			if before[id] == "" {
				t.Errorf("the round of culprits has left a goroutine, want none:\n%s", stack)
			}
		}
	}()
	caught := make(map[string]bool)
	for _, c := range culprits {
		t.Run(c.name, func(t *testing.T) {
			if said := found(t, rules, c.rule, c.specimen); !strings.Contains(said, c.says) {
				t.Errorf("the rule %q says %q, want %q", c.rule, said, c.says)
				return
			}
			caught[c.rule] = true
		})
	}
	for _, r := range rules {
		if !caught[r.name] {
			t.Errorf("no culprit was caught by %q", r.name)
		}
	}
}

// of is a specimen that should give 1, 2, 3.
func of(source stream.Observable[int], options ...Option) specimen[int] {
	return specimen[int]{config: configured(options), source: source, want: []int{1, 2, 3}}
}

// numbers is a good source of 1, 2, 3, for culprits to spoil.
var numbers = stream.Range(1, 3)

// paced is a good source of 1, 2, 3, one a second.
func paced(ctx context.Context, yield func(int) bool) error {
	return (&feed[int]{inputs: []int{1, 2, 3}, pace: pace}).run(ctx, yield)
}

func TestCheckCatchesCulprits(t *testing.T) {
	used := 0
	check(t, rulesOfObservables[int](), []culprit[specimen[int]]{
		{"other values", "values and end", "value 2 is 2, want 7", specimen[int]{source: numbers, want: []int{1, 7, 3}}},
		{"too few values", "values and end", "got 2 values, want 3", of(stream.Range(1, 2))},
		{"unexpected value", "values and end", "value 4 is not expected", of(stream.Just(3, 4, 1), Unordered())},
		{"does not complete", "values and end", "the run does not end", of(func(ctx context.Context, yield func(int) bool) error {
			err := numbers(ctx, yield)
			still.wait()
			return err
		})},
		{"sleeps for ever", "values and end", "the run does not end", of(func(context.Context, func(int) bool) error {
			for !still.open() {
				time.Sleep(late / 2)
			}
			return nil
		})},
		{"fails", "values and end", "returned EOT", of(func(ctx context.Context, yield func(int) bool) error {
			_ = numbers(ctx, yield)
			return errors.New("EOT")
		})},
		{"does not fail", "values and end", "returned <nil>, want EOT", of(numbers, Fails(errors.New("EOT")))},
		{"state of all runs", "independent runs", "second run: got 0 values", of(func(ctx context.Context, yield func(int) bool) error {
			for used < 3 {
				used++
				if !yield(used) {
					return nil
				}
			}
			return ctx.Err()
		})},
		{"one run at a time", "simultaneous runs", "values, want 3", of(Misbehaving(SimultaneousRuns, 1, 2, 3))},
		{"one state for all runs", "nested runs", "got 1 values, want 3", of(Misbehaving(NestedRuns, 1, 2, 3))},
		{"remembers yield", "no reference is kept", "false: yield or its context can still be reached", of(Misbehaving(NoReferenceIsKept, 1, 2, 3))},
		{"another goroutine", "serial, on the caller's goroutine", "another goroutine", of(func(ctx context.Context, yield func(int) bool) error {
			var all sync.WaitGroup
			all.Go(func() { _ = numbers(ctx, yield) })
			all.Wait()
			return nil
		})},
		{"two at a time", "serial, on the caller's goroutine", "another call was at work", of(func(ctx context.Context, yield func(int) bool) error {
			var all sync.WaitGroup
			all.Go(func() {
				time.Sleep(pace / 2)
				yield(9)
			})
			err := numbers(ctx, yield)
			all.Wait()
			return err
		})},
		{"deaf to false", "nothing after false", "after it had returned false", of(func(ctx context.Context, yield func(int) bool) error {
			for i := range 3 {
				yield(i + 1)
			}
			return context.Cause(ctx)
		})},
		{"lingers after false", "nothing after false", "the run went on for 1s", of(func(ctx context.Context, yield func(int) bool) error {
			err := numbers(ctx, yield)
			time.Sleep(time.Second)
			return err
		})},
		{"fails after false", "nothing after false", "want nil", of(func(ctx context.Context, yield func(int) bool) error {
			wanted := true
			err := numbers(ctx, func(v int) bool { wanted = wanted && yield(v); return wanted })
			if !wanted {
				return errors.New("not wanted")
			}
			return err
		})},
		{"yields later", "nothing after the return", "yield was called after the run had ended", of(func(ctx context.Context, yield func(int) bool) error {
			time.AfterFunc(time.Minute, func() { yield(4) })
			return numbers(ctx, yield)
		})},
		{"leaves a sleeper", "nothing is left", "a goroutine is left", of(func(ctx context.Context, yield func(int) bool) error {
			go time.Sleep(time.Minute)
			return numbers(ctx, yield)
		})},
		{"leaves one for ever", "nothing is left", "a goroutine is left", of(func(ctx context.Context, yield func(int) bool) error {
			go still.wait()
			return numbers(ctx, yield)
		})},
		{"leaves a context", "nothing is left", "1 contexts or functions", of(func(ctx context.Context, yield func(int) bool) error {
			inner, cancel := context.WithCancel(ctx)
			defer time.AfterFunc(time.Hour, cancel)
			return numbers(inner, yield)
		})},
		{"starts when cancelled", "cancelled before", "1 values came", of(func(ctx context.Context, yield func(int) bool) error {
			for i := range 3 {
				if !yield(i + 1) {
					return nil
				}
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
			}
			return nil
		})},
		{"hides the cause", "cancelled before", "returned context canceled, want the cause", of(func(ctx context.Context, yield func(int) bool) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return numbers(ctx, yield)
		})},
		{"success without values when cancelled", "cancelled before", "returned <nil>, want the cause", specimen[int]{source: func(context.Context, func(int) bool) error {
			return nil
		}}},
		{"success after the last value when cancelled", "cancelled in yield", "cancelled at value 3: the run returned <nil>, want the cause", of(func(ctx context.Context, yield func(int) bool) error {
			for i := range 3 {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				if !yield(i + 1) {
					return nil
				}
			}
			return nil
		})},
		{"success when cancelled", "cancelled in yield", "returned <nil>, want the cause", of(func(ctx context.Context, yield func(int) bool) error {
			_ = numbers(ctx, yield)
			return nil
		})},
		{"busy when cancelled", "cancelled in yield", "2 values came after its end", of(func(ctx context.Context, yield func(int) bool) error {
			for i := range 3 {
				if !yield(i + 1) {
					return nil
				}
			}
			return context.Cause(ctx)
		})},
		{"waits when cancelled", "cancelled while the source waits", "the run went on for 500ms", of(func(ctx context.Context, yield func(int) bool) error {
			for i := range 3 {
				time.Sleep(pace)
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				if !yield(i + 1) {
					return nil
				}
			}
			return nil
		})},
		{"tosses a coin", "cancelled while yield waits", "values came after its end", of(func(ctx context.Context, yield func(int) bool) error {
			ticker := time.NewTicker(pace)
			defer ticker.Stop()
			for i := range 3 {
				<-ticker.C // a tick has come while yield was at work
				if !yield(i + 1) {
					return nil
				}
			}
			return context.Cause(ctx)
		})},
		{"catches panics", "panic of yield", "want the panic of yield", of(func(ctx context.Context, yield func(int) bool) (err error) {
			defer func() {
				if v := recover(); v != nil {
					err = fmt.Errorf("panic: %v", v)
				}
			}()
			return numbers(ctx, yield)
		})},
		{"catches Goexit", "Goexit of yield", "want the Goexit of yield", of(func(ctx context.Context, yield func(int) bool) (err error) {
			returned := false
			defer func() {
				if !returned {
					panic("exit")
				}
			}()
			err = numbers(ctx, yield)
			returned = true
			return err
		})},
		{"leaves a goroutine when yield panics", "panic of yield", "a goroutine is left", of(func(ctx context.Context, yield func(int) bool) error {
			stop := make(chan struct{})
			go func() {
				select {
				case <-stop:
				case <-*still:
				}
			}()
			err := numbers(ctx, yield)
			close(stop)
			return err
		})},
	})
}

// with is a specimen that should make 1, 2, 3 of 1, 2, 3.
func with(op stream.Operator[int, int], options ...Option) operatorSpecimen[int, int] {
	return operatorSpecimen[int, int]{config: configured(options), op: op, inputs: []int{1, 2, 3}, want: []int{1, 2, 3}}
}

func TestCheckOperatorCatchesCulprits(t *testing.T) {
	type (
		source  = stream.Observable[int]
		subject = culprit[operatorSpecimen[int, int]]
	)
	// The rules of runs have culprits of their own.
	rules := rulesOfOperators[int, int]()[len(rulesOfRuns[int]()):]
	check(t, rules, []subject{
		{"starts when built", "building starts nothing", "before the observable was called", with(func(s source) source {
			_, _ = s.Collect(context.Background())
			return s
		})},
		{"goroutine when built", "building starts nothing", "a goroutine was started", with(func(s source) source {
			go still.wait()
			return s
		})},
		{"swallows failures", "failure of the source", "returned <nil>, want", with(func(s source) source {
			return func(ctx context.Context, yield func(int) bool) error {
				_ = s(ctx, yield)
				return nil
			}
		})},
		{"swallows the last value", "failure of the source", "got 2 values, want 3", with(func(s source) source {
			return func(ctx context.Context, yield func(int) bool) error {
				var held []int
				err := s(ctx, func(v int) bool {
					held = append(held, v)
					if len(held) < 2 {
						return true
					}
					v, held = held[0], held[1:]
					return yield(v)
				})
				for _, v := range held {
					if err == nil {
						yield(v)
					}
				}
				return err
			}
		})},
		{"catches panics", "panic of the source", "want the panic of the source", with(func(s source) source {
			return func(ctx context.Context, yield func(int) bool) (err error) {
				defer func() {
					if v := recover(); v != nil {
						err = fmt.Errorf("panic: %v", v)
					}
				}()
				return s(ctx, yield)
			}
		})},
		{"hides Goexit", "Goexit of the source", "want the Goexit of the source", with(func(s source) source {
			return func(ctx context.Context, yield func(int) bool) error {
				values, wait := s.Channel(ctx, 0)
				for v := range values {
					yield(v)
				}
				return wait()
			}
		})},
		{"remembers yield", "no reference is kept", "inputs at once, false: yield or its context can still", with(func(source) source {
			return Misbehaving(NoReferenceIsKept, 1, 2, 3)
		})},
		{"panics without a value", "completion without a value", "panicked with none", with(func(s source) source {
			return func(ctx context.Context, yield func(int) bool) error {
				values, err := s.Collect(ctx)
				if err == nil && len(values) == 0 {
					panic("none")
				}
				return stream.FromSlice(values)(ctx, yield)
			}
		})},
		{"keeps what is unread", "bounded memory", "bytes were kept of 13107", with(func(s source) source {
			return func(ctx context.Context, yield func(int) bool) error {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				values, wait := s.Channel(ctx, 1_000_000)
				for v := range values {
					if !yield(v) {
						cancel()
						_ = wait()
						return nil
					}
				}
				return wait()
			}
		}, ReadAhead(-1))},
		{"calls itself", "bounded recursion", "calls deep at value 32", with(func(s source) source {
			var from func(values []int) source
			from = func(values []int) source {
				return func(ctx context.Context, yield func(int) bool) error {
					if len(values) == 0 || !yield(values[0]) {
						return nil
					}
					return from(values[1:])(ctx, yield)
				}
			}
			return func(ctx context.Context, yield func(int) bool) error {
				values, err := s.Collect(ctx)
				if err != nil {
					return err
				}
				return from(values)(ctx, yield)
			}
		})},
		{"reads all", "backpressure", "values more while yield was at its first, want at most 2", with(func(s source) source {
			return func(ctx context.Context, yield func(int) bool) error {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				values, wait := s.Channel(ctx, 1_000_000)
				for v := range values {
					if !yield(v) {
						cancel()
						_ = wait()
						return nil
					}
				}
				return wait()
			}
		}, ReadAhead(2))},
		{"does not tell that it buffers", "buffering is told", "see stream.WithBuffering", with(func(s source) source {
			return func(ctx context.Context, yield func(int) bool) error {
				untold := stream.Observable[int](func(ctx context.Context, yield func(int) bool) error {
					return s(stream.WithBuffering(ctx, ""), yield)
				})
				return stream.Buffered(untold, 2, stream.Block)(ctx, yield)
			}
		}, ReadAhead(3))},
		{"starts a fallback when its source cleans up", "failure while the source cleans up", "yield was called after it had returned false", with(func(s source) source {
			return func(ctx context.Context, yield func(int) bool) error {
				if err := s(ctx, yield); err != nil {
					return stream.Just(8, 9)(ctx, yield)
				}
				return nil
			}
		})},
		{"starts its source again when it cleans up", "failure while the source cleans up", "the source was run 1 times more, want none", with(func(s source) source {
			return func(ctx context.Context, yield func(int) bool) error {
				wanted := true
				guarded := func(v int) bool { wanted = wanted && yield(v); return wanted }
				if err := s(ctx, guarded); err != nil {
					return s(ctx, guarded)
				}
				return nil
			}
		})},
		{"waits to try again when its source cleans up", "failure while the source cleans up", "the run went on for 1s after false", with(func(s source) source {
			return func(ctx context.Context, yield func(int) bool) error {
				err := s(ctx, yield)
				if err != nil {
					time.Sleep(pace)
				}
				return err
			}
		})},
		{"fails when it ends its source", "failure while the source cleans up", "end: the run returned streamtest: failure of the source, want nil", with(func(s source) source {
			return func(ctx context.Context, yield func(int) bool) error {
				n := 0
				return s(ctx, func(v int) bool { n++; return yield(v) && n < 3 })
			}
		})},
		{"leaves its source", "failure of the source", "runs of the source go on", with(func(s source) source {
			return func(ctx context.Context, yield func(int) bool) error {
				go func() { _ = s(ctx, func(int) bool { still.wait(); return false }) }()
				runtime.Gosched()
				return s(ctx, yield)
			}
		})},
	})
}

func TestCheckAcceptsGoodOnes(t *testing.T) {
	Check(t, numbers, []int{1, 2, 3})
	Check(t, paced, []int{1, 2, 3})
	Check(t, stream.Throw[int](errFeed), nil, Fails(errFeed))
	Check(t, stream.Never[int](), nil, Endless())
	CheckOperator(t, func(s stream.Observable[int]) stream.Observable[int] { return s }, []int{1, 2, 3}, []int{1, 2, 3})
}
