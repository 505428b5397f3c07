package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// Distinct emits the values that equal none of the last limit values it has emitted. It
// keeps only these: when it has emitted limit values, each new one makes it forget the
// oldest, which would then be emitted again. A limit below one counts as one. A value that
// does not equal itself, such as NaN, is always emitted and never kept.
func Distinct[T comparable](limit int) stream.Operator[T, T] {
	return called("Distinct", DistinctBy(func(v T) T { return v }, limit))
}

// DistinctBy is [Distinct] for values that are the same when their keys are equal.
// It keeps the keys of the last limit values it has emitted.
func DistinctBy[T any, K comparable](key func(T) K, limit int) stream.Operator[T, T] {
	mustHave("DistinctBy", "function", key != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("DistinctBy", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			known := keys[K]{known: make(map[K]struct{}), order: ring[K]{size: max(1, limit)}}
			return source(ctx, func(v T) bool { return !known.add(key(v)) || yield(v) })
		}
	}
}

// keys are the last keys that were new.
type keys[K comparable] struct {
	known map[K]struct{}
	order ring[K]
}

// add reports whether the key is new.
func (k *keys[K]) add(key K) bool {
	if _, found := k.known[key]; found {
		return false
	}
	if itself := key; itself != key { // a map would keep it for ever: it could not be deleted
		return true
	}
	if oldest, full := k.order.push(key); full {
		delete(k.known, oldest)
	}
	k.known[key] = struct{}{}
	return true
}

// DistinctUntilChanged emits the values that do not equal the one before.
func DistinctUntilChanged[T comparable]() stream.Operator[T, T] {
	return called("DistinctUntilChanged", DistinctUntilChangedFunc(func(before, v T) bool { return before == v }))
}

// DistinctUntilChangedFunc emits the first value, and then each value that is not equal to
// the value emitted before it. It calls equal with that value and the new one. It keeps one
// value.
func DistinctUntilChangedFunc[T any](equal func(emitted, v T) bool) stream.Operator[T, T] {
	mustHave("DistinctUntilChangedFunc", "function", equal != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("DistinctUntilChangedFunc", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			var emitted T
			found := false
			return source(ctx, func(v T) bool {
				if found && equal(emitted, v) {
					return true
				}
				emitted, found = v, true
				return yield(v)
			})
		}
	}
}
