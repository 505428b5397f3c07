package fold_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/rxipc/rxipc/fold"
)

// Count words, in one pass and without a loop.
func Example() {
	text := "the cat saw the dog and the dog ran"

	total := fold.SeqFunc(
		fold.ByKey[string](fold.Sum[int]()),
		strings.FieldsSeq(text),
		func(word string) map[string]int { return map[string]int{word: 1} },
	)
	fmt.Println(total)
	// Output: map[and:1 cat:1 dog:2 ran:1 saw:1 the:3]
}

// Read a number from a file, in plain Go on both ends.
func Example_attempt() {
	number, err := fold.Chain2(
		fold.Try(os.ReadFile("no such file")),
		func(content []byte) fold.Attempt[string] { return fold.Succeed(string(content)) },
		fold.Trying(strconv.Atoi),
	).Get()

	fmt.Println(number, errors.Is(err, fs.ErrNotExist))
	// Output: 0 true
}

func ExampleChain2() {
	half := func(n int) fold.Attempt[float64] { return fold.Succeed(float64(n) / 2) }

	fmt.Println(fold.Chain2(fold.Succeed("5"), fold.Trying(strconv.Atoi), half))
	fmt.Println(fold.Chain2(fold.Succeed("five"), fold.Trying(strconv.Atoi), half))
	// Output:
	// Success(2.5)
	// Failure(strconv.Atoi: parsing "five": invalid syntax)
}

// A step may be a function that returns the step: it takes what is known early,
// and the chain gives it the rest.
func ExampleChain3() {
	ctx := context.Background()

	answer := fold.Chain3(
		connect(ctx, "counter"),
		send(ctx, "hello"),
		send(ctx, "anyone there?"),
		wait(ctx),
	)
	fmt.Println(answer)
	// Output: Success(answer to hello)
}

func ExampleChain9() {
	double := func(n int) fold.Attempt[int] { return fold.Succeed(n * 2) }

	fmt.Println(fold.Chain9(fold.Succeed(1), double, double, double, double, double, double, double, double, double))
	// Output: Success(512)
}
