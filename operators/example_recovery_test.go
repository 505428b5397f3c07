package operators_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// The third time it works.
func ExampleRetry() {
	busy := errors.New("busy")
	attempt := 0
	request := stream.Future(func(context.Context) (string, error) {
		if attempt++; attempt < 3 {
			return "", busy
		}
		return fmt.Sprint("answer ", attempt), nil
	})
	patient := operators.Retry[string](operators.RetryPolicy{
		Times: 5,
		Delay: time.Microsecond,
		If:    func(err error) bool { return errors.Is(err, busy) },
	})
	show(patient(request))
	// Output: [answer 3] <nil>
}

// A server says when to come back.
func ExampleRetryPolicy_after() {
	attempt := 0
	request := stream.Future(func(context.Context) (string, error) {
		if attempt++; attempt == 1 {
			return "", comeBack{time.Millisecond}
		}
		return "answer", nil
	})
	polite := operators.Retry[string](operators.RetryPolicy{
		After: func(retry int, err error) (time.Duration, bool) {
			var busy comeBack
			if !errors.As(err, &busy) {
				return 0, false // the usual delay
			}
			fmt.Println("retry", retry, "after", busy.in)
			return busy.in, true
		},
	})
	show(polite(request))
	// Output:
	// retry 1 after 1ms
	// [answer] <nil>
}

// comeBack is an error such as that of a response with Retry-After.
type comeBack struct{ in time.Duration }

func (c comeBack) Error() string { return "come back in " + c.in.String() }

// halves fails at the first odd number.
func halves(numbers ...int) stream.Observable[int] {
	return operators.MapErr(func(n int) (int, error) {
		if n%2 != 0 {
			return 0, fmt.Errorf("%d is odd", n)
		}
		return n / 2, nil
	})(stream.Just(numbers...))
}

func ExampleOnErrorReturn() {
	show(operators.OnErrorReturn(func(error) int { return -1 })(halves(2, 3, 4)))
	// Output: [1 -1] <nil>
}

func ExampleDefaultIfEmpty() {
	show(operators.DefaultIfEmpty("nobody")(stream.Empty[string]()))
	// Output: [nobody] <nil>
}

func ExampleThrowIfEmpty() {
	show(operators.ThrowIfEmpty[string](errors.New("no such name"))(stream.Empty[string]()))
	// Output: [] no such name
}

func ExampleFinally() {
	show(operators.Finally[int](func(how operators.Ending, err error) { fmt.Println("closed:", how, err) })(halves(2, 3)))
	// Output:
	// closed: failed 3 is odd
	// [1] 3 is odd
}

func ExampleMaterialize() {
	show(operators.Materialize[int]()(halves(2, 3)))
	show(operators.Materialize[int]()(halves(2, 4)))
	// Output:
	// [Next(1) Error(3 is odd)] <nil>
	// [Next(1) Next(2) Complete] <nil>
}

func ExampleDematerialize() {
	told := stream.Just(
		operators.Notification[int]{Value: 1},
		operators.Notification[int]{Kind: operators.OnError, Err: errors.New("torn")},
	)
	show(operators.Dematerialize[int]()(told))
	// Output: [1] torn
}
