package rx

import (
	"context"
	"slices"

	"github.com/reactivex/rxgo/v2"
)

// bound is an RxGo observable that passes its options to each operator. RxGo itself passes the
// options of Observe up a chain. But FlatMap, the time operators, singles and operators that
// start when they are built use only the options that they were built with.
type bound struct {
	rxgo.Observable
	options []rxgo.Option
}

// bind returns a cold source. Each Observe runs the producer, with a context that ends with ctx
// and with the context of Observe.
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

// with prepends the options to those of an operator, which take precedence. Its slice has no
// spare capacity, because several goroutines of RxGo append to it.
func (b bound) with(opts []rxgo.Option) []rxgo.Option {
	return slices.Clip(slices.Concat(b.options, opts))
}

func (b bound) bind(o rxgo.Observable) rxgo.Observable { return bound{o, b.options} }
