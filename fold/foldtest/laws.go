// Package foldtest checks that monoids keep their laws.
//
//	func TestLongest(t *testing.T) {
//		foldtest.Laws(t, longest, "", "a", "bb", "cc") // a few values of different kinds
//	}
package foldtest

import (
	"math"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rxipc/rxipc/fold"
)

// Laws checks with the given values that m keeps the laws of [fold.Monoid]. It reports the
// first broken law as an error of the test:
//
//   - Identity returns an equal value each time, with storage of its own: changing one
//     identity changes no other.
//   - Combining a value with the identity, on the left or on the right, returns the value.
//   - Combine is associative. Laws tries all triples of the values, so a few values of
//     different kinds are better than many.
//   - Combine never changes its right argument, neither at once nor when its result is
//     combined further. It never changes a result that it returned before.
//
// Laws compares values deeply, including unexported fields. Nil and empty maps and slices
// are equal, and NaN equals itself. It uses the Equal method of a type that has one. Use
// [LawsFunc] for another comparison. Sums of floating-point numbers are associative only if
// no addition rounds: choose such values, or compare with a tolerance.
func Laws[T any](t testing.TB, m fold.Monoid[T], values ...T) {
	t.Helper()
	LawsFunc(t, m, equal[T], values...)
}

// LawsFunc is [Laws] with a function that reports whether two values are equal.
func LawsFunc[T any](t testing.TB, m fold.Monoid[T], equal func(a, b T) bool, values ...T) {
	t.Helper()
	l := laws[T]{t, m, equal, values}
	// Each check relies on the checks above it.
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

// bothNaN reports whether both values are NaNs of any floating-point type, including named
// types, which cmpopts.EquateNaNs ignores.
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

// identityIsFresh checks that identities are equal and share no storage, before and after
// combining values into some of them.
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

// identityChangesNothing checks both identity laws. [fold.Copy] relies on them.
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

// combineIsAssociative checks associativity, and that neither the arguments nor the first
// result change meanwhile.
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

// watched is a slice with a record of its values.
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
