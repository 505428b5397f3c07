package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// An operator that is composed with a nil function or observable panics at once. So the
// stack trace has the line that is wrong; the trace of a panic in the run would have the
// line that runs it.

// mustHave panics if a function or observable of the operator is nil.
func mustHave(operator, what string, has bool) {
	if !has {
		panic("operators: " + operator + " with a nil " + what)
	}
}

// ended returns how a run ends whose source ended with err. If the context is done, a
// source that returned nil may not have emitted all its values. So this is no completion,
// and an operator that emits a value at completion calls ended first.
func ended(ctx context.Context, err error) error {
	if err == nil {
		return context.Cause(ctx)
	}
	return err
}

// conclude ends a run whose source ended with err. If the source completed, it emits v as
// the last value. A run whose context ended during that yield has not completed either.
func conclude[T any](ctx context.Context, err error, v T, yield func(T) bool) error {
	if err = ended(ctx, err); err == nil && yield(v) {
		err = context.Cause(ctx)
	}
	return err
}

// mustHaveEach is mustHave of the sources of an operator.
func mustHaveEach[T any](operator string, sources []stream.Observable[T]) {
	for _, source := range sources {
		mustHave(operator, "observable", source != nil)
	}
}

// called returns an operator that is built on another one and has its own name.
func called[A, B any](name string, op stream.Operator[A, B]) stream.Operator[A, B] {
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave(name, "observable", source != nil)
		return op(source)
	}
}
