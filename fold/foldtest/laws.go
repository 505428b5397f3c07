// Package foldtest checks that monoids keep their laws.
package foldtest

import (
	"math"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rxipc/rxipc/fold"
)

// Laws checks with the given values that m keeps the laws of [fold.Monoid], and
// reports the first that it does not keep as an error of the test:
//
//   - Identity returns the same value each time, and storage of its own: what
//     happens to one identity shows in no other.
//   - The identity on the left or on the right of a value changes nothing.
//   - Combine is associative. All triples of the values are tried, so a handful of
//     values that differ in kind is better than many.
//   - Combine never changes a right argument, neither at once nor when its result
//     is combined further, nor a result that it returned before.
//
// Values are compared deeply, unexported fields included, with nil and empty maps
// and slices taken as equal, and NaN equal to itself; a type's own Equal method is
// used where there is one. Use [LawsFunc] to compare in another way. Sums of
// floating-point numbers are associative only where nothing is rounded: choose
// such values, or compare with a tolerance.
func Laws[T any](t testing.TB, m fold.Monoid[T], values ...T) {
	t.Helper()
	LawsFunc(t, m, equal[T], values...)
}

// LawsFunc is [Laws] with the function that tells whether two values are equal.
func LawsFunc[T any](t testing.TB, m fold.Monoid[T], equal func(a, b T) bool, values ...T) {
	t.Helper()
	l := laws[T]{t, m, equal, values}
	// What a law relies on has been checked by those above it.
	_ = l.identityIsFresh() &&
		l.identityChangesNothing() &&
		l.combineIsAssociative()
}

func equal[T any](a, b T) bool {
	return cmp.Equal(a, b,
		cmpopts.EquateEmpty(),
		cmp.FilterValues(bothNaN, cmp.Comparer(func(_, _ any) bool { return true })),
		cmp.Exporter(func(reflect.Type) bool { return true }),
	)
}

// bothNaN is true of two NaNs of any floating-point type, named ones included,
// which cmpopts.EquateNaNs leaves out.
func bothNaN(a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	return x.CanFloat() && y.CanFloat() && math.IsNaN(x.Float()) && math.IsNaN(y.Float())
}

type laws[T any] struct {
	t      testing.TB
	m      fold.Monoid[T]
	equal  func(a, b T) bool
	values []T
}

// identityIsFresh checks that identities are equal and share no storage, before
// and after values have been combined into some of them.
func (l laws[T]) identityIsFresh() bool {
	l.t.Helper()
	untouched := l.m.Identity()
	before := storage(untouched)

	if shared(reflect.ValueOf(&untouched).Elem(), reflect.ValueOf(new(l.m.Identity())).Elem()) {
		l.t.Errorf("two identities share storage: %s", render(untouched))
		return false
	}
	for _, a := range l.values {
		l.m.Combine(l.m.Combine(l.m.Identity(), a), a)

		if after := storage(untouched); after != before {
			l.t.Errorf("combining %s into an identity changed another identity:\n was %s\n now %s",
				render(a), before, after)
			return false
		}
		if now := l.m.Identity(); !l.equal(untouched, now) {
			l.t.Errorf("the identity changed after combining %s:\n was %s\n now %s",
				render(a), render(untouched), render(now))
			return false
		}
	}
	return true
}

// identityChangesNothing checks both identity laws. They make [fold.Copy] a copy.
func (l laws[T]) identityChangesNothing() bool {
	l.t.Helper()
	arguments := watch(l.values)
	for _, a := range l.values {
		left := l.m.Combine(l.m.Identity(), a)
		right := l.m.Combine(fold.Copy(l.m, a), l.m.Identity())

		if was, now, changed := arguments.changed(); changed {
			l.t.Errorf("Combine changed a right argument:\n was %s\n now %s", was, now)
			return false
		}
		if !l.equal(left, a) {
			l.t.Errorf("left identity: Combine(Identity(), a) is not a\n   a %s\n got %s", render(a), render(left))
			return false
		}
		if !l.equal(right, a) {
			l.t.Errorf("right identity: Combine(a, Identity()) is not a\n   a %s\n got %s", render(a), render(right))
			return false
		}
	}
	return true
}

// combineIsAssociative checks associativity, and that neither the arguments nor
// the first result change on the way.
func (l laws[T]) combineIsAssociative() bool {
	l.t.Helper()
	arguments := watch(l.values)
	for _, a := range l.values {
		for _, b := range l.values {
			for _, c := range l.values {
				left := l.m.Combine(l.m.Combine(fold.Copy(l.m, a), b), c)
				before := storage(left)
				right := l.m.Combine(fold.Copy(l.m, a), l.m.Combine(fold.Copy(l.m, b), c))

				if was, now, changed := arguments.changed(); changed {
					l.t.Errorf("Combine changed a right argument:\n was %s\n now %s", was, now)
					return false
				}
				if after := storage(left); after != before {
					l.t.Errorf("Combine changed a result it had returned before:\n was %s\n now %s", before, after)
					return false
				}
				if !l.equal(left, right) {
					l.t.Errorf("associativity: a is %s, b is %s, c is %s\n(ab)c is %s\na(bc) is %s",
						render(a), render(b), render(c), render(left), render(right))
					return false
				}
			}
		}
	}
	return true
}

// A watched slice remembers what its values were.
type watched[T any] struct {
	values []T
	before []string
}

func watch[T any](values []T) watched[T] {
	w := watched[T]{values: values}
	for _, value := range values {
		w.before = append(w.before, storage(value))
	}
	return w
}

// changed returns the first change to a value since watch.
func (w watched[T]) changed() (was, now string, changed bool) {
	for i, value := range w.values {
		if now := storage(value); now != w.before[i] {
			return w.before[i], now, true
		}
	}
	return "", "", false
}
