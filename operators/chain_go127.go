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
// have type parameters. A method is nothing but a call of the function that has its name:
//
//	total, err := operators.From(stream.Range(1, 10)).
//		Filter(func(n int) bool { return n%2 == 0 }).
//		Map(func(n int) string { return fmt.Sprint(n) }).
//		Collect(ctx)
//
// Every operator of this package is a method. The compiler infers the type parameters of a
// method from its arguments, if they contain them; the B of [Chain.OfType] must be written. First and
// Last are the verbs of an observable; as operators they are Take(1) and TakeLast(1).
// [Chain.Pipe] continues with an operator of your own.
//
// Methods have type parameters that only the compiler uses:
//
//   - R is the type that comes out: BufferCount of a Chain[int] is a Chain[[]int].
//   - U is T, for an operator that takes values of some types only: Sum of a Chain[bool]
//     does not compile, because bool is not a [fold.Number]. The constraint same says that U
//     and T are one type.
//   - E is what T is made of, for an operator over slices, observables or notifications:
//     Flatten of a Chain[[]int] is a Chain[int].
//   - O is an observable or a chain, which a function such as that of MergeMap returns.
//   - A blank one, with the constraint lazy, has no meaning. Without it the compiler would
//     compile the method for each type of chain in a program, whether it is called or not.
type Chain[T any] stream.Observable[T]

// Source is what the methods of [Chain] take for an observable: a [stream.Observable] and a
// Chain can both be passed as it.
type Source[T any] = func(ctx context.Context, yield func(T) bool) error

// same is a constraint which says that A and B are one type. The compiler infers either of
// them from the other.
type same[A, B any] interface {
	itself[A]
	is(B)
}

// itself is the only type in the type set of a [same].
type itself[T any] struct{}

func (itself[T]) is(T) {}

// lazy is the constraint of a type parameter that makes a method generic and nothing else.
// The compiler infers it. A method without type parameters belongs to the type, so each
// package that mentions a Chain[int] compiles it: with all operators that took 10 s for each
// such type.
type lazy interface{ struct{} }

// From begins a chain with a source.
func From[T any](source Source[T]) Chain[T] { return Chain[T](source) }

// Pipe continues with any operator.
func (c Chain[A]) Pipe[B any](op stream.Operator[A, B]) Chain[B] {
	return Chain[B](op(stream.Observable[A](c)))
}

// Observable is the chain as an observable, for functions that take one.
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

// before returns the sources of which the chain is the first.
func (c Chain[T]) before(others []Source[T]) []stream.Observable[T] {
	sources := []stream.Observable[T]{stream.Observable[T](c)}
	for _, other := range others {
		sources = append(sources, other)
	}
	return sources
}

// observables converts a function that returns sources to a function that returns observables.
func observables[A, B any, O ~Source[B]](project func(A) O) func(A) stream.Observable[B] {
	if project == nil {
		return nil
	}
	return func(a A) stream.Observable[B] { return stream.Observable[B](project(a)) }
}

// through continues with an operator for values that the compiler does not know to be those
// of the chain, or of the result; see as.
func through[R, T, A, B any](chain Chain[T], op stream.Operator[A, B]) Chain[R] {
	return Chain[R](as[stream.Observable[R]](op(as[stream.Observable[A]](chain.Observable()))))
}

// as returns a value of a type under another name of that type, which the compiler does not
// know to be the same one: the B of a [same][A, B], or a type parameter with one type.
func as[B, A any](a A) B { return any(a).(B) }
