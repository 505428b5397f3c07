package fold

import "iter"

// Slice combines the values in order. No values give the identity. The values
// stay as they are.
func Slice[T any](m Monoid[T], values []T) T {
	total := m.Identity()
	for _, value := range values {
		total = m.Combine(total, value)
	}
	return total
}

// SliceFunc combines, in order, what f makes of each value.
func SliceFunc[A, T any](m Monoid[T], values []A, f func(A) T) T {
	total := m.Identity()
	for _, value := range values {
		total = m.Combine(total, f(value))
	}
	return total
}

// Seq combines the values of a sequence in order. It returns when the sequence
// ends; no values give the identity.
func Seq[T any](m Monoid[T], values iter.Seq[T]) T {
	total := m.Identity()
	for value := range values {
		total = m.Combine(total, value)
	}
	return total
}

// SeqFunc combines, in order, what f makes of each value of a sequence.
func SeqFunc[A, T any](m Monoid[T], values iter.Seq[A], f func(A) T) T {
	total := m.Identity()
	for value := range values {
		total = m.Combine(total, f(value))
	}
	return total
}
