package stream_test

import (
	"strconv"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

var (
	addOne = operators.Map(func(n int) int { return n + 1 })
	double = operators.Map(func(n int) int { return n * 2 })
	quote  = operators.Map(func(n int) string { return strconv.Quote(strconv.Itoa(n)) })
)

func ExamplePipe1() {
	show(stream.Pipe1(stream.Just(1, 2), quote))
	// Output: ["1" "2"] <nil>
}

func ExamplePipe2() {
	show(stream.Pipe2(stream.Just(1, 2), addOne, quote))
	// Output: ["2" "3"] <nil>
}

func ExamplePipe3() {
	show(stream.Pipe3(stream.Just(1, 2), addOne, double, quote))
	// Output: ["4" "6"] <nil>
}

func ExamplePipe4() {
	show(stream.Pipe4(stream.Just(1, 2), addOne, double, addOne, quote))
	// Output: ["5" "7"] <nil>
}

func ExamplePipe5() {
	show(stream.Pipe5(stream.Just(1, 2), addOne, double, addOne, double, quote))
	// Output: ["10" "14"] <nil>
}

func ExamplePipe6() {
	show(stream.Pipe6(stream.Just(1, 2), addOne, double, addOne, double, addOne, quote))
	// Output: ["11" "15"] <nil>
}

func ExamplePipe7() {
	show(stream.Pipe7(stream.Just(1, 2), addOne, double, addOne, double, addOne, double, quote))
	// Output: ["22" "30"] <nil>
}

func ExamplePipe8() {
	show(stream.Pipe8(stream.Just(1, 2), addOne, double, addOne, double, addOne, double, addOne, quote))
	// Output: ["23" "31"] <nil>
}

func ExamplePipe9() {
	show(stream.Pipe9(stream.Just(1, 2), addOne, double, addOne, double, addOne, double, addOne, double, quote))
	// Output: ["46" "62"] <nil>
}
