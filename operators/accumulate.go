package operators

import (
	"context"
	"reflect"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// Scan emits the running total of the values under a monoid: after each value, the
// combination of all up to it. Each run starts from a fresh identity. If a total holds
// maps, slices or pointers, a copy is emitted, which later values do not change.
func Scan[T any](m fold.Monoid[T]) stream.Operator[T, T] {
	mustHave("Scan", "monoid", m != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Scan", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			shares := sharesStorage(reflect.TypeFor[T]())
			total := m.Identity()
			return source(ctx, func(v T) bool {
				total = m.Combine(total, v)
				shown := total
				if shares {
					shown = fold.Copy(m, total)
				}
				return yield(shown)
			})
		}
	}
}

// sharesStorage reports whether a copy by assignment of a value of type t may
// share memory that can change.
func sharesStorage(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return sharesStorage(t.Elem())
	case reflect.Struct:
		for field := range t.Fields() {
			if sharesStorage(field.Type) {
				return true
			}
		}
		return false
	default:
		return t.Kind() > reflect.Complex128 && t.Kind() != reflect.String
	}
}

// ScanFrom emits, after each value, the state that step makes of the state before and the
// value (Rx: scan with a seed). seed makes the first state of each run. So the state may be
// a map or a slice that step changes, if the consumer keeps no state that it received.
func ScanFrom[A, B any](seed func() B, step func(state B, value A) B) stream.Operator[A, B] {
	mustHave("ScanFrom", "function", seed != nil && step != nil)
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave("ScanFrom", "observable", source != nil)
		return func(ctx context.Context, yield func(B) bool) error {
			state := seed()
			return source(ctx, func(a A) bool {
				state = step(state, a)
				return yield(state)
			})
		}
	}
}

// Fold emits one value when the source completes: the combination of all values
// under a monoid, its identity if there were none. A failure emits nothing.
func Fold[T any](m fold.Monoid[T]) stream.Operator[T, T] {
	mustHave("Fold", "monoid", m != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Fold", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			total := m.Identity()
			err := source(ctx, func(v T) bool {
				total = m.Combine(total, v)
				return true
			})
			return conclude(ctx, err, total, yield)
		}
	}
}

// Reduce emits one value when the source completes: the state that step made of a first
// state and all values in turn. seed makes the first state of each run. So the state may be
// a map or a slice that step changes. A failure emits nothing.
func Reduce[A, B any](seed func() B, step func(state B, value A) B) stream.Operator[A, B] {
	mustHave("Reduce", "function", seed != nil)
	mustHave("Reduce", "function", step != nil)
	return reduce("Reduce", seed, step)
}

// reduce is Reduce for an operator that is built on it and gives its own name.
func reduce[A, B any](name string, seed func() B, step func(state B, value A) B) stream.Operator[A, B] {
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave(name, "observable", source != nil)
		return func(ctx context.Context, yield func(B) bool) error {
			state := seed()
			err := source(ctx, func(a A) bool {
				state = step(state, a)
				return true
			})
			return conclude(ctx, err, state, yield)
		}
	}
}
