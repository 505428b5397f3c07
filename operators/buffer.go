package operators

import (
	"context"
	"slices"

	"github.com/rxipc/rxipc/stream"
)

// BufferCount emits slices of size values each (ReactiveX: buffer). The values left when
// the source completes are emitted as a shorter slice; a failure drops them. It keeps size
// values. Slices belong to the receiver. A size below one counts as one.
func BufferCount[T any](size int) stream.Operator[T, []T] {
	return called("BufferCount", BufferCountEvery[T](size, size))
}

// BufferCountEvery is [BufferCount] with a new slice begun at every step-th value: a step
// less than size makes slices overlap, a greater one leaves values between them out (RxJS:
// bufferCount with startBufferEvery). When the source completes, each slice that has begun
// is emitted as it is. It keeps size values. A step below one counts as one.
func BufferCountEvery[T any](size, step int) stream.Operator[T, []T] {
	size, step = max(1, size), max(1, step)
	return func(source stream.Observable[T]) stream.Observable[[]T] {
		mustHave("BufferCountEvery", "observable", source != nil)
		return func(ctx context.Context, yield func([]T) bool) error {
			var open []T // the oldest slice that is not full; the later slices begin within it
			skip, room := 0, min(size, 4)
			wanted := true
			err := source(stream.WithBuffering(ctx, "BufferCount"), func(v T) bool {
				switch {
				case skip > 0:
					skip--
					return true
				case open == nil:
					open = make([]T, 0, room)
				}
				open = append(open, v)
				if len(open) < size {
					return true
				}
				full := open
				open, skip, room = nil, max(0, step-size), size
				if step < size {
					open = append(make([]T, 0, size), full[step:]...)
				}
				wanted = yield(full)
				return wanted
			})
			for err = ended(ctx, err); err == nil && wanted && len(open) > 0; err = ended(ctx, err) {
				wanted = yield(slices.Clone(open))
				open = open[min(step, len(open)):]
			}
			return err
		}
	}
}

// BufferUntilChanged emits slices of values in a row that have the same key (Reactor:
// bufferUntilChanged). A value with a new key begins a new slice. It keeps at most limit
// values: a full slice is emitted at once, and the next value begins another slice, even if
// its key is the same. The values left when the source completes make a last slice; a
// failure drops them. Slices belong to the receiver. A limit below one is one. A key that
// does not equal itself, as a NaN, has a slice for each of its values.
func BufferUntilChanged[T any, K comparable](key func(T) K, limit int) stream.Operator[T, []T] {
	mustHave("BufferUntilChanged", "function", key != nil)
	return func(source stream.Observable[T]) stream.Observable[[]T] {
		mustHave("BufferUntilChanged", "observable", source != nil)
		return func(ctx context.Context, yield func([]T) bool) error {
			b := batch[T]{pending: pending[[]T]{yield: yield}, limit: limit}
			var current K
			err := source(stream.WithBuffering(ctx, "BufferUntilChanged"), func(v T) bool {
				k := key(v)
				if k != current && !b.emit() {
					return false
				}
				current = k
				return b.add(v)
			})
			return b.end(ctx, err)
		}
	}
}

// BufferBoundary emits a slice at each value of the boundary: the values that came since
// the boundary's value before. The slice may be empty (ReactiveX: buffer with a boundary,
// RxJS: buffer; here [Buffer] is an option of MergeMap). It keeps at most limit values: a
// full slice is emitted at once, and the next value begins another. The values left when
// the source completes are emitted as a last slice, unless there are none. After the
// boundary has completed, only the limit and the end of the source end a slice. A failure
// of the source or of the boundary drops the values left. Slices belong to the receiver. A
// limit below one counts as one.
//
// The boundary is subscribed before the source begins, as for [TakeUntil]. Source and
// boundary run on goroutines of their own. While yield runs, at most [stream.DefaultBuffer]
// values of each wait; source and boundary wait when there are more.
func BufferBoundary[T, B any](boundary stream.Observable[B], limit int) stream.Operator[T, []T] {
	mustHave("BufferBoundary", "observable", boundary != nil)
	return func(source stream.Observable[T]) stream.Observable[[]T] {
		mustHave("BufferBoundary", "observable", source != nil)
		events := buffering("BufferBoundary", samples(source, boundary))
		return func(ctx context.Context, yield func([]T) bool) error {
			b := batch[T]{pending: pending[[]T]{yield: yield}, limit: limit}
			err := events(ctx, func(e sampled[T]) bool {
				switch e.tells {
				case sampleNow:
					b.held = true // an empty one too
					return b.emit()
				case sampleNoMore:
					return false
				default:
					return b.add(e.value)
				}
			})
			return b.end(ctx, err)
		}
	}
}
