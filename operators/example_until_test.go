package operators_test

import (
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

func ExampleTakeUntil() {
	enough := make(chan string, 1)
	ticks := operators.Concat(stream.Just(1, 2, 3), stream.Never[int]())
	watched := operators.Tap(func(n int) {
		if n == 3 {
			enough <- "thank you"
		}
	})
	show(watched(operators.TakeUntil[int](stream.FromChannel(enough))(ticks)))
	// Output: [1 2 3] <nil>
}

func ExampleSkipUntil() {
	opens := make(chan string)
	opened := make(chan bool)
	visitors := func(yield func(string) bool) {
		if yield("early") {
			opens <- "the door"
			<-opened
			yield("in time")
		}
	}
	door := operators.Finally[string](func(operators.Ending, error) { close(opened) })(stream.FromChannel(opens))
	show(operators.SkipUntil[string](door)(stream.FromSeq(visitors)))
	// Output: [in time] <nil>
}
