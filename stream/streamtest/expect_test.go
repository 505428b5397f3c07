package streamtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

func TestDifferencesAreDrawn(t *testing.T) {
	for name, c := range map[string]struct {
		f    func(*Bench)
		says string
	}{
		"other time": {func(b *Bench) { b.Expect(b.Cold("-a--b-|"), "-a-b--|") }, `
			here: the run is not as expected
			    expected  -a-b--|
			      actual  -a--b-|
			                 ^^
			    frame 3: expected "b", got nothing
			    frame 4: got "b", expected nothing
		`},
		"groups": {func(b *Bench) { b.Expect(b.Cold("-a-(bc)-|"), "-(ab)-b--") }, `
			here: the run is not as expected
			    expected  -(ab)-b   --
			      actual  -a   -(bc)-|
			               ^    ^    ^
			    frame 1: expected "b", got nothing more
			    frame 3: got "c", expected nothing more
			    frame 5: got completion, expected nothing
		`},
		"other value": {func(b *Bench) {
			source := Cold(b, "-a-b|", map[rune]reading{'a': {"north", 1}, 'b': {"south", 2}})
			Expect(b, source, "-a-b|", map[rune]reading{'a': {"north", 1}, 'b': {"south", 3}})
		}, `
			here: the run is not as expected
			    expected  -a-b|
			      actual  -a-?|
			                 ^
			    frame 3: expected b = {sensor:south value:3}, got {sensor:south value:2}
			        (-expected +actual)
			          streamtest.reading{
			          	sensor: "south",
			        - 	value:  3,
			        + 	value:  2,
			          }
		`},
		"names of what came": {func(b *Bench) {
			Expect(b, Cold[int](b, "1-2-3|"), "a-b-1|", map[rune]int{'a': 1, 'b': 3})
		}, `
			here: the run is not as expected
			    expected  a-b-1|
			      actual  a-2-b|
			                ^ ^
			    frame 2: expected b = 3, got 2
			        (-expected +actual)
			          int(
			        - 	3,
			        + 	2,
			          )
			    frame 4: expected 1, got b = 3
			        (-expected +actual)
			          int(
			        - 	1,
			        + 	3,
			          )
		`},
		"failures": {func(b *Bench) {
			b.BindError('x', errFeed)
			b.Expect(b.Cold("-a-x"), "-a-#")
			b.Expect(stream.Throw[string](errors.New("boom")), "|")
		}, `
			here: the run is not as expected
			    expected  -a-#
			      actual  -a-x
			                 ^
			    frame 3: expected failure (streamtest: failure of a diagram), got failure (streamtest: failure of the source)
			here: the run is not as expected
			    expected  |
			      actual  ?
			              ^
			    frame 0: expected completion, got failure (boom)
		`},
		"long waits": {func(b *Bench) { b.Expect(b.Cold("-a 1s b|"), "-a 2s b|") }, `
			here: the run is not as expected
			    expected  -a 1s -- 998ms b|
			      actual  -a 1s b|
			                    ^^       ^^
			    frame 1002: got "b", expected nothing
			    frame 1003: got completion, expected nothing
			    frame 2002: expected "b", got nothing
			    frame 2003: expected completion, got nothing
		`},
		"too many": {func(b *Bench) { Expect(b, stream.Interval(time.Millisecond), "-01|") }, `
			here: the run is not as expected
			    expected  -01|
			      actual  -0123456789?????????
			                 ^^^^^^^^^^^^^^^^^
			    frame 3: expected completion, got 2
			    frame 4: got 3, expected nothing
			    frame 5: got 4, expected nothing
			    frame 6: got 5, expected nothing
			    and 13 frames more
		`},
		"no end": {func(b *Bench) { b.Expect(b.Cold("-a-"), "-a-|") }, `
			here: the run is not as expected
			    expected  -a-|
			      actual  -a--
			                 ^
			    frame 3: expected completion, got nothing
			    the run had not ended 1h0m0s after the diagram
		`},
		"subscription": {func(b *Bench) { b.Expect(b.Cold("-a-bc"), "--^a---!") }, `
			here: the run is not as expected
			    expected  --^a---!
			      actual  --^a-bc!
			                   ^^
			    frame 5: got "b", expected nothing
			    frame 6: got "c", expected nothing
		`},
		"slow end": {func(b *Bench) {
			b.Expect(func(ctx context.Context, _ func(string) bool) error {
				<-ctx.Done()
				time.Sleep(3 * time.Millisecond)
				return context.Cause(ctx)
			}, "--!")
		}, `
			here: the run is not as expected
			    expected  --!
			      actual  --!

			    the run went on for 3 frames after it was unsubscribed at frame 2
		`},
		"completion for cancellation": {func(b *Bench) {
			b.Expect(func(ctx context.Context, _ func(string) bool) error {
				<-ctx.Done()
				return nil
			}, "--!")
		}, `
			here: the run is not as expected
			    expected  --!
			      actual  --|
			                ^
			    frame 2: got completion, expected nothing
		`},
	} {
		t.Run(name, func(t *testing.T) { says(t, c.says, c.f) })
	}
}

func TestFramesOfAnotherLength(t *testing.T) {
	Run(t, func(b *Bench) {
		b.Frame = time.Minute
		Expect(b, stream.Interval(time.Minute), "-0123!")
		b.Expect(debounce(90*time.Second)(b.Cold("-a--b 1h c|")), "--a--b 1h (c|)")
	})
	says(t, `
		here: the run is not as expected
		    expected  1h31m0s |
		      actual  1h31m0s -|
		                      ^^
		    frame 91: expected completion, got nothing
		    frame 92: got completion, expected nothing
	`, func(b *Bench) {
		b.Frame = time.Minute
		b.Expect(b.Cold("- 91m |"), "- 90m |")
	})
}

func TestCompareOptions(t *testing.T) {
	Run(t, func(b *Bench) {
		b.Compare = []cmp.Option{cmp.Comparer(func(x, y float64) bool { return x-y < 0.1 && y-x < 0.1 })}
		Expect(b, stream.Just(1.04), "(a|)", map[rune]float64{'a': 1})
	})
}

func TestExpectationsOfTheSameSource(t *testing.T) {
	Run(t, func(b *Bench) {
		var subject stream.Subject[string]
		source := subject.Observe(8, stream.Fail)
		b.Expect(source, "-a-b|")
		b.Expect(source, "--^b|")
		b.Expect(source, "-(^a)-!")
		b.At(1, func() { subject.Next("a") })
		b.At(3, func() { subject.Next("b") })
		b.At(4, subject.Complete)
	})
}

func TestWatch(t *testing.T) {
	Run(t, func(b *Bench) {
		source := Watch(b, b.Cold("-a-b-|"), "^----!")
		b.Expect(source, "-a-b-|")
		left := Watch(b, b.Cold("-a-b-|"), "---^-!", "^--!")
		b.Expect(left, "-a-!")
		b.Expect(left, "---^a!")
		never := Watch(b, b.Cold("-a-b-|"))
		b.Expect(operators.Concat(b.Cold("--x-"), never), "--x-----!")
		goesOn := Watch(b, b.Hot("-a"), "^")
		b.running.Go(func() { _ = goesOn.Run(b.Context()) })
		r := Record(b, Watch(b, b.Cold("-a-b-|"), "^!"))
		r.Next("a")
		r.Cancel()
	})
}

func TestSubscriptionsAreDrawn(t *testing.T) {
	says(t, `
		here: the subscriptions are not as expected
		    expected  ^--!
		      actual  ^----!
		                 ^ ^
		    expected
		      actual  21ms ^!
		                   ^^
		here: the subscriptions are not as expected
		    expected  --^--!
		      actual  --^---
		                   ^
	`, func(b *Bench) {
		source := Watch(b, b.Cold("-a-b-|"), "^--!")
		b.Expect(source, "-a-b-|")
		b.Expect(source, "- 20ms ^!")
		goesOn := Watch(b, b.Cold("-a-"), "--^--!")
		b.At(2, func() { b.running.Go(func() { _ = goesOn.Run(b.Context()) }) })
	})
}
