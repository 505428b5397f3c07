package fold_test

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/rxipc/rxipc/fold"
)

func ExampleAttempt() {
	var zero fold.Attempt[int]
	fmt.Println(zero, zero == fold.Succeed(0))
	// Output: Success(0) true
}

func ExampleSucceed() {
	fmt.Println(fold.Succeed(42))
	// Output: Success(42)
}

func ExampleFail() {
	fmt.Println(fold.Fail[int](io.EOF))
	fmt.Println(fold.Fail[int](nil))
	// Output:
	// Failure(EOF)
	// Failure(fold: failure without an error)
}

func ExampleTry() {
	fmt.Println(fold.Try(strconv.Atoi("42")))
	fmt.Println(fold.Try(strconv.Atoi("forty-two")))
	// Output:
	// Success(42)
	// Failure(strconv.Atoi: parsing "forty-two": invalid syntax)
}

func ExampleTrying() {
	fmt.Println(fold.Then(fold.Succeed("42"), fold.Trying(strconv.Atoi)))
	// Output: Success(42)
}

func ExampleAttempt_Get() {
	number, err := fold.Try(strconv.Atoi("42")).Get()
	fmt.Println(number, err)
	// Output: 42 <nil>
}

func ExampleAttempt_GetOr() {
	fmt.Println(fold.Try(strconv.Atoi("42")).GetOr(-1), fold.Try(strconv.Atoi("x")).GetOr(-1))
	// Output: 42 -1
}

func ExampleAttempt_Err() {
	err := fold.Try(strconv.Atoi("x")).Err()

	var wrong *strconv.NumError
	fmt.Println(errors.Is(err, strconv.ErrSyntax), errors.As(err, &wrong), wrong.Num)
	// Output: true true x
}

func ExampleAttempt_Maybe() {
	fmt.Println(fold.Succeed(42).Maybe(), fold.Fail[int](io.EOF).Maybe())
	// Output: Just(42) Nothing
}

func ExampleAttempt_Either() {
	fmt.Println(fold.Succeed(42).Either(), fold.Fail[int](io.EOF).Either())
	// Output: Right(42) Left(EOF)
}

func ExampleAttempt_Filter() {
	positive := func(n int) bool { return n > 0 }
	refuse := func(n int) error { return fmt.Errorf("%d is not positive", n) }

	fmt.Println(fold.Succeed(42).Filter(positive, refuse), fold.Succeed(-1).Filter(positive, refuse))
	// Output: Success(42) Failure(-1 is not positive)
}

func ExampleAttempt_Recover() {
	emptyAtEnd := func(err error) fold.Attempt[string] {
		if errors.Is(err, io.EOF) {
			return fold.Succeed("")
		}
		return fold.Fail[string](err)
	}
	fmt.Println(fold.Fail[string](io.EOF).Recover(emptyAtEnd))
	fmt.Println(fold.Fail[string](io.ErrClosedPipe).Recover(emptyAtEnd))
	// Output:
	// Success()
	// Failure(io: read/write on closed pipe)
}

func ExampleAttempt_MapError() {
	inConfig := func(err error) error { return fmt.Errorf("config: %w", err) }

	attempt := fold.Fail[int](io.ErrUnexpectedEOF).MapError(inConfig)
	fmt.Println(attempt, errors.Is(attempt.Err(), io.ErrUnexpectedEOF))
	// Output: Failure(config: unexpected EOF) true
}

func ExampleAttempt_String() {
	fmt.Println(fold.Succeed("done").String())
	// Output: Success(done)
}

func ExampleMap() {
	fmt.Println(fold.Map(fold.Succeed(42), strconv.Itoa), fold.Map(fold.Fail[int](io.EOF), strconv.Itoa))
	// Output: Success(42) Failure(EOF)
}

func ExampleThen() {
	reciprocal := func(n int) fold.Attempt[float64] {
		if n == 0 {
			return fold.Fail[float64](errors.New("division by zero"))
		}
		return fold.Succeed(1 / float64(n))
	}
	fmt.Println(fold.Then(fold.Succeed(4), reciprocal), fold.Then(fold.Succeed(0), reciprocal))
	// Output: Success(0.25) Failure(division by zero)
}

func ExampleMatch() {
	report := func(attempt fold.Attempt[int]) string {
		return fold.Match(attempt,
			func(n int) string { return "got " + strconv.Itoa(n) },
			func(err error) string { return "failed: " + err.Error() },
		)
	}
	fmt.Println(report(fold.Succeed(42)))
	fmt.Println(report(fold.Fail[int](io.EOF)))
	// Output:
	// got 42
	// failed: EOF
}
