package rx

import (
	"context"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxipc/rxipc/stream"
)

// ToRxBatches is [ToRx] with values that cross in slices: its items are []T, each
// with what the source emitted while RxGo was at work on those before, and at most
// size values (at least one; at most 1024, however large size is). No value waits for
// others to come. At most size values wait, beside the slice that is being sent; a
// source that has one more waits. RxGo's side may keep the slices.
func ToRxBatches[T any](ctx context.Context, source stream.Observable[T], size int) rxgo.Observable {
	return toRx(ctx, feedBatches(source, size))
}

// FromRxBatches is [FromRx] of an observable whose items are []T, and emits their
// elements.
func FromRxBatches[T any](source rxgo.Iterable) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		return from(ctx, func(context.Context) rxgo.Iterable { return source }, elements(ctx, yield))
	}
}

// ThroughBatches is [Through] with values that cross in slices, as those of
// [ToRxBatches] do: chain gets items of type []A and returns items of type []B, of
// any length. What RxGo costs is paid once a slice; [Buffer] counts slices.
func ThroughBatches[A, B any, I rxgo.Iterable](size int, chain func(batches rxgo.Observable) I, options ...Option) stream.Operator[A, B] {
	c := configured(options)
	return func(source stream.Observable[A]) stream.Observable[B] {
		return func(ctx context.Context, yield func(B) bool) error {
			return through(ctx, feedBatches(source, size), chain, c, elements(ctx, yield))
		}
	}
}

// elements hands on what is in items that must be slices.
func elements[T any](ctx context.Context, yield func(T) bool) func(any) (bool, error) {
	return func(item any) (bool, error) {
		slice, err := valueOf[[]T](item)
		if err != nil {
			return false, err
		}
		for i, v := range slice {
			if i > 0 && ctx.Err() != nil { // of the first it was asked when the item came
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
		defer func() { // also when source panics: what it emitted before goes first
			b.end()
			<-sent
		}()
		return source(stream.WithBuffering(ctx, "RxGo"), b.push)
	}
}
