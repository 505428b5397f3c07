package operators

import (
	"context"
	"math"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// Window emits a [Group] for the values before the first value of the boundary, another one
// for those before its second value, and so on (RxJS: window). The key of a window is its
// number. [Group.Values] says how a group is read. The source runs ahead of yield, so yield
// may read a window to its end, as ConcatMap does. The first window begins with the run,
// and windows may be empty. After the boundary has completed, the last window lasts until
// the end of the source. A failure of the boundary ends the run and the window.
// [BufferBoundary] emits slices instead.
//
// The boundary is subscribed before the source begins, as for [TakeUntil]. Source and
// boundary run on goroutines of their own. At most [stream.DefaultBuffer] values of each
// wait to be assigned to windows, as many values in each window for its reader, and as many
// windows for yield. Source and boundary wait when there are more.
func Window[T, B any](boundary stream.Observable[B]) stream.Operator[T, Group[int, T]] {
	mustHave("Window", "observable", boundary != nil)
	return windowed("Window", stream.DefaultBuffer, stream.DefaultBuffer, func(ctx context.Context, source stream.Observable[T], w *windows[T]) error {
		if !w.begin() {
			return nil
		}
		return samples(source, boundary)(ctx, func(e sampled[T]) bool {
			switch e.tells {
			case sampleNow:
				return w.cut()
			case sampleNoMore:
				return false
			default:
				return w.give(w.current, e.value)
			}
		})
	})
}

// WindowCount emits a [Group] for each size values in turn. A window begins with its first
// value. The last window may be shorter. A size below one counts as one. [FoldTumbling]
// makes one value of each window in a loop, [BufferCount] emits slices.
//
// The source runs on a goroutine of its own. At most [stream.DefaultBuffer] values of a
// window wait for its reader, and as many windows for yield. The source waits when there
// are more.
func WindowCount[T any](size int) stream.Operator[T, Group[int, T]] {
	return windowedEvery[T]("WindowCount", size, size)
}

// WindowCountEvery is [WindowCount] with a new window begun at every step-th value: a step
// less than size makes windows overlap, a greater one leaves values between them out (RxJS:
// windowCount with startWindowEvery). A step below one counts as one.
//
// Windows that overlap may be read one after the other. Each window keeps the values that
// its reader has not taken, at most size. As many more windows may wait for yield as
// overlap.
func WindowCountEvery[T any](size, step int) stream.Operator[T, Group[int, T]] {
	return windowedEvery[T]("WindowCountEvery", size, step)
}

func windowedEvery[T any](name string, size, step int) stream.Operator[T, Group[int, T]] {
	size, step = max(1, size), max(1, step)
	waiting, capacity := stream.DefaultBuffer, stream.DefaultBuffer
	if step < size {
		waiting, capacity = waiting+min((size-1)/step, math.MaxInt-waiting), max(size, capacity)
	}
	return windowed(name, waiting, capacity, func(ctx context.Context, source stream.Observable[T], w *windows[T]) error {
		var open []*groupOutput[T] // the oldest first
		left, next := 0, 0         // values until the oldest is full, and until another begins
		return source(ctx, func(v T) bool {
			if next == 0 {
				if !w.begin() {
					return false
				}
				if next = step; len(open) == 0 {
					left = size
				}
				open = append(open, w.current)
			}
			next--
			if len(open) == 0 {
				return true
			}
			if !w.giveAll(open, v) {
				return false
			}
			if left--; left == 0 {
				w.end(open[0])
				open = append(open[:0], open[1:]...)
				left = step // the next window began so many values later
			}
			return true
		})
	})
}

// WindowTime emits a [Group] for the values of each period (RxJS: windowTime). The first
// period begins with the run, and windows may be empty. Periods that pass while the source
// waits are skipped. A period of zero or less counts as a nanosecond. [FoldTumblingTime]
// makes one value of each window, [BufferTime] emits slices.
//
// The source runs on a goroutine of its own. At most [stream.DefaultBuffer] values wait to
// be assigned to windows, as many values in each window for its reader, and as many windows
// for yield. The source waits when there are more.
func WindowTime[T any](period time.Duration) stream.Operator[T, Group[int, T]] {
	return windowedTime[T]("WindowTime", period, period)
}

// WindowTimeEvery is [WindowTime] with windows that are size long. A window begins with the
// run, and another one each time every has passed. If every is less than size, windows
// overlap; if it is more, values between two windows are left out (RxJS: windowTime with
// windowCreationInterval). Of the windows that would begin while the source waits, only the
// last one begins. [FoldHoppingTime] makes one value of each window, [BufferTimeEvery]
// emits slices. A size or every of zero or less counts as a nanosecond, and one above 36
// years as 36 years.
//
// Windows that overlap have to be read at the same time, by MergeMap, because a window
// whose reader waits for the end of another one fills up. As much waits as for
// [WindowTime], and as many more windows for yield as overlap.
func WindowTimeEvery[T any](size, every time.Duration) stream.Operator[T, Group[int, T]] {
	return windowedTime[T]("WindowTimeEvery", size, every)
}

func windowedTime[T any](name string, size, every time.Duration) stream.Operator[T, Group[int, T]] {
	overlap := int(min((clampDuration(size, 1)-1)/clampDuration(every, 1), math.MaxInt-stream.DefaultBuffer))
	return windowed(name, stream.DefaultBuffer+overlap, stream.DefaultBuffer, func(ctx context.Context, source stream.Observable[T], w *windows[T]) error {
		var alarm stream.Alarm
		var open []*groupOutput[T] // the oldest first
		h := newHops(size, every, &alarm)
		tick := func() bool {
			return h.tick(func() bool {
				more := w.begin()
				open = append(open, w.current)
				return more
			}, func() bool {
				w.end(open[0])
				open = append(open[:0], open[1:]...)
				return true
			})
		}
		if !tick() {
			return nil
		}
		return stream.Timed(ctx, source, &alarm, func(v T) bool { return w.giveAll(open, v) }, tick)
	})
}

// WindowTimeOrCount emits a [Group] with its first value. The group ends when it has had
// count values, and sooner when maxWait has passed since the first one: no window is empty.
// [BufferTimeOrCount] emits slices. A count below one counts as one. As much waits as for
// [WindowTime].
func WindowTimeOrCount[T any](maxWait time.Duration, count int) stream.Operator[T, Group[int, T]] {
	return windowed("WindowTimeOrCount", stream.DefaultBuffer, stream.DefaultBuffer, func(ctx context.Context, source stream.Observable[T], w *windows[T]) error {
		var alarm stream.Alarm
		left := 0
		return stream.Timed(ctx, source, &alarm, func(v T) bool {
			if w.current == nil {
				if !w.begin() {
					return false
				}
				left = max(1, count)
				alarm.Set(maxWait)
			}
			goesOn := w.give(w.current, v)
			if left--; left == 0 {
				alarm.Stop()
				w.finish()
			}
			return goesOn
		}, func() bool {
			w.finish()
			return true
		})
	})
}

// windowed emits the windows that produce makes of a source. At most waiting windows wait
// for yield, and capacity values of each for its reader.
func windowed[T any](name string, waiting, capacity int, produce func(context.Context, stream.Observable[T], *windows[T]) error) stream.Operator[T, Group[int, T]] {
	return func(source stream.Observable[T]) stream.Observable[Group[int, T]] {
		mustHave(name, "observable", source != nil)
		return grouped(name, waiting, func(ctx context.Context, o *groupOpener[int, T]) error {
			return produce(ctx, source, &windows[T]{groupOpener: o, capacity: capacity})
		})
	}
}

// windows are groups that are numbered.
type windows[T any] struct {
	*groupOpener[int, T]
	capacity int
	begun    int
	current  *groupOutput[T] // the latest; nil if that has ended
}

// begin opens a window and reports whether the run goes on.
func (w *windows[T]) begin() bool {
	w.current = w.add(w.begun, w.capacity, stream.Block)
	w.begun++
	return w.current != nil
}

// finish completes the current window.
func (w *windows[T]) finish() {
	w.end(w.current)
	w.current = nil
}

// giveAll gives a value to several windows, and reports whether the run goes on.
func (w *windows[T]) giveAll(open []*groupOutput[T], v T) bool {
	for _, out := range open {
		if !w.give(out, v) {
			return false
		}
	}
	return true
}

// cut ends the current window and begins the next one. It reports whether the run goes on.
func (w *windows[T]) cut() bool {
	w.finish()
	return w.begin()
}
