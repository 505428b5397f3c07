package rx

import (
	"context"
	"slices"

	"github.com/reactivex/rxgo/v2"
)

// bound is an RxGo observable whose operators are built with options that they
// would otherwise have to be given one by one: RxGo hands the options of Observe up
// a chain, but FlatMap, the time operators, singles and those that start when they
// are built look only at those they were built with.
type bound struct {
	rxgo.Observable
	options []rxgo.Option
}

// bind is a cold source: each Observe runs the producer, with a context that ends
// with both ctx and the one Observe was given.
func bind(ctx context.Context, produce rxgo.Producer, options ...rxgo.Option) rxgo.Observable {
	options = slices.Clip(append([]rxgo.Option{rxgo.WithContext(ctx)}, options...))
	both := func(observed context.Context, next chan<- rxgo.Item) {
		inner, cancel := context.WithCancelCause(observed)
		defer cancel(nil)
		defer context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })()
		produce(inner, next)
	}
	return bound{rxgo.Defer([]rxgo.Producer{both}, options...), options}
}

// with puts the options before those of an operator, which win. It makes a slice
// without room to spare: RxGo appends to it, from several goroutines.
func (b bound) with(opts []rxgo.Option) []rxgo.Option {
	return slices.Clip(slices.Concat(b.options, opts))
}

func (b bound) bind(o rxgo.Observable) rxgo.Observable { return bound{o, b.options} }
