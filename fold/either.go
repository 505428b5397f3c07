package fold

import "fmt"

// Either holds a left value or a right one. Functions and methods that change or
// test the value work on the right one and let a left one pass, unless they say
// otherwise. The zero Either is Left of L's zero value. Two Eithers of comparable
// types can be compared with ==.
type Either[L, R any] struct {
	left    L // the zero value when isRight
	right   R // the zero value when !isRight
	isRight bool
}

// Left returns an Either that holds a left value. The type to be named is the
// other side's: Left[int]("none") is an Either[string, int].
func Left[R, L any](value L) Either[L, R] { return Either[L, R]{left: value} }

// Right returns an Either that holds a right value. The type to be named is the
// other side's: Right[string](42) is an Either[string, int].
func Right[L, R any](value R) Either[L, R] { return Either[L, R]{right: value, isRight: true} }

// Get returns both sides and which of them is held; the other is its type's zero
// value.
func (e Either[L, R]) Get() (left L, right R, isRight bool) { return e.left, e.right, e.isRight }

// GetOr returns the right value, or the fallback where it is a left one.
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

// Attempt returns a success with the right value, or a failure with the error
// that f makes of the left one. A nil error fails with [ErrUnexplained].
func (e Either[L, R]) Attempt(f func(L) error) Attempt[R] {
	if !e.isRight {
		return Fail[R](f(e.left))
	}
	return Succeed(e.right)
}

// Filter returns Left of what reject makes of a right value that keep does not
// accept, else the Either itself.
func (e Either[L, R]) Filter(keep func(R) bool, reject func(R) L) Either[L, R] {
	if e.isRight && !keep(e.right) {
		return Left[R](reject(e.right))
	}
	return e
}

// Otherwise returns what f makes of a left value, else the Either itself.
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

// MapEither returns Right of what f makes of a right value, and lets a left value
// pass.
func MapEither[L, A, B any](e Either[L, A], f func(A) B) Either[L, B] {
	if !e.isRight {
		return Left[B](e.left)
	}
	return Right[L](f(e.right))
}

// MapLeft returns Left of what f makes of a left value, and lets a right value
// pass.
func MapLeft[A, B, R any](e Either[A, R], f func(A) B) Either[B, R] {
	if e.isRight {
		return Right[B](e.right)
	}
	return Left[R](f(e.left))
}

// ThenEither returns what f makes of a right value, and lets a left value pass.
func ThenEither[L, A, B any](e Either[L, A], f func(A) Either[L, B]) Either[L, B] {
	if !e.isRight {
		return Left[B](e.left)
	}
	return f(e.right)
}

// MatchEither returns what left makes of a left value, or what right makes of a
// right one. The functions stand in the order of the type: left, right.
func MatchEither[A, B, R any](e Either[A, B], left func(A) R, right func(B) R) R {
	if !e.isRight {
		return left(e.left)
	}
	return right(e.right)
}
