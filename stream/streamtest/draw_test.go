package streamtest_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

func ExampleDraw() {
	streamtest.Run(t, func(b *streamtest.Bench) {
		b.Frame = time.Second
		squares := operators.Map(func(n int) int { return n * n })(stream.Interval(3 * time.Second))
		diagram, values, _ := streamtest.Draw(b, operators.Take[int](5)(squares))
		fmt.Println(diagram)
		fmt.Println("a is", values['a'])
	})
	// Output:
	// ---0--1--4--9--(a|)
	// a is 16
}

func TestDrawGivesTheDiagramThatExpectTakes(t *testing.T) {
	for _, diagram := range []string{"|", "a|", "(ab|)", "-a--(bc)-#", "a 1h b|", "--x-y|", "a-b-#"} {
		streamtest.Run(t, func(b *streamtest.Bench) {
			time.Sleep(5 * time.Millisecond) // the frames are those of the run
			got, values, err := streamtest.Draw(b, b.Cold(diagram))
			fails := diagram[len(diagram)-1] == '#'
			if want := map[bool]error{true: streamtest.ErrFailed}[fails]; len(values) > 0 || !errors.Is(err, want) {
				t.Errorf("draw %s: got the values %v and the failure %v, want none and %v", diagram, values, err, want)
			}
			if want := map[string]string{"a 1h b|": "a 1h0m0s b|"}[diagram]; got != diagram && got != want {
				t.Errorf("draw %s: got %s", diagram, got)
			}
		})
	}
}

func TestDrawNamesValues(t *testing.T) {
	broken := errors.New("broken")
	streamtest.Run(t, func(b *streamtest.Bench) {
		values := stream.FromSlice([]string{"long", "a", "longer", "long", "b", " "})
		diagram, names, err := streamtest.Draw(b, operators.Concat(values, stream.Throw[string](broken)))
		want := map[rune]string{'c': "long", 'd': "longer", 'e': " "}
		if diagram != "(cadcbe#)" || !maps.Equal(names, want) || !errors.Is(err, broken) {
			t.Errorf("draw values that have no names: got %s, %v, %v, want (cadcbe#), %v, %v", diagram, names, err, want, broken)
		}
	})
}

func TestDrawRunsOutOfNames(t *testing.T) {
	streamtest.Run(t, func(b *streamtest.Bench) {
		diagram, names, _ := streamtest.Draw(b, stream.Range(10, 1000))
		if drawn := []rune(diagram); len(drawn) != 1000+3 || string(drawn[999:]) != "??|)" || len(names) < 400 {
			t.Errorf("draw 1000 values: got %d signs, the last %q, and %d names, want ? for the last", len(drawn), string(drawn[max(0, len(drawn)-4):]), len(names))
		}
	})
}

// What is drawn plays as what was drawn.
func TestDrawOfRandomSourcesPlaysAgain(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		values := map[rune]int{'a': 100, 'b': 200, 'c': 300}
		text := streamtest.RandomDiagram(random, 40, "abc", "|#")
		var diagram string
		var names map[rune]int
		streamtest.Run(t, func(b *streamtest.Bench) {
			diagram, names, _ = streamtest.Draw(b, streamtest.Cold(b, text, values))
		})
		streamtest.Run(t, func(b *streamtest.Bench) {
			streamtest.Expect(b, streamtest.Cold(b, diagram, names), text, values)
		})
	}
}
