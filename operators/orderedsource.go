package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// orderedSource is one of several sources whose values are not emitted in the order in which
// they arrive. Values that may not be emitted yet wait on the caller's goroutine, as many as
// there is room for.
type orderedSource[T any] struct {
	number int
	room   semaphore // a slot for each value that waits

	// Used by the caller's goroutine alone.
	waiting fifo[T]
	ended   bool
	err     error // how it ended
}

// sourceEvent is a value of a source, or its end.
type sourceEvent[T any] struct {
	from  *orderedSource[T]
	value T
	ended bool
	err   error
}

// producer is the source as a producer of events. It waits when there is no room.
func (s *orderedSource[T]) producer(source stream.Observable[T]) stream.Observable[sourceEvent[T]] {
	return func(ctx context.Context, push func(sourceEvent[T]) bool) error {
		wanted := true
		err := source(ctx, func(v T) bool {
			wanted = s.room.acquire(ctx) && push(sourceEvent[T]{from: s, value: v})
			return wanted
		})
		if wanted {
			push(sourceEvent[T]{from: s, ended: true, err: err})
		}
		return nil
	}
}

// pop takes the oldest value that waits.
func (s *orderedSource[T]) pop() T {
	<-s.room
	return s.waiting.pop()
}
