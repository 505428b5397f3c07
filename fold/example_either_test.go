package fold_test

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/rxipc/rxipc/fold"
)

func ExampleEither() {
	var zero fold.Either[string, int]
	fmt.Println(zero, zero == fold.Left[int](""))
	// Output: Left() true
}

func ExampleLeft() {
	var guest fold.Either[string, int] = fold.Left[int]("guest")
	fmt.Println(guest)
	// Output: Left(guest)
}

func ExampleRight() {
	var member fold.Either[string, int] = fold.Right[string](7)
	fmt.Println(member)
	// Output: Right(7)
}

func ExampleEither_Get() {
	name, number, isMember := fold.Right[string](7).Get()
	fmt.Printf("%q %d %t\n", name, number, isMember)
	// Output: "" 7 true
}

func ExampleEither_GetOr() {
	fmt.Println(fold.Right[string](7).GetOr(0), fold.Left[int]("guest").GetOr(0))
	// Output: 7 0
}

func ExampleEither_Left() {
	fmt.Println(fold.Left[int]("guest").Left(), fold.Right[string](7).Left())
	// Output: Just(guest) Nothing
}

func ExampleEither_Right() {
	fmt.Println(fold.Left[int]("guest").Right(), fold.Right[string](7).Right())
	// Output: Nothing Just(7)
}

func ExampleEither_Attempt() {
	refuse := func(name string) error { return errors.New(name + " is no member") }

	fmt.Println(fold.Right[string](7).Attempt(refuse), fold.Left[int]("guest").Attempt(refuse))
	// Output: Success(7) Failure(guest is no member)
}

func ExampleEither_Filter() {
	known := func(number int) bool { return number < 100 }
	guest := func(number int) string { return "guest with number " + strconv.Itoa(number) }

	fmt.Println(fold.Right[string](7).Filter(known, guest), fold.Right[string](700).Filter(known, guest))
	// Output: Right(7) Left(guest with number 700)
}

func ExampleEither_Otherwise() {
	numbers := map[string]int{"ada": 7}
	lookUp := func(name string) fold.Either[string, int] {
		number, ok := numbers[name]
		return fold.RightOr(fold.MaybeOf(number, ok), name)
	}
	fmt.Println(fold.Left[int]("ada").Otherwise(lookUp), fold.Left[int]("bob").Otherwise(lookUp))
	// Output: Right(7) Left(bob)
}

func ExampleEither_String() {
	fmt.Println(fold.Right[string](7).String())
	// Output: Right(7)
}

func ExampleMapEither() {
	fmt.Println(fold.MapEither(fold.Right[string](7), strconv.Itoa), fold.MapEither(fold.Left[int]("guest"), strconv.Itoa))
	// Output: Right(7) Left(guest)
}

func ExampleMapLeft() {
	length := func(name string) int { return len(name) }

	fmt.Println(fold.MapLeft(fold.Left[int]("guest"), length), fold.MapLeft(fold.Right[string](7), length))
	// Output: Left(5) Right(7)
}

func ExampleThenEither() {
	half := func(n int) fold.Either[string, int] {
		return fold.RightOr(fold.MaybeOf(n/2, n%2 == 0), strconv.Itoa(n)+" is odd")
	}
	fmt.Println(fold.ThenEither(fold.Right[string](8), half), fold.ThenEither(fold.Right[string](7), half))
	// Output: Right(4) Left(7 is odd)
}

func ExampleMatchEither() {
	badge := func(visitor fold.Either[string, int]) string {
		return fold.MatchEither(visitor,
			func(name string) string { return "guest " + name },
			func(number int) string { return "member " + strconv.Itoa(number) },
		)
	}
	fmt.Println(badge(fold.Left[int]("bob")))
	fmt.Println(badge(fold.Right[string](7)))
	// Output:
	// guest bob
	// member 7
}
