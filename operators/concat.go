package operators

import "github.com/rxipc/rxipc/stream"

// Concat runs the sources one after the other and emits their values. A source begins when
// the one before has completed. The first failure ends the run. Nothing is buffered, and
// all sources run on the caller's goroutine.
func Concat[T any](sources ...stream.Observable[T]) stream.Observable[T] {
	mustHaveEach("Concat", sources)
	run := func(source stream.Observable[T]) stream.Observable[T] { return source }
	return concatMap("Concat", run)(stream.FromSlice(sources))
}

// StartWith emits the given values before those of the source. The source begins when yield
// has taken them.
func StartWith[T any](values ...T) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("StartWith", "observable", source != nil)
		return Concat(stream.FromSlice(values), source)
	}
}

// EndWith emits the given values when the source has completed. A failure emits none of
// them.
func EndWith[T any](values ...T) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("EndWith", "observable", source != nil)
		return Concat(source, stream.FromSlice(values))
	}
}
