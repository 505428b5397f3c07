package fold

import "fmt"

// Either holds a left value or a right one. Functions and methods that change or
// test the value apply to a right value and pass a left value unchanged, unless stated
// otherwise. The zero Either is Left of L's zero value. Two Eithers of comparable
// types can be compared with ==.
type Either[L, R any] struct {
	left    L // the zero value when isRight
	right   R // the zero value when !isRight
	isRight bool
}

// Left returns an Either that holds a left value. Its explicit type argument is the type of
// the other side: Left[int]("none") is an Either[string, int].
func Left[R, L any](value L) Either[L, R] { return Either[L, R]{left: value} }

// Right returns an Either that holds a right value. Its explicit type argument is the type
// of the other side: Right[string](42) is an Either[string, int].
func Right[L, R any](value R) Either[L, R] { return Either[L, R]{right: value, isRight: true} }

// Get returns both sides, and whether the Either holds the right one. The other side is the
// zero value of its type.
func (e Either[L, R]) Get() (left L, right R, isRight bool) { return e.left, e.right, e.isRight }

// GetOr returns the right value, or the fallback if there is a left one.
func (e Either[L, R]) GetOr(fallback R) R {
	if !e.isRight {
		return fallback
	}
	return e.right
}

// Left returns Just the left value, or Nothing.
func (e Either[L, R]) Left() Maybe[L] { return MaybeOf(e.left, !e.isRight) }

// Right returns Just the right value, or Nothing.
func (e Either[L, R]) Right() Maybe[R] { return MaybeOf(e.right, e.isRight) }

// Attempt returns a success with the right value, or a failure with f(left). A nil error of
// f becomes [ErrUnexplained].
func (e Either[L, R]) Attempt(f func(L) error) Attempt[R] {
	if !e.isRight {
		return Fail[R](f(e.left))
	}
	return Succeed(e.right)
}

// Filter returns Left of reject(right) if there is a right value and keep(right) is false,
// and the Either itself otherwise.
func (e Either[L, R]) Filter(keep func(R) bool, reject func(R) L) Either[L, R] {
	if e.isRight && !keep(e.right) {
		return Left[R](reject(e.right))
	}
	return e
}

// Otherwise returns f(left) for a left value, and the Either itself otherwise.
func (e Either[L, R]) Otherwise(f func(L) Either[L, R]) Either[L, R] {
	if !e.isRight {
		return f(e.left)
	}
	return e
}

// String returns Left(value) or Right(value).
func (e Either[L, R]) String() string {
	if !e.isRight {
		return fmt.Sprintf("Left(%v)", e.left)
	}
	return fmt.Sprintf("Right(%v)", e.right)
}

// MapEither returns Right of f(right), or the same left value.
func MapEither[L, A, B any](e Either[L, A], f func(A) B) Either[L, B] {
	if !e.isRight {
		return Left[B](e.left)
	}
	return Right[L](f(e.right))
}

// MapLeft returns Left of f(left), or the same right value.
func MapLeft[A, B, R any](e Either[A, R], f func(A) B) Either[B, R] {
	if e.isRight {
		return Right[B](e.right)
	}
	return Left[R](f(e.left))
}

// ThenEither returns f(right), or the same left value.
func ThenEither[L, A, B any](e Either[L, A], f func(A) Either[L, B]) Either[L, B] {
	if !e.isRight {
		return Left[B](e.left)
	}
	return f(e.right)
}

// MatchEither returns left(value) for a left value, or right(value) for a right value. The
// functions have the order of the type: left, right.
func MatchEither[A, B, R any](e Either[A, B], left func(A) R, right func(B) R) R {
	if !e.isRight {
		return left(e.left)
	}
	return right(e.right)
}
