package fold

import "iter"

// Slice combines the values in order. It returns the identity if there are none. It does
// not change the values.
func Slice[T any](m Monoid[T], values []T) T {
	total := m.Identity()
	for _, value := range values {
		total = m.Combine(total, value)
	}
	return total
}

// SliceFunc combines f(value) of each value, in order.
func SliceFunc[A, T any](m Monoid[T], values []A, f func(A) T) T {
	total := m.Identity()
	for _, value := range values {
		total = m.Combine(total, f(value))
	}
	return total
}

// Seq combines the values of a sequence in order, until the sequence ends. It returns the
// identity if there are none.
func Seq[T any](m Monoid[T], values iter.Seq[T]) T {
	total := m.Identity()
	for value := range values {
		total = m.Combine(total, value)
	}
	return total
}

// SeqFunc combines f(value) of each value of a sequence, in order.
func SeqFunc[A, T any](m Monoid[T], values iter.Seq[A], f func(A) T) T {
	total := m.Identity()
	for value := range values {
		total = m.Combine(total, f(value))
	}
	return total
}
