package stream_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxipc/rxipc/stream"
)

// letters are there before anybody looks at them.
func letters(capacity int, overflow stream.Overflow) *stream.Unicast[string] {
	u := stream.NewUnicast[string](context.Background(), capacity, overflow)
	u.Next("a")
	u.Next("b")
	u.Next("c")
	return u
}

func observe(u *stream.Unicast[string]) {
	fmt.Println(stream.Observable[string](u.Observe).Collect(context.Background()))
}

func ExampleUnicast() {
	u := letters(8, stream.Block)
	u.Complete()
	observe(u)
	// Output: [a b c] <nil>
}

func ExampleNewUnicast() {
	u := letters(2, stream.DropOldest)
	u.Complete()
	observe(u)
	// Output: [b c] <nil>
}

func ExampleUnicast_Next() {
	u := letters(3, stream.Fail)
	fmt.Println(u.Next("d"))
	observe(u)
	// Output:
	// false
	// [a b c] stream: buffer full
}

func ExampleUnicast_Complete() {
	u := letters(3, stream.Block)
	u.Complete()
	fmt.Println(u.Next("d"))
	observe(u)
	// Output:
	// false
	// [a b c] <nil>
}

func ExampleUnicast_Error() {
	u := letters(3, stream.Block)
	u.Error(errors.New("out of ink"))
	observe(u)
	// Output: [a b c] out of ink
}

func ExampleUnicast_Observe() {
	u := letters(3, stream.Block)
	_ = u.Observe(context.Background(), func(letter string) bool {
		fmt.Println(letter)
		return false
	})
	observe(u)
	// Output:
	// a
	// [] stream: observed before
}

func ExampleUnicast_Abandon() {
	u := letters(3, stream.Block)
	u.Abandon()
	fmt.Println(u.Next("d"))
	// Output: false
}
