//go:build go1.27

package operators

import (
	"context"
	"iter"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// Chain is an observable whose operators are methods, so that a pipeline is written left
// to right without [stream.Pipe1] and its siblings. It needs Go 1.27, in which methods
// have type parameters, and is nothing beside the calls that it stands for:
//
//	total, err := operators.From(stream.Range(1, 10)).
//		Filter(func(n int) bool { return n%2 == 0 }).
//		Map(func(n int) string { return fmt.Sprint(n) }).
//		Collect(ctx)
//
// Two kinds of operators cannot be methods, and go through [Chain.Pipe]: those that take
// values of some types only ([Sum], [Distinct], [Flatten] …), and those that emit
// something made of the type of the values, such as slices of them ([BufferCount],
// [Timestamp] …), as each such method would make one more type with that method. [First]
// and [Last] are the verbs; as operators they are Take(1) and TakeLast(1).
type Chain[T any] stream.Observable[T]

// From begins a chain with a source.
func From[T any](source stream.Observable[T]) Chain[T] { return Chain[T](source) }

// Pipe continues with any operator, also one that is not a method.
func (c Chain[A]) Pipe[B any](op stream.Operator[A, B]) Chain[B] {
	return Chain[B](op(stream.Observable[A](c)))
}

// Observable is the chain for those who take an observable.
func (c Chain[T]) Observable() stream.Observable[T] { return stream.Observable[T](c) }

// ForEach is [stream.Observable.ForEach].
func (c Chain[T]) ForEach(ctx context.Context, f func(T)) error {
	return stream.Observable[T](c).ForEach(ctx, f)
}

// Run is [stream.Observable.Run].
func (c Chain[T]) Run(ctx context.Context) error { return stream.Observable[T](c).Run(ctx) }

// Collect is [stream.Observable.Collect].
func (c Chain[T]) Collect(ctx context.Context) ([]T, error) { return c.Observable().Collect(ctx) }

// First is [stream.Observable.First].
func (c Chain[T]) First(ctx context.Context) fold.Attempt[T] { return c.Observable().First(ctx) }

// Last is [stream.Observable.Last].
func (c Chain[T]) Last(ctx context.Context) fold.Attempt[T] { return c.Observable().Last(ctx) }

// Seq is [stream.Observable.Seq].
func (c Chain[T]) Seq(ctx context.Context) iter.Seq2[T, error] { return c.Observable().Seq(ctx) }

// Channel is [stream.Observable.Channel].
func (c Chain[T]) Channel(ctx context.Context, capacity int) (<-chan T, func() error) {
	return c.Observable().Channel(ctx, capacity)
}

// Subscribe is [stream.Observable.Subscribe].
func (c Chain[T]) Subscribe(ctx context.Context, observer stream.Observer[T]) *stream.Subscription {
	return c.Observable().Subscribe(ctx, observer)
}

// before are the sources of which the chain is the first.
func (c Chain[T]) before(others []stream.Observable[T]) []stream.Observable[T] {
	return append([]stream.Observable[T]{stream.Observable[T](c)}, others...)
}
