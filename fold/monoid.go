package fold

// A Monoid is a way to make one value of two, together with a value that changes
// nothing. It keeps three laws, which foldtest.Laws checks:
//
//   - Combine(Identity(), a) and Combine(a, Identity()) equal a.
//   - Combine(Combine(a, b), c) equals Combine(a, Combine(b, c)).
//   - Combine leaves b as it was, and what it returns can be combined further
//     without changing b.
//
// The order of values is kept, so Combine need not be commutative.
//
// Combine owns its left argument: it may build its result in the storage of a
// (the map, the array behind the slice), and the caller goes on with the result
// alone. This is what makes a fold over maps or slices cost the sum of their
// sizes instead of its square. To keep a value and give it away too, give away a
// [Copy]. Values without storage of their own, such as numbers and strings, need
// no such care.
//
// A Monoid may be used by several goroutines at once.
type Monoid[T any] interface {
	// Identity returns the value that changes nothing. It is made fresh at each
	// call: what one caller does to it, no other caller sees.
	Identity() T

	// Combine returns a followed by b. It may reuse a and never changes b.
	Combine(a, b T) T
}

// New returns the monoid of the two functions. Both must follow the rules that
// [Monoid] states: identity makes a fresh value at each call, combine may reuse a
// and never changes b.
func New[T any](identity func() T, combine func(a, b T) T) Monoid[T] {
	return monoid[T]{identity, combine}
}

type monoid[T any] struct {
	identity func() T
	combine  func(a, b T) T
}

func (m monoid[T]) Identity() T      { return m.identity() }
func (m monoid[T]) Combine(a, b T) T { return m.combine(a, b) }

// Lift returns the monoid of any associative function: values combine as the
// function says and Nothing is the identity. It serves where no value of T is one
// that changes nothing, as for the least of some strings.
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

// Copy returns a value equal to the given one that may be handed to Combine as
// its left argument while the caller keeps the original. Use it to show a running
// total to others and go on adding to it.
func Copy[T any](m Monoid[T], value T) T {
	return m.Combine(m.Identity(), value)
}
