package stream_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxipc/rxipc/stream"
)

// bell is a callback API.
type bell struct{ listener func(string) }

func (b *bell) register(listener func(string)) { b.listener = listener }
func (b *bell) unregister()                    { b.listener = nil; fmt.Println("unregistered") }

func ExampleCreate() {
	var door bell
	rings := stream.Create(16, stream.DropOldest, func(_ context.Context, e *stream.Emitter[string]) (func(), error) {
		door.register(func(who string) { e.Next(who) })
		go door.listener("postman")
		return door.unregister, nil
	})
	fmt.Println(rings.First(context.Background()))
	// Output:
	// unregistered
	// Success(postman)
}

func ExampleEmitter_Next() {
	counting := stream.Create(1, stream.Block, func(_ context.Context, e *stream.Emitter[int]) (func(), error) {
		for n := 0; e.Next(n); n++ { // waits for room, until nobody wants more
		}
		return nil, nil
	})
	for n := range counting.Seq(context.Background()) {
		if n == 3 {
			break
		}
		fmt.Println(n)
	}
	// Output:
	// 0
	// 1
	// 2
}

func ExampleEmitter_Complete() {
	source := stream.Create(4, stream.Block, func(_ context.Context, e *stream.Emitter[int]) (func(), error) {
		e.Next(1)
		e.Complete()
		return nil, nil
	})
	fmt.Println(source.Collect(context.Background()))
	// Output: [1] <nil>
}

func ExampleEmitter_Error() {
	source := stream.Create(4, stream.Block, func(_ context.Context, e *stream.Emitter[int]) (func(), error) {
		e.Next(1)
		e.Error(errors.New("unplugged"))
		return nil, nil
	})
	fmt.Println(source.Collect(context.Background()))
	// Output: [1] unplugged
}
