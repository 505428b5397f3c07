package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// An operator that is composed of something that is nil panics there and then: the line
// that is wrong is in the trace, where a run would show the line that happened to run it.

// mustHave panics unless the operator has what it is made of.
func mustHave(operator, what string, has bool) {
	if !has {
		panic("operators: " + operator + " with a nil " + what)
	}
}

// ended is how a run ends whose source ended with err. A source that completed although
// the context is done has not emitted all that it had, so that is no completion: what
// emits something when the source has completed asks this first.
func ended(ctx context.Context, err error) error {
	if err == nil {
		return context.Cause(ctx)
	}
	return err
}

// conclude ends a run whose source ended with err: if that was a completion, with v as the
// last value. A run whose context ended while yield was at work with it has not completed
// either.
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

// called is an operator that is made of another, under its own name.
func called[A, B any](name string, op stream.Operator[A, B]) stream.Operator[A, B] {
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave(name, "observable", source != nil)
		return op(source)
	}
}
