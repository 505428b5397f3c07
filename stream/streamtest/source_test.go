package streamtest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// TestColdKeepsTheContract runs the rules on a bench that goes on beside them.
func TestColdKeepsTheContract(t *testing.T) {
	for _, diagram := range []string{"123|", "-1-2-3-|", "(12)-3(|)", "-(123|)", "1 1s 23|"} {
		for _, r := range rulesOfObservables[int]() {
			t.Run(diagram+" "+r.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t)
					go b.clock.run()
					defer b.clock.stop()
					f := new(findings)
					f.knowing()
					r.check(f, of(Cold[int](b, diagram)))
					for _, finding := range f.all() {
						t.Errorf("checking a cold source: got the finding %q, want none", finding)
					}
				})
			})
		}
	}
}

func TestColdRunsAreIndependent(t *testing.T) {
	Run(t, func(b *Bench) {
		source := b.Cold("-a-b-|")
		b.Expect(source, "-a-b-|")
		b.Expect(source, "--^a-b-|")
		b.Expect(stream.Repeat(source, 2), "-a-b--a-b-|")
		b.Expect(source, "-a-!")
		b.Expect(source, "-a-")
		b.Expect(operators.Take[string](1)(source), "-(a|)")
	})
}

func TestColdIsHeldUpByASlowConsumer(t *testing.T) {
	Run(t, func(b *Bench) {
		slow := operators.Map(func(s string) string {
			time.Sleep(3 * time.Millisecond)
			return s
		})
		b.Expect(slow(b.Cold("-ab------c|")), "----a--b----(c|)")
	})
}

func TestColdFails(t *testing.T) {
	broken := errors.New("broken")
	Run(t, func(b *Bench) {
		b.Expect(b.Cold("-a-#"), "-a-#")
		b.Expect(stream.Throw[string](ErrFailed), "#")
		b.BindError('x', broken)
		b.BindError('#', context.DeadlineExceeded)
		b.Expect(b.Cold("-a-x"), "-a-x")
		b.Expect(operators.Named[string]("name")(b.Cold("-a-(bx)")), "-a-(bx)")
		b.Expect(stream.Throw[string](context.DeadlineExceeded), "#")
		b.Expect(operators.Catch(func(err error) stream.Observable[string] {
			if !errors.Is(err, broken) {
				return stream.Throw[string](err)
			}
			return b.Cold("-c|")
		})(b.Cold("-a-x")), "-a--c|")
	})
}

type celsius float32

type reading struct {
	sensor string
	value  int
}

func TestValuesByName(t *testing.T) {
	Run(t, func(b *Bench) {
		Expect(b, Cold[int](b, "-1-2|"), "-1-x|", map[rune]int{'x': 2})
		Expect(b, Cold(b, "-1-x|", map[rune]int{'x': 2, '1': 7}), "-a-b|", map[rune]int{'a': 7, 'b': 2})
		Expect(b, Cold[uint8](b, "9|"), "9|")
		Expect(b, Cold[celsius](b, "9|"), "9|")
		Expect(b, operators.Count[string]()(b.Cold("-a-b|")), "----(2|)")
		readings := map[rune]reading{'a': {"north", 1}, 'b': {"south", 2}}
		Expect(b, Cold(b, "-a-b|", readings), "-a-b|", readings)
		inner := map[rune]stream.Observable[string]{'x': b.Cold("ab|"), 'y': b.Cold("-c-|")}
		flat := operators.ConcatMap(func(o stream.Observable[string]) stream.Observable[string] { return o })
		b.Expect(flat(Cold(b, "-x-----y|", inner)), "-ab-----c-|")
	})
}

func TestHot(t *testing.T) {
	Run(t, func(b *Bench) {
		source := b.Hot("-a-^-b-(cd)-|")
		b.Expect(source, "--b-(cd)-|")
		b.Expect(source, "---^(cd)-|")
		b.Expect(source, "----(^cd)-|")
		b.Expect(source, "--b!")
		b.Expect(source, "----------(^|)")
		b.Expect(b.Hot("ab#"), "ab#")
		Expect(b, Hot[int](b, "1--2--"), "1--2------")
	})
}

func TestHotLosesNothingForASlowConsumer(t *testing.T) {
	Run(t, func(b *Bench) {
		slow := operators.Map(func(s string) string {
			time.Sleep(3 * time.Millisecond)
			return s
		})
		b.Expect(slow(b.Hot("-abc|")), "----a--b--(c|)")
	})
}

// debounce is an operator with timers of its own, as tests of a bench need one.
func debounce(d time.Duration) stream.Operator[string, string] {
	return func(source stream.Observable[string]) stream.Observable[string] {
		return func(ctx context.Context, yield func(string) bool) error {
			inner, cancel := context.WithCancel(ctx)
			defer cancel()
			values, wait := source.Channel(inner, 0)
			timer := time.NewTimer(d)
			timer.Stop()
			var last string
			waits := false
			for {
				select {
				case <-ctx.Done():
					_ = wait()
					return context.Cause(ctx)
				case <-timer.C:
					waits = false
					if !yield(last) {
						cancel()
						_ = wait()
						return nil
					}
				case v, more := <-values:
					if more {
						last, waits = v, true
						timer.Reset(d)
						continue
					}
					if waits && !yield(last) {
						return nil
					}
					return wait()
				}
			}
		}
	}
}

func TestCodeWithItsOwnTimers(t *testing.T) {
	for range 20 {
		Run(t, func(b *Bench) {
			b.Expect(debounce(2*time.Millisecond)(Watch(b, b.Cold("-ab---c--|"), "^--------!")), "----b---c|")
			b.Expect(debounce(2*time.Millisecond)(b.Cold("-a-bc---d|")), "---a--c--(d|)")
			b.Expect(debounce(time.Second)(b.Hot("-a 2s b|")), "- 1s a 1001ms (b|)")
			Expect(b, stream.Interval(2*time.Millisecond), "--0-1-2-!")
			Expect(b, stream.Interval(time.Millisecond), "-012")
		})
	}
}

// TestMergeIsInOrder: what comes at the same instant comes in the order in which
// the sources were made.
func TestMergeIsInOrder(t *testing.T) {
	for range 20 {
		Run(t, func(b *Bench) {
			one, two := b.Cold("a--(bc)-|"), b.Cold("x--y----|")
			b.Expect(operators.Merge(two, one), "(ax)--(bcy)----|")
		})
	}
}
