package operators

import (
	"context"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// BufferTime emits, at the end of each period, a slice of the values that came within
// it, an empty one if there were none (RxJS: bufferTime). Periods are counted from the
// start of the run; those that pass while yield is at work are skipped. It keeps at most
// limit values: a slice that is full is emitted before its period ends, and another
// begun. What is left when the source completes makes a last slice unless that is empty;
// a failure drops it. Slices belong to the receiver. A limit below one is one; a period
// of zero or less is a nanosecond, so slices follow each other as fast as yield takes them.
//
// The source runs on a goroutine of its own. While yield is at work, at most
// [stream.DefaultBuffer] values wait; then the source does.
func BufferTime[T any](period time.Duration, limit int) stream.Operator[T, []T] {
	return func(source stream.Observable[T]) stream.Observable[[]T] {
		mustHave("BufferTime", "observable", source != nil)
		return func(ctx context.Context, yield func([]T) bool) error {
			var alarm stream.Alarm
			b := batch[T]{pending: pending[[]T]{yield: yield}, limit: limit}
			grid := every(period, &alarm)
			err := stream.Timed(stream.WithBuffering(ctx, "BufferTime"), source, &alarm, b.add, func() bool {
				b.held = true // an empty one too
				wanted := b.emit()
				grid.next()
				return wanted
			})
			return b.end(ctx, err)
		}
	}
}

// BatchOption sets what else ends a slice of BufferTimeOrCount.
type BatchOption[T any] func(*batch[T])

// MaxWeight bounds the weight of a slice, which is the sum of weigh of its values, by limit
// (Akka: groupedWeightedWithin). A value that would exceed the limit begins the next slice.
// A value that exceeds it by itself is a slice of its own. A negative weight or limit counts
// as zero.
//
//	operators.BufferTimeOrCount(time.Second, 1000, operators.MaxWeight(1<<20, func(row []byte) int { return len(row) }))
func MaxWeight[T any](limit int, weigh func(T) int) BatchOption[T] {
	mustHave("MaxWeight", "function", weigh != nil)
	return func(b *batch[T]) { b.weigh, b.maxWeight = weigh, max(0, limit) }
}

// BufferTimeOrCount emits slices of up to count values. A slice is emitted sooner when
// maxWait has passed since its first value came: no value waits longer, and no slice is empty.
// [MaxWeight] bounds the weight of a slice too. Senders that batch are made of it;
// [BufferTime] keeps to a clock instead. The values left when the source completes make a
// last slice; a failure drops them. It keeps at most count values. Slices belong to the
// receiver. A count below one is one.
//
// The source runs on a goroutine of its own. While yield is at work, at most
// [stream.DefaultBuffer] values wait; then the source does. Time is measured from where
// a value is taken from there.
func BufferTimeOrCount[T any](maxWait time.Duration, count int, options ...BatchOption[T]) stream.Operator[T, []T] {
	for _, option := range options {
		mustHave("BufferTimeOrCount", "option", option != nil)
	}
	return func(source stream.Observable[T]) stream.Observable[[]T] {
		mustHave("BufferTimeOrCount", "observable", source != nil)
		return func(ctx context.Context, yield func([]T) bool) error {
			var alarm stream.Alarm
			b := batch[T]{pending: pending[[]T]{yield: yield}, limit: count}
			for _, option := range options {
				option(&b)
			}
			err := stream.Timed(stream.WithBuffering(ctx, "BufferTimeOrCount"), source, &alarm, func(v T) bool {
				if b.weigh != nil && !b.weighed(v) {
					return false
				}
				if !b.held {
					alarm.Set(maxWait)
				}
				wanted := b.add(v)
				if !b.held {
					alarm.Stop()
				}
				return wanted
			}, b.emit)
			return b.end(ctx, err)
		}
	}
}

// batch is a slice that grows up to a limit until it is emitted.
type batch[T any] struct {
	pending[[]T]
	limit int

	weigh     func(T) int // nil if weight has no limit
	maxWeight int
	left      int // the weight that the slice has room for, if there is a slice
}

// add adds a value, emits the slice if it is full, and reports whether more is wanted.
func (b *batch[T]) add(v T) bool {
	b.hold(append(b.value, v))
	return len(b.value) < b.limit && (b.weigh == nil || b.left > 0) || b.emit()
}

// weighed makes room for the weight of the next value: it emits a slice without that much
// room. It reports whether more is wanted.
func (b *batch[T]) weighed(v T) bool {
	weight := max(0, b.weigh(v))
	if b.held && weight > b.left && !b.emit() {
		return false
	}
	if !b.held {
		b.left = b.maxWeight
	}
	b.left -= weight
	return true
}
