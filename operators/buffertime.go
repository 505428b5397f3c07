package operators

import (
	"context"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// BufferTime emits a slice at the end of each period: the values that came within the
// period. The slice may be empty (RxJS: bufferTime). The first period begins with the run.
// Periods that pass while yield runs are skipped. It keeps at most limit values: a full
// slice is emitted before its period ends, and the next value begins another. The values
// left when the source completes are emitted as a last slice, unless there are none; a
// failure drops them. Slices belong to the receiver. A limit below one counts as one. A
// period of zero or less counts as a nanosecond, so slices follow each other as fast as
// yield takes them.
//
// The source runs on a goroutine of its own. While yield runs, at most
// [stream.DefaultBuffer] values wait; the source waits when there are more.
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

// BatchOption adds a condition that ends a slice of BufferTimeOrCount.
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
// maxWait has passed since its first value came: no value waits longer, and no slice is
// empty. [MaxWeight] bounds the weight of a slice too. It suits a sender of batches; the
// slices of [BufferTime] have fixed periods instead. The values left when the source
// completes are emitted as a last slice; a failure drops them. It keeps at most count
// values. Slices belong to the receiver. A count below one is one.
//
// The source runs on a goroutine of its own. While yield runs, at most
// [stream.DefaultBuffer] values wait; the source waits when there are more. The time of a
// value is when the operator takes it from the waiting ones.
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
