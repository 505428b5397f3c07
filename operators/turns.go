package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// A turn is one of several sources whose values are not emitted in the order in which they
// arrive. Values whose turn has not come wait on the caller's goroutine, as many as there is
// room for.
type turn[T any] struct {
	number  int
	room    places  // a place for each value that waits
	waiting fifo[T] // the caller's, and what is below
	ended   bool
	err     error // how
}

// happening is what comes of a turn: a value, or its end.
type happening[T any] struct {
	of    *turn[T]
	value T
	ended bool
	err   error
}

// producer is the source for a group of happenings. It waits when there is no room.
func (t *turn[T]) producer(source stream.Observable[T]) stream.Observable[happening[T]] {
	return func(ctx context.Context, push func(happening[T]) bool) error {
		wanted := true
		err := source(ctx, func(v T) bool {
			wanted = t.room.take(ctx) && push(happening[T]{of: t, value: v})
			return wanted
		})
		if wanted {
			push(happening[T]{of: t, ended: true, err: err})
		}
		return nil
	}
}

// pop takes the oldest value that waits.
func (t *turn[T]) pop() T {
	<-t.room
	return t.waiting.pop()
}
