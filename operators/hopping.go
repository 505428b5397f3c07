package operators

import (
	"context"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// BufferTimeEvery emits a slice of the values of each window of time; the slice may be
// empty (RxJS: bufferTime with bufferCreationInterval). The first window begins with the
// run, and another one each time every has passed. Each is size long. If every equals size,
// windows follow each other; [BufferTime] does that at less cost. If every is less, windows
// overlap (hopping). If it is more, values between two windows are left out.
//
// A window is emitted at its end. Of the windows that would begin while yield is at work, only
// the last one begins. When the source completes, all windows that have begun and have values
// are emitted; a failure drops them. Slices belong to the
// receiver.
//
// It keeps at most limit values. When a window needs more, the oldest are dropped, and
// counted ([CountDrops]). A limit below one counts as one. A size or every of zero or less
// counts as a nanosecond, and one above 36 years as 36 years. The source runs on a
// goroutine of its own. While yield runs, at most [stream.DefaultBuffer] values wait; the
// source waits when there are more.
func BufferTimeEvery[T any](size, every time.Duration, limit int) stream.Operator[T, []T] {
	limit = max(1, limit)
	return hopping("BufferTimeEvery", size, every, func(p *parts[T], dropped func(int), v part[T]) {
		if p.count == limit {
			p.pop()
			dropped(1)
		}
		p.push(v)
	}, func(window []part[T]) []T {
		values := make([]T, len(window))
		for i, v := range window {
			values[i] = v.content
		}
		return values
	})
}

// FoldHoppingTime emits, at the end of each window of time, the combination under a monoid
// of the values that came within it. Without values that is the identity (Kafka Streams,
// Azure Stream Analytics: hopping windows). Windows are those of [BufferTimeEvery], which
// describes time, skipped windows and the end.
//
// It keeps one total for each part that windows have in common. These are at most twice
// size divided by every, and not more than the values. So a value costs the same however
// many windows it is in. [FoldSlidingTime] emits after each value instead.
func FoldHoppingTime[T any](size, every time.Duration, m fold.Monoid[T]) stream.Operator[T, T] {
	mustHave("FoldHoppingTime", "monoid", m != nil)
	return hopping("FoldHoppingTime", size, every, func(p *parts[T], _ func(int), v part[T]) {
		if p.count > 0 {
			if newest := p.at(p.count - 1); newest.first == v.first && newest.last == v.last {
				newest.content = m.Combine(newest.content, v.content)
				return
			}
		}
		v.content = m.Combine(m.Identity(), v.content)
		p.push(v)
	}, func(window []part[T]) T {
		total := m.Identity()
		for _, v := range window {
			total = m.Combine(total, v.content)
		}
		return total
	})
}

// part is a value, or the fold of several values that came while the same windows were
// open.
type part[T any] struct {
	first, last int // numbers of those windows
	content     T
}

// parts has the parts of the open windows, from the oldest on.
type parts[T any] struct{ fifo[part[T]] }

// of are the parts of a window.
func (p *parts[T]) of(number int) (window []part[T]) {
	for i := range p.count {
		if v := p.at(i); v.first <= number && number <= v.last {
			window = append(window, *v)
		}
	}
	return window
}

// forget drops the parts that are of no window after that one.
func (p *parts[T]) forget(number int) {
	for p.count > 0 && p.at(0).last <= number {
		p.pop()
	}
}

// hopping emits what show makes of the parts of each window; put adds a value to the parts.
func hopping[T, W any](name string, size, every time.Duration, put func(p *parts[T], dropped func(int), v part[T]), show func([]part[T]) W) stream.Operator[T, W] {
	return func(source stream.Observable[T]) stream.Observable[W] {
		mustHave(name, "observable", source != nil)
		return func(ctx context.Context, yield func(W) bool) error {
			var alarm stream.Alarm
			h := newHops(size, every, &alarm)
			dropped := stream.Dropping(ctx)
			var p parts[T]
			wanted := true
			begin := func() bool { return true }
			end := func() bool {
				wanted = yield(show(p.of(h.oldest)))
				p.forget(h.oldest)
				return wanted
			}
			h.tick(begin, end)
			err := stream.Timed(stream.WithBuffering(ctx, name), source, &alarm, func(v T) bool {
				if h.ends.count > 0 {
					put(&p, dropped, part[T]{h.oldest, h.newest(), v})
				}
				return true
			}, func() bool { return h.tick(begin, end) })
			for err = ended(ctx, err); err == nil && wanted && p.count > 0; err = context.Cause(ctx) {
				end()
				h.oldest++
			}
			return err
		}
	}
}

// hops are the windows of a run that begin at equal distances and are equally long. They are
// numbered.
type hops struct {
	alarm       *stream.Alarm // is set for the next begin or end of a window
	begun       time.Time
	size, every int64
	begins      int64       // when the next window begins, after begun
	ends        fifo[int64] // when the open windows begin
	oldest      int         // the number of the first of these
}

func newHops(size, every time.Duration, alarm *stream.Alarm) *hops {
	return &hops{alarm: alarm, begun: time.Now(), size: clampDuration(size, 1), every: clampDuration(every, 1)}
}

// newest is the number of the last window that is open.
func (h *hops) newest() int { return h.oldest + h.ends.count - 1 }

// tick calls end for each window whose end has come, while it is the oldest, and begin for
// the last window that is to begin, if it is not over. It reports whether both returned true.
func (h *hops) tick(begin, end func() bool) bool {
	now := int64(time.Since(h.begun))
	for h.ends.count > 0 && h.ends.first() <= now {
		if !end() {
			return false
		}
		h.ends.pop()
		h.oldest++
	}
	if h.begins <= now {
		h.begins = now - now%h.every
		if over := h.begins + h.size; over > now {
			if !begin() {
				return false
			}
			h.ends.push(over)
		}
		h.begins += h.every
	}
	next := h.begins
	if h.ends.count > 0 {
		next = min(next, h.ends.first())
	}
	h.alarm.Set(time.Duration(next) - time.Since(h.begun))
	return true
}
