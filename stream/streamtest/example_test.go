package streamtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// t is the one that a test gets.
var t = new(testing.T)

func Example() {
	streamtest.Run(t, func(b *streamtest.Bench) {
		source := streamtest.Watch(b, b.Cold("-a--b-|"), "^-----!")
		length := operators.Map(func(s string) int { return len(s) })
		double := operators.Map(func(s string) string { return s + s })

		streamtest.Expect(b, length(double(source)), "-2--2-|")
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

func ExampleRun() {
	begin := time.Now()
	streamtest.Run(t, func(b *streamtest.Bench) {
		b.Frame = time.Minute
		streamtest.Expect(b, stream.Interval(time.Hour), "1h 0 59m 1 59m 2!")
	})
	fmt.Println("three hours in less than one:", time.Since(begin) < time.Hour)
	fmt.Println("failed:", t.Failed())
	// Output:
	// three hours in less than one: true
	// failed: false
}

func ExampleCold() {
	streamtest.Run(t, func(b *streamtest.Bench) {
		total := operators.Scan(fold.Sum[int]())
		streamtest.Expect(b, total(streamtest.Cold[int](b, "1-2-(34)-|")), "1-3-(6x)-|",
			map[rune]int{'x': 10})
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

func ExampleHot() {
	streamtest.Run(t, func(b *streamtest.Bench) {
		source := b.Hot("-a-^-b--c-|")
		b.Expect(source, "  --b--c-|")
		b.Expect(source, "  ---^-c-|") // comes later
		b.Expect(source, "  --b-!   ") // leaves earlier
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

func ExampleExpect() {
	streamtest.Run(t, func(b *streamtest.Bench) {
		// A source of observables: y is subscribed to when x has completed.
		x := streamtest.Watch(b, b.Cold("a-b-|"), "    -^---!       ")
		y := streamtest.Watch(b, b.Cold("c--d-|"), "   -----^----!  ")
		outer := streamtest.Cold(b, "                  -x-y-|",
			map[rune]stream.Observable[string]{'x': x, 'y': y})
		flatten := operators.ConcatMap(func(o stream.Observable[string]) stream.Observable[string] { return o })
		b.Expect(flatten(outer), "                     -a-b-c--d-|")
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

func ExampleBench_At() {
	streamtest.Run(t, func(b *streamtest.Bench) {
		var subject stream.Subject[string]
		b.Expect(subject.Observe(1, stream.Block), "--a-b-|")
		b.At(2, func() { subject.Next("a") })
		b.At(4, func() { subject.Next("b") })
		b.At(6, subject.Complete)
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

func ExampleBench_BindError() {
	streamtest.Run(t, func(b *streamtest.Bench) {
		b.BindError('x', io.ErrUnexpectedEOF)
		wrapped := operators.Named[string]("reader")
		b.Expect(wrapped(b.Cold("-a-x")), "-a-x")
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

func ExampleRecord() {
	streamtest.Run(t, func(b *streamtest.Bench) {
		r := streamtest.Record(b, b.Cold("-a 10s b--#"))
		r.Next("a")
		r.Nothing(10 * time.Second)
		r.Next("b")
		fmt.Println("frame", b.Now())
		r.Error(streamtest.ErrFailed)
	})
	fmt.Println("failed:", t.Failed())
	// Output:
	// frame 10002
	// failed: false
}

func ExampleMisbehaving() {
	source := streamtest.Misbehaving(streamtest.NothingAfterFalse, 1, 2, 3)
	_ = source(context.Background(), func(n int) bool {
		fmt.Println(n)
		return false
	})
	// Output:
	// 1
	// 2
	// 3
}

func ExampleRandomDiagram() {
	random := rand.New(rand.NewPCG(7, 0))
	for range 3 {
		fmt.Println(streamtest.RandomDiagram(random, 12, "abc", "|#"))
	}
	// Output:
	// ---|
	// (bb)(abc)--ab(ccb)---#
	// ac-------(bb)cb|
}

func ExampleProperty() {
	streamtest.Property(t, 100, func(b *streamtest.Bench, random *rand.Rand) {
		source := b.Cold(streamtest.RandomDiagram(random, 20, "abc", "|#"))
		all, _ := source.Collect(b.Context())
		counted, err := operators.Count[string]()(source).Collect(b.Context())
		if err == nil && counted[0] != len(all) {
			b.Errorf("counted %d values of %q", counted[0], all)
		}
		if err != nil && !errors.Is(err, streamtest.ErrFailed) {
			b.Errorf("count the values: got the error %v, want ErrFailed or none", err)
		}
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}
