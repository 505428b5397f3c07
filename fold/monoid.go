package fold

// Monoid combines two values of a type to one, and has an identity, a value that changes
// nothing when it is combined with another. It keeps three laws, which foldtest.Laws
// checks:
//
//   - Combine(Identity(), a) and Combine(a, Identity()) equal a.
//   - Combine(Combine(a, b), c) equals Combine(a, Combine(b, c)).
//   - Combine does not change b, and combining its result further does not change b.
//
// Folds keep the order of values, so Combine need not be commutative.
//
// Combine owns its left argument: it may build its result in the storage of a
// (the map, the array behind the slice), and the caller must use the result only. Hence a
// fold over maps or slices costs the sum of their sizes instead of its square. A caller
// that keeps a value combines a [Copy] of it. Values without storage of their own, such as
// numbers and strings, need no copy.
//
// Several goroutines may use a Monoid at once.
type Monoid[T any] interface {
	// Identity returns the value that changes nothing. Each call returns a value with
	// storage of its own, so changing it affects no other caller.
	Identity() T

	// Combine returns a followed by b. It may reuse the storage of a, and never changes b.
	Combine(a, b T) T
}

// New returns the monoid of the two functions. Both must follow the rules of [Monoid]:
// identity returns a new value at each call, combine may reuse the storage of a and never
// changes b.
func New[T any](identity func() T, combine func(a, b T) T) Monoid[T] {
	return monoid[T]{identity, combine}
}

type monoid[T any] struct {
	identity func() T
	combine  func(a, b T) T
}

func (m monoid[T]) Identity() T      { return m.identity() }
func (m monoid[T]) Combine(a, b T) T { return m.combine(a, b) }

// Lift returns the monoid of any associative function, with Nothing as the identity. It
// serves types without a value that changes nothing, for example for the least of some
// strings.
//
// The function must change neither of its arguments.
func Lift[T any](combine func(a, b T) T) Monoid[Maybe[T]] {
	return New(Nothing[T], func(a, b Maybe[T]) Maybe[T] {
		switch {
		case !a.ok:
			return b
		case !b.ok:
			return a
		default:
			return Just(combine(a.value, b.value))
		}
	})
}

// Copy returns a value that is equal to the given one and shares no storage with it.
// Combine may then reuse the copy while the caller keeps the original. Use it to publish a
// running total and go on adding to it.
func Copy[T any](m Monoid[T], value T) T {
	return m.Combine(m.Identity(), value)
}
