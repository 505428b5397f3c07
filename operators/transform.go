package operators

import (
	"context"
	"errors"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// Map emits f of each value.
func Map[A, B any](f func(A) B) stream.Operator[A, B] {
	mustHave("Map", "function", f != nil)
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave("Map", "observable", source != nil)
		return func(ctx context.Context, yield func(B) bool) error {
			return source(ctx, func(a A) bool { return yield(f(a)) })
		}
	}
}

// MapErr emits f of each value and fails with the first error that f returns. If that wraps
// [stream.ErrSkip], the value is skipped and the run goes on. [MapSkipErr] does so for any
// error.
func MapErr[A, B any](f func(A) (B, error)) stream.Operator[A, B] {
	mustHave("MapErr", "function", f != nil)
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave("MapErr", "observable", source != nil)
		return func(ctx context.Context, yield func(B) bool) error {
			var failure error
			err := source(ctx, func(a A) bool {
				b, err := f(a)
				if err != nil {
					if skipped(ctx, err) {
						return true
					}
					failure = err
					return false
				}
				return yield(b)
			})
			if failure != nil {
				return failure
			}
			return err
		}
	}
}

// skipped reports whether the run goes on after an error of a user's function, and counts
// the value then.
func skipped(ctx context.Context, err error) bool {
	skip := errors.Is(err, stream.ErrSkip)
	if skip {
		stream.Skipping(ctx)(1)
	}
	return skip
}

// MapSkipErr emits f of each value for which f returns no error (Reactor: onErrorContinue;
// Akka: the supervision Resume). The run goes on after an error: failed gets the value and
// the error, on the goroutine of the run, and [stream.Drops] count the value as skipped
// ([CountDrops], [Named]). A nil failed does nothing. The Next of a [stream.Subject] makes
// a stream of what failed gets. It ends as the source does.
//
// [MapErr] is for functions that choose between skipping and failing. Map of [fold.Trying] of
// f emits values and errors as one stream of Attempts.
func MapSkipErr[A, B any](f func(A) (B, error), failed func(A, error)) stream.Operator[A, B] {
	mustHave("MapSkipErr", "function", f != nil)
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave("MapSkipErr", "observable", source != nil)
		return func(ctx context.Context, yield func(B) bool) error {
			return source(ctx, func(a A) bool {
				b, err := f(a)
				if err == nil {
					return yield(b)
				}
				stream.Skipping(ctx)(1)
				if failed != nil {
					failed(a, err)
				}
				return true
			})
		}
	}
}

// FilterMap emits the result of f for each value for which f returns true. It is Filter and
// Map in one, for a look-up or a parser that returns both (RxJava: mapOptional; RxSwift:
// compactMap).
func FilterMap[A, B any](f func(A) (B, bool)) stream.Operator[A, B] {
	mustHave("FilterMap", "function", f != nil)
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave("FilterMap", "observable", source != nil)
		return func(ctx context.Context, yield func(B) bool) error {
			return source(ctx, func(a A) bool {
				b, ok := f(a)
				return !ok || yield(b)
			})
		}
	}
}

// ConcatMap runs project's observable for each value, one after the other, and emits their
// values. The source waits meanwhile. Nothing is buffered, and all run on the caller's
// goroutine. The first failure of the source or of a projected observable ends the run.
func ConcatMap[A, B any](project func(A) stream.Observable[B]) stream.Operator[A, B] {
	mustHave("ConcatMap", "function", project != nil)
	return concatMap("ConcatMap", project)
}

// concatMap is ConcatMap for an operator that is built on it and gives its own name.
func concatMap[A, B any](name string, project func(A) stream.Observable[B]) stream.Operator[A, B] {
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave(name, "observable", source != nil)
		return func(ctx context.Context, yield func(B) bool) error {
			var failure error
			wanted := true
			pass := func(b B) bool {
				wanted = yield(b)
				return wanted
			}
			err := source(ctx, func(a A) bool {
				failure = mustProject(name, project, a)(ctx, pass)
				return failure == nil && wanted
			})
			if failure != nil {
				return failure
			}
			return err
		}
	}
}

// Flatten emits the values of each slice in turn. It is ConcatMap over slices.
func Flatten[T any]() stream.Operator[[]T, T] {
	return concatMap("Flatten", stream.FromSlice[T])
}

// Pairwise emits each value together with the one before it, the earlier one first. The
// first value alone makes no pair. It keeps one value, and its source can see that
// ([stream.WithBuffering]).
func Pairwise[T any]() stream.Operator[T, fold.Pair[T, T]] {
	return func(source stream.Observable[T]) stream.Observable[fold.Pair[T, T]] {
		mustHave("Pairwise", "observable", source != nil)
		return func(ctx context.Context, yield func(fold.Pair[T, T]) bool) error {
			var before T
			found := false
			return source(stream.WithBuffering(ctx, "Pairwise"), func(v T) bool {
				pair := fold.PairOf(before, v)
				before = v
				if !found {
					found = true
					return true
				}
				return yield(pair)
			})
		}
	}
}
