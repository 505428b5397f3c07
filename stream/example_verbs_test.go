package stream_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

func ExampleObservable_ForEach() {
	err := stream.Just("a", "b").ForEach(context.Background(), func(s string) { fmt.Println(s) })
	fmt.Println(err)
	// Output:
	// a
	// b
	// <nil>
}

func ExampleObservable_Run() {
	source := operators.Tap(func(n int) { fmt.Println("writes", n) })(stream.Just(1, 2))
	fmt.Println(source.Run(context.Background()))
	// Output:
	// writes 1
	// writes 2
	// <nil>
}

func ExampleObservable_Collect() {
	values, err := stream.Range(1, 3).Collect(context.Background())
	fmt.Println(values, err)
	// Output: [1 2 3] <nil>
}

func ExampleObservable_First() {
	fmt.Println(stream.Just("a", "b").First(context.Background()))
	fmt.Println(stream.Empty[string]().First(context.Background()))
	// Output:
	// Success(a)
	// Failure(stream: completed without a value)
}

func ExampleObservable_Last() {
	last, err := stream.Just("a", "b").Last(context.Background()).Get()
	fmt.Println(last, err)
	// Output: b <nil>
}

func ExampleObservable_Seq() {
	for n, err := range stream.Range(1, 1_000_000).Seq(context.Background()) {
		if err != nil {
			fmt.Println(err)
			break
		}
		if n > 3 {
			break // ends the run
		}
		fmt.Println(n)
	}
	// Output:
	// 1
	// 2
	// 3
}

func ExampleObservable_Channel() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	values, wait := stream.Just("a", "b").Channel(ctx, 1)
	for v := range values {
		fmt.Println(v)
	}
	fmt.Println(wait())
	// Output:
	// a
	// b
	// <nil>
}

func ExampleObservable_Subscribe() {
	subscription := stream.Just(1, 2).Subscribe(context.Background(), stream.Observer[int]{
		Next:     func(n int) { fmt.Println(n) },
		Error:    func(err error) { fmt.Println("failed:", err) },
		Complete: func() { fmt.Println("done") },
	})
	_ = subscription.Wait()
	// Output:
	// 1
	// 2
	// done
}

func ExampleSubscription_Unsubscribe() {
	subscription := stream.Never[int]().Subscribe(context.Background(), stream.Observer[int]{})
	subscription.Unsubscribe()
	fmt.Println(subscription.Wait())
	// Output: context canceled
}

func ExampleSubscription_Done() {
	subscription := stream.Just(1).Subscribe(context.Background(), stream.Observer[int]{})
	<-subscription.Done() // in a select beside others
	fmt.Println("over")
	// Output: over
}

func ExampleSubscription_Wait() {
	subscription := stream.Throw[int](io.ErrUnexpectedEOF).Subscribe(context.Background(), stream.Observer[int]{})
	fmt.Println(subscription.Wait())
	// Output: unexpected EOF
}

// What panics on a goroutine of a run's panics where the run was called.
func ExamplePanicError() {
	defer func() {
		p := recover().(*stream.PanicError)
		fmt.Println("panicked with", p.Value)
	}()
	_ = operators.Merge(func(context.Context, func(int) bool) error {
		panic("out of paper")
	}).Run(context.Background())
	// Output: panicked with out of paper
}

func ExamplePanicError_Error() {
	p := &stream.PanicError{Value: "out of paper", Stack: []byte("goroutine 7 …")}
	fmt.Println(p)
	// Output:
	// stream: panic: out of paper
	//
	// goroutine 7 …
}

func ExamplePanicError_Unwrap() {
	p := &stream.PanicError{Value: io.ErrUnexpectedEOF}
	fmt.Println(errors.Is(p, io.ErrUnexpectedEOF))
	// Output: true
}
