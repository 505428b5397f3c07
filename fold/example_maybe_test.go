package fold_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/rxipc/rxipc/fold"
)

func ExampleMaybe() {
	var none fold.Maybe[int]
	fmt.Println(none, none == fold.Nothing[int](), fold.Just(42))
	// Output: Nothing true Just(42)
}

func ExampleJust() {
	value, ok := fold.Just(42).Get()
	fmt.Println(value, ok)
	// Output: 42 true
}

func ExampleNothing() {
	value, ok := fold.Nothing[int]().Get()
	fmt.Println(value, ok)
	// Output: 0 false
}

func ExampleMaybeOf() {
	ages := map[string]int{"ada": 36}

	age, ok := ages["ada"]
	fmt.Println(fold.MaybeOf(age, ok))
	fmt.Println(fold.MaybeOf(strings.CutPrefix("fold", "un")))
	// Output:
	// Just(36)
	// Nothing
}

func ExampleFromPointer() {
	number := 42
	fmt.Println(fold.FromPointer(&number), fold.FromPointer[int](nil))
	// Output: Just(42) Nothing
}

func ExampleMaybe_Get() {
	if port, ok := fold.Just(80).Get(); ok {
		fmt.Println("port", port)
	}
	// Output: port 80
}

func ExampleMaybe_GetOr() {
	fmt.Println(fold.Just(80).GetOr(8080), fold.Nothing[int]().GetOr(8080))
	// Output: 80 8080
}

func ExampleMaybe_IsJust() {
	fmt.Println(fold.Just(0).IsJust(), fold.Nothing[int]().IsJust())
	// Output: true false
}

func ExampleMaybe_Pointer() {
	fmt.Println(*fold.Just(42).Pointer(), fold.Nothing[int]().Pointer())
	// Output: 42 <nil>
}

func ExampleMaybe_All() {
	for _, maybe := range []fold.Maybe[string]{fold.Just("a"), fold.Nothing[string](), fold.Just("b")} {
		for text := range maybe.All() {
			fmt.Println(text)
		}
	}
	// Output:
	// a
	// b
}

func ExampleMaybe_Filter() {
	even := func(n int) bool { return n%2 == 0 }

	fmt.Println(fold.Just(2).Filter(even), fold.Just(3).Filter(even))
	// Output: Just(2) Nothing
}

func ExampleMaybe_Otherwise() {
	fallback := func() fold.Maybe[string] { return fold.Just("/tmp") }

	fmt.Println(fold.Just("/run").Otherwise(fallback), fold.Nothing[string]().Otherwise(fallback))
	// Output: Just(/run) Just(/tmp)
}

func ExampleMaybe_Attempt() {
	missing := errors.New("no port given")

	fmt.Println(fold.Just(80).Attempt(missing), fold.Nothing[int]().Attempt(missing))
	// Output: Success(80) Failure(no port given)
}

func ExampleMaybe_String() {
	fmt.Println(fold.Just(fold.Just("a")).String())
	// Output: Just(Just(a))
}

func ExampleMapMaybe() {
	fmt.Println(fold.MapMaybe(fold.Just(42), strconv.Itoa), fold.MapMaybe(fold.Nothing[int](), strconv.Itoa))
	// Output: Just(42) Nothing
}

func ExampleThenMaybe() {
	extension := func(name string) fold.Maybe[string] {
		_, after, found := strings.Cut(name, ".")
		return fold.MaybeOf(after, found)
	}
	fmt.Println(fold.ThenMaybe(fold.Just("doc.go"), extension), fold.ThenMaybe(fold.Just("LICENSE"), extension))
	// Output: Just(go) Nothing
}

func ExampleMatchMaybe() {
	greeting := func(name fold.Maybe[string]) string {
		return fold.MatchMaybe(name,
			func(name string) string { return "hello " + name },
			func() string { return "hello whoever you are" },
		)
	}
	fmt.Println(greeting(fold.Just("ada")))
	fmt.Println(greeting(fold.Nothing[string]()))
	// Output:
	// hello ada
	// hello whoever you are
}

func ExampleRightOr() {
	fmt.Println(fold.RightOr(fold.Just(80), "no port"), fold.RightOr(fold.Nothing[int](), "no port"))
	// Output: Right(80) Left(no port)
}
