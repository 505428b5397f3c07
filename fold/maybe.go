package fold

import (
	"fmt"
	"iter"
)

// Maybe holds a value or nothing. The zero Maybe is Nothing. Two Maybes of a
// comparable type can be compared with ==.
type Maybe[T any] struct {
	value T // the zero value when !ok
	ok    bool
}

// Just returns a Maybe that holds the value.
func Just[T any](value T) Maybe[T] { return Maybe[T]{value, true} }

// Nothing returns a Maybe that holds no value.
func Nothing[T any]() Maybe[T] { return Maybe[T]{} }

// MaybeOf returns Just the value if ok, else Nothing. It converts the results of plain Go:
// fold.MaybeOf(os.LookupEnv("HOME")).
func MaybeOf[T any](value T, ok bool) Maybe[T] {
	if !ok {
		return Nothing[T]()
	}
	return Just(value)
}

// FromPointer returns Just the target of the pointer, or Nothing for nil.
func FromPointer[T any](pointer *T) Maybe[T] {
	if pointer == nil {
		return Nothing[T]()
	}
	return Just(*pointer)
}

// Get returns the value and true, or T's zero value and false.
func (m Maybe[T]) Get() (value T, ok bool) { return m.value, m.ok }

// GetOr returns the value, or the fallback if there is none.
func (m Maybe[T]) GetOr(fallback T) T {
	if !m.ok {
		return fallback
	}
	return m.value
}

// IsJust reports whether there is a value.
func (m Maybe[T]) IsJust() bool { return m.ok }

// Pointer returns a pointer to a copy of the value, or nil. It allocates.
func (m Maybe[T]) Pointer() *T {
	if !m.ok {
		return nil
	}
	return &m.value
}

// All returns a sequence of the value, empty if there is none.
func (m Maybe[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		if m.ok {
			yield(m.value)
		}
	}
}

// Filter returns the Maybe itself if it holds a value and keep(value) is true, else
// Nothing.
func (m Maybe[T]) Filter(keep func(T) bool) Maybe[T] {
	if !m.ok || !keep(m.value) {
		return Nothing[T]()
	}
	return m
}

// Otherwise returns the Maybe itself if it holds a value, else f().
func (m Maybe[T]) Otherwise(f func() Maybe[T]) Maybe[T] {
	if !m.ok {
		return f()
	}
	return m
}

// Attempt returns a success with the value, or a failure with err. A nil err becomes
// [ErrUnexplained].
func (m Maybe[T]) Attempt(err error) Attempt[T] {
	if !m.ok {
		return Fail[T](err)
	}
	return Succeed(m.value)
}

// String returns Just(value) or Nothing.
func (m Maybe[T]) String() string {
	if !m.ok {
		return "Nothing"
	}
	return fmt.Sprintf("Just(%v)", m.value)
}

// MapMaybe returns Just f(value), or Nothing.
func MapMaybe[A, B any](m Maybe[A], f func(A) B) Maybe[B] {
	if !m.ok {
		return Nothing[B]()
	}
	return Just(f(m.value))
}

// ThenMaybe returns f(value), or Nothing.
func ThenMaybe[A, B any](m Maybe[A], f func(A) Maybe[B]) Maybe[B] {
	if !m.ok {
		return Nothing[B]()
	}
	return f(m.value)
}

// MatchMaybe returns just(value), or nothing() if there is no value.
func MatchMaybe[A, R any](m Maybe[A], just func(A) R, nothing func() R) R {
	if !m.ok {
		return nothing()
	}
	return just(m.value)
}

// RightOr returns Right of the value, or Left of left if there is none.
func RightOr[L, R any](m Maybe[R], left L) Either[L, R] {
	if !m.ok {
		return Left[R](left)
	}
	return Right[L](m.value)
}
