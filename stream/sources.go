package stream

import (
	"context"
	"iter"
	"time"
)

// Just emits the given values and completes.
func Just[T any](values ...T) Observable[T] { return FromSlice(values) }

// FromSlice emits the values of a slice and completes. The slice is read during
// the run, not copied.
func FromSlice[T any](values []T) Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		if ctx.Done() == nil { // the loop the compiler flattens whole pipelines into
			for _, v := range values {
				if !yield(v) {
					return nil
				}
			}
			return nil
		}
		for _, v := range values {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !yield(v) {
				return nil
			}
		}
		return context.Cause(ctx)
	}
}

// Range emits count consecutive integers, from start on, and completes.
func Range(start, count int) Observable[int] {
	return func(ctx context.Context, yield func(int) bool) error {
		if ctx.Done() == nil { // the loop the compiler flattens whole pipelines into
			for i := range count {
				if !yield(start + i) {
					return nil
				}
			}
			return nil
		}
		for i := range count {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !yield(start + i) {
				return nil
			}
		}
		return context.Cause(ctx)
	}
}

// FromSeq emits what an iterator gives and completes with it. An iterator that
// blocks cannot be interrupted: ctx is looked at between its values, and when it has
// ended. So one whose reader is closed when ctx ends, see [context.AfterFunc], ends the
// run with the cause, not with a completion.
func FromSeq[T any](seq iter.Seq[T]) Observable[T] {
	mustHave("FromSeq", "iterator", seq != nil)
	return func(ctx context.Context, yield func(T) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for v := range seq {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !yield(v) {
				return nil
			}
		}
		return context.Cause(ctx)
	}
}

// FromSeq2 emits what an iterator of values and errors gives, and fails with
// the first error that it gives. It is the inverse of [Observable.Seq], and looks at ctx
// as [FromSeq] does.
func FromSeq2[T any](seq iter.Seq2[T, error]) Observable[T] {
	mustHave("FromSeq2", "iterator", seq != nil)
	return func(ctx context.Context, yield func(T) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for v, err := range seq {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil {
				return err
			}
			if !yield(v) {
				return nil
			}
		}
		return context.Cause(ctx)
	}
}

// FromChannel emits what it receives from a channel and completes when that is
// closed. It is hot: runs share the channel, each value goes to one of them.
func FromChannel[T any](values <-chan T) Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		for subscribed := false; ; {
			if !subscribed && len(values) == 0 {
				subscribed = true
				Subscribed(ctx)
			}
			if ctx.Err() != nil { // before the select, which would toss a coin
				return context.Cause(ctx)
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case v, open := <-values:
				if !open {
					return context.Cause(ctx)
				}
				if !yield(v) {
					return nil
				}
			}
		}
	}
}

// Defer makes the observable anew for each run, for sources whose state must
// not be shared. A run whose context has ended makes none.
func Defer[T any](make func() Observable[T]) Observable[T] {
	mustHave("Defer", "function", make != nil)
	return func(ctx context.Context, yield func(T) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		source := make()
		mustHave("Defer", "observable", source != nil)
		return ended(ctx, source(ctx, yield))
	}
}

// Empty emits nothing and completes.
func Empty[T any]() Observable[T] { return Throw[T](nil) }

// Throw emits nothing and fails with err; a nil err completes.
func Throw[T any](err error) Observable[T] {
	return func(ctx context.Context, _ func(T) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
}

// Never emits nothing and ends only with its context.
func Never[T any]() Observable[T] {
	return func(ctx context.Context, _ func(T) bool) error {
		Subscribed(ctx)
		<-ctx.Done()
		return context.Cause(ctx)
	}
}

// Timer emits the time once, after the duration d, and completes. A d of zero
// or less emits at once.
func Timer(d time.Duration) Observable[time.Time] {
	return func(ctx context.Context, yield func(time.Time) bool) error {
		now := time.Now()
		if d > 0 {
			Subscribed(ctx)
			timer := time.NewTimer(d)
			defer timer.Stop()
			select {
			case <-ctx.Done():
			case now = <-timer.C:
			}
		}
		if ctx.Err() != nil || yield(now) { // also when the select tossed a coin
			return context.Cause(ctx)
		}
		return nil
	}
}

// Interval emits 0, 1, 2 … every period d, the first after one period. Periods
// that pass while yield is at work are skipped, not made up for. It does not
// complete by itself. A d of zero or less is no period: the next value comes as soon as
// yield has returned.
func Interval(d time.Duration) Observable[int] {
	if d <= 0 {
		return Generate(0, func(int) bool { return true }, func(n int) int { return n + 1 })
	}
	return func(ctx context.Context, yield func(int) bool) error {
		ticker := time.NewTicker(d)
		defer ticker.Stop()
		Subscribed(ctx)
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-ticker.C:
				if ctx.Err() != nil { // the select tossed a coin
					return context.Cause(ctx)
				}
				if !yield(n) {
					return nil
				}
			}
		}
	}
}
