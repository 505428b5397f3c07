package stream

import "context"

// Observable is a source of values of type T. Calling it runs it: yield gets
// each value, on the caller's goroutine, until the run completes (nil), fails
// (an error) or is no longer wanted (yield returned false; the run then cleans
// up and returns nil). When ctx is done the run ends with context.Cause(ctx).
// The package documentation states the whole contract.
type Observable[T any] func(ctx context.Context, yield func(T) bool) error

// Operator makes an observable out of another. Building one starts nothing;
// only a run of the observable that it returns does.
type Operator[A, B any] = func(Observable[A]) Observable[B]
