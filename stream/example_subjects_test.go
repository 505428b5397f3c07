package stream_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// newObserver prints what a new observer gets from a subject that has ended or is idle.
func newObserver[T any](s *stream.Subject[T]) {
	s.Complete()
	fmt.Println(s.Observe(1, stream.Block).Collect(context.Background()))
}

// A state: whoever comes gets the present one and then all changes.
func ExampleNewBehaviorSubject() {
	state := stream.NewBehaviorSubject("connecting")
	state.Next("connected")
	err := state.Observe(1, stream.DropOldest)(context.Background(), func(s string) bool {
		fmt.Println(s)
		if s == "connected" {
			state.Next("closing") // a buffer of one holds the latest state
			state.Next("closed")
			state.Complete()
		}
		return true
	})
	fmt.Println(err)
	// Output:
	// connected
	// closed
	// <nil>
}

func ExampleNewReplaySubject() {
	said := stream.NewReplaySubject[string](2, time.Hour)
	said.Next("hello")
	said.Next("is anybody here?")
	said.Next("good bye")
	newObserver(said)
	// Output: [is anybody here? good bye] <nil>
}

func ExampleNewAsyncSubject() {
	result := stream.NewAsyncSubject[int]()
	result.Next(41)
	result.Next(42)
	newObserver(result)
	// Output: [42] <nil>
}

func ExampleSubject_Feed() {
	subject := stream.NewReplaySubject[int](10, 0)
	cut := func(_ context.Context, yield func(int) bool) error {
		_ = yield(1) && yield(2)
		return errors.New("line cut")
	}
	fmt.Println(subject.Feed(context.Background(), cut))
	fmt.Println(subject.Observe(1, stream.Block).Collect(context.Background()))
	// Output:
	// line cut
	// [1 2] line cut
}

func ExampleSubject_Value() {
	state := stream.NewBehaviorSubject("connecting")
	fmt.Println(state.Value())
	state.Next("connected")
	fmt.Println(state.Value())
	fmt.Println(new(stream.Subject[string]).Value())
	// Output:
	// Just(connecting)
	// Just(connected)
	// Nothing
}

// One who is counted misses nothing that is given from then on.
func ExampleSubject_Audience() {
	var subject stream.Subject[string]
	observer := subject.Observe(16, stream.Block).Subscribe(context.Background(), stream.Observer[string]{
		Next: func(s string) { fmt.Println(s) },
	})
	_ = subject.Audience()(context.Background(), func(n int) bool { return n < 1 })
	subject.Next("hello")
	subject.Complete()
	_ = observer.Wait()
	// Output: hello
}
