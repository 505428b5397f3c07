package fold

// Number is any integer or floating-point type.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 |
		~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr |
		~float32 | ~float64
}

// Sum adds numbers, starting at 0. Integers wrap around when they overflow.
// Floating-point addition rounds, so folds that group the values differently may
// differ in the last digits.
func Sum[T Number]() Monoid[T] {
	return New(zero[T], func(a, b T) T { return a + b })
}

// Product multiplies numbers, starting at 1. Integers wrap around when they
// overflow, floating-point numbers round as they do in [Sum].
func Product[T Number]() Monoid[T] {
	return New(func() T { return 1 }, func(a, b T) T { return a * b })
}

// Min keeps the least number. Its identity, the result for no numbers, is the greatest value
// of the type: +Inf for floating-point types. A NaN among the values makes the result NaN,
// as it does for the built-in min. [Lift] makes a Min of other types, or one whose result
// for no numbers is Nothing.
func Min[T Number]() Monoid[T] {
	identity := greatest[T]()
	return New(func() T { return identity }, func(a, b T) T { return min(a, b) })
}

// Max keeps the greatest number. Its identity, the result for no numbers, is the least value
// of the type: -Inf for floating-point types. A NaN among the values makes the result NaN,
// as it does for the built-in max. [Lift] makes a Max of other types, or one whose result
// for no numbers is Nothing.
func Max[T Number]() Monoid[T] {
	identity := least[T]()
	return New(func() T { return identity }, func(a, b T) T { return max(a, b) })
}

// greatest returns the greatest value of T. It appends ones to the binary number until the
// number no longer grows. Then the next step would overflow an integer, and a
// floating-point number is +Inf.
func greatest[T Number]() T {
	greatest := T(1)
	for next := greatest*2 + 1; next > greatest; next = greatest*2 + 1 {
		greatest = next
	}
	return greatest
}

// least returns the least value of T, computed as -greatest-1. That is 0 for unsigned
// integers and -Inf for floating-point numbers.
func least[T Number]() T {
	return -greatest[T]() - 1
}

// All is true if all values are true, and true for no values.
func All() Monoid[bool] {
	return New(func() bool { return true }, func(a, b bool) bool { return a && b })
}

// Any is true if at least one value is true, and false for no values.
func Any() Monoid[bool] {
	return New(func() bool { return false }, func(a, b bool) bool { return a || b })
}

// First keeps the first value that is not Nothing. The identity is Nothing.
func First[T any]() Monoid[Maybe[T]] {
	return Lift(func(a, _ T) T { return a })
}

// Last keeps the last value that is not Nothing. The identity is Nothing.
func Last[T any]() Monoid[Maybe[T]] {
	return Lift(func(_, b T) T { return b })
}

// ConcatStrings concatenates strings, starting at "". Each Combine copies both strings. For
// many strings [ConcatSlices] of bytes copies less.
func ConcatStrings[S ~string]() Monoid[S] {
	return New(zero[S], func(a, b S) S { return a + b })
}

// ConcatSlices concatenates slices, starting at a nil slice. Its type argument is the type
// of the slices: ConcatSlices[[]int](). Combine appends to its left argument.
func ConcatSlices[S ~[]E, E any]() Monoid[S] {
	return New(zero[S], func(a, b S) S { return append(a, b...) })
}

// ByKey merges maps. The given monoid combines the values under the same key. The identity
// is an empty map. Only the type of the keys must be given:
//
//	fold.ByKey[string](fold.Sum[int]()) // Monoid[map[string]int]
//
// Combine adds to its left argument, or to a new map if that is nil.
func ByKey[K comparable, V any](value Monoid[V]) Monoid[map[K]V] {
	return New(
		func() map[K]V { return map[K]V{} },
		func(a, b map[K]V) map[K]V {
			if a == nil {
				a = make(map[K]V, len(b))
			}
			for key, right := range b {
				left, ok := a[key]
				if !ok {
					left = value.Identity()
				}
				a[key] = value.Combine(left, right)
			}
			return a
		},
	)
}

// Pair holds two values.
type Pair[A, B any] struct {
	First  A // the left part
	Second B // the right part
}

// PairOf returns the pair of the two values.
func PairOf[A, B any](first A, second B) Pair[A, B] {
	return Pair[A, B]{first, second}
}

// Get returns both values.
func (p Pair[A, B]) Get() (A, B) { return p.First, p.Second }

// Both combines the first values of pairs with the first monoid and the second values with
// the second monoid. It computes two folds in one pass.
func Both[A, B any](first Monoid[A], second Monoid[B]) Monoid[Pair[A, B]] {
	return New(
		func() Pair[A, B] {
			return PairOf(first.Identity(), second.Identity())
		},
		func(a, b Pair[A, B]) Pair[A, B] {
			return PairOf(first.Combine(a.First, b.First), second.Combine(a.Second, b.Second))
		},
	)
}

// Unit combines empty values, for servers and folds without a result.
func Unit() Monoid[struct{}] {
	return New(zero[struct{}], func(struct{}, struct{}) struct{} { return struct{}{} })
}

func zero[T any]() (zero T) { return zero }
