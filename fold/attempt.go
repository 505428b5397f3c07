package fold

import (
	"errors"
	"fmt"
)

//go:generate go run ./internal/chaingen chain.go

// ErrUnexplained is the error of a failure that was given a nil error.
var ErrUnexplained = errors.New("fold: failure without an error")

// Attempt holds the value of an operation, or its error. The zero Attempt is a success
// with T's zero value, like a function that returns a zero value and a nil error.
type Attempt[T any] struct {
	value T // the zero value when err != nil
	err   error
}

// Succeed returns a success with the value.
func Succeed[T any](value T) Attempt[T] { return Attempt[T]{value: value} }

// Fail returns a failure with the error as it is. A failure never turns into a
// success by accident: a nil error fails with [ErrUnexplained].
func Fail[T any](err error) Attempt[T] {
	if err == nil {
		err = ErrUnexplained
	}
	return Attempt[T]{err: err}
}

// Try converts the results of a plain Go function: to a failure if err is not nil, else
// to a success with the value. It wraps the call: fold.Try(os.ReadFile(path)). It drops
// a value that is returned with an error.
func Try[T any](value T, err error) Attempt[T] {
	if err != nil {
		return Fail[T](err)
	}
	return Succeed(value)
}

// Trying converts a plain Go function to a step for [Then] and the chains:
// fold.Then(text, fold.Trying(strconv.Atoi)).
func Trying[A, B any](f func(A) (B, error)) func(A) Attempt[B] {
	return func(a A) Attempt[B] { return Try(f(a)) }
}

// Get returns the value and a nil error, or T's zero value and the error.
func (a Attempt[T]) Get() (T, error) { return a.value, a.err }

// GetOr returns the value, or the fallback if there is an error.
func (a Attempt[T]) GetOr(fallback T) T {
	if a.err != nil {
		return fallback
	}
	return a.value
}

// Err returns the error of a failure, or nil.
func (a Attempt[T]) Err() error { return a.err }

// Maybe returns Just the value, or Nothing if there is an error.
func (a Attempt[T]) Maybe() Maybe[T] { return MaybeOf(a.value, a.err == nil) }

// Either returns Right of the value, or Left of the error.
func (a Attempt[T]) Either() Either[error, T] {
	if a.err != nil {
		return Left[T](a.err)
	}
	return Right[error](a.value)
}

// Filter returns a failure with reject(value) if keep(value) is false, and the Attempt
// itself otherwise. A nil error of reject becomes [ErrUnexplained].
func (a Attempt[T]) Filter(keep func(T) bool, reject func(T) error) Attempt[T] {
	if a.err == nil && !keep(a.value) {
		return Fail[T](reject(a.value))
	}
	return a
}

// Recover returns f(error) for a failure, and a success itself.
func (a Attempt[T]) Recover(f func(error) Attempt[T]) Attempt[T] {
	if a.err != nil {
		return f(a.err)
	}
	return a
}

// MapError returns a failure with f(error) for a failure, and a success itself. It serves
// to wrap errors. A nil error of f becomes [ErrUnexplained].
func (a Attempt[T]) MapError(f func(error) error) Attempt[T] {
	if a.err != nil {
		return Fail[T](f(a.err))
	}
	return a
}

// String returns Success(value) or Failure(error).
func (a Attempt[T]) String() string {
	if a.err != nil {
		return fmt.Sprintf("Failure(%v)", a.err)
	}
	return fmt.Sprintf("Success(%v)", a.value)
}

// Map returns a success with f(value), or a failure with the same error.
func Map[A, B any](a Attempt[A], f func(A) B) Attempt[B] {
	if a.err != nil {
		return Fail[B](a.err)
	}
	return Succeed(f(a.value))
}

// Then returns f(value), or a failure with the same error. [Chain2] to [Chain9] take
// several steps.
func Then[A, B any](a Attempt[A], f func(A) Attempt[B]) Attempt[B] {
	if a.err != nil {
		return Fail[B](a.err)
	}
	return f(a.value)
}

// Match returns success(value) or failure(error).
func Match[A, R any](a Attempt[A], success func(A) R, failure func(error) R) R {
	if a.err != nil {
		return failure(a.err)
	}
	return success(a.value)
}
