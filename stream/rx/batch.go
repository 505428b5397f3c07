package rx

import (
	"context"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxipc/rxipc/stream"
)

// ToRxBatches is [ToRx] with values that cross in slices. Its items are []T. Each has the
// values that the source emitted while RxGo processed the items before, at most size values
// (at least one, and at most 1024, however large size is). No value waits for others. At most
// size values wait besides the slice that is being sent; then the source blocks. RxGo may
// keep the slices.
func ToRxBatches[T any](ctx context.Context, source stream.Observable[T], size int) rxgo.Observable {
	return toRx(ctx, feedBatches(source, size))
}

// FromRxBatches is [FromRx] of an observable whose items are []T. It emits their elements.
func FromRxBatches[T any](source rxgo.Iterable) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		return from(ctx, func(context.Context) rxgo.Iterable { return source }, elements(ctx, yield))
	}
}

// ThroughBatches is [Through] with values that cross in slices, as with [ToRxBatches]: chain
// gets items of type []A and returns items of type []B, of any length. RxGo's cost is per
// slice. [Buffer] counts slices.
func ThroughBatches[A, B any, I rxgo.Iterable](size int, chain func(batches rxgo.Observable) I, options ...Option) stream.Operator[A, B] {
	c := configured(options)
	return func(source stream.Observable[A]) stream.Observable[B] {
		return func(ctx context.Context, yield func(B) bool) error {
			return through(ctx, feedBatches(source, size), chain, c, elements(ctx, yield))
		}
	}
}

// elements passes the elements of items, which must be slices, to yield.
func elements[T any](ctx context.Context, yield func(T) bool) func(any) (bool, error) {
	return func(item any) (bool, error) {
		slice, err := valueOf[[]T](item)
		if err != nil {
			return false, err
		}
		for i, v := range slice {
			if i > 0 && ctx.Err() != nil { // receive checked ctx for the first element
				return false, context.Cause(ctx)
			}
			if !yield(v) {
				return false, nil
			}
		}
		return true, nil
	}
}

func feedBatches[T any](source stream.Observable[T], size int) feed {
	return func(ctx context.Context, send func(any) bool) error {
		b := newBatcher[T](size)
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			b.sendAll(ctx, send)
		}()
		defer func() { // also when source panics: the values it emitted before are sent first
			b.end()
			<-sent
		}()
		return source(stream.WithBuffering(ctx, "RxGo"), b.push)
	}
}
