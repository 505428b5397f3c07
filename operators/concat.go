package operators

import "github.com/rxipc/rxipc/stream"

// Concat runs the sources one after the other, each when the one before has
// completed, and emits what they emit. The first failure ends it. Nothing is
// buffered; everything happens on the caller's goroutine.
func Concat[T any](sources ...stream.Observable[T]) stream.Observable[T] {
	mustHaveEach("Concat", sources)
	run := func(source stream.Observable[T]) stream.Observable[T] { return source }
	return concatMap("Concat", run)(stream.FromSlice(sources))
}

// StartWith emits the given values before those of the source, which runs when they
// have been taken.
func StartWith[T any](values ...T) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("StartWith", "observable", source != nil)
		return Concat(stream.FromSlice(values), source)
	}
}

// EndWith emits the given values when the source has completed. After a failure it
// does not.
func EndWith[T any](values ...T) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("EndWith", "observable", source != nil)
		return Concat(source, stream.FromSlice(values))
	}
}
