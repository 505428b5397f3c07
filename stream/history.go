package stream

import (
	"time"

	"github.com/rxipc/rxipc/fold"
)

// history is what a subject keeps for new observers: the last values, as many as the
// queue's limit, and none older than age unless age is zero.
type history[T any] struct {
	age  time.Duration
	kept queue[timestamped[T]]
}

type timestamped[T any] struct {
	value T
	at    time.Time // zero if age is zero
}

func newHistory[T any](count int, age time.Duration) history[T] {
	return history[T]{age: max(0, age), kept: queue[timestamped[T]]{limit: max(1, count)}}
}

// add keeps a value, and forgets the oldest if the queue is full.
func (h *history[T]) add(v T) {
	if h.kept.limit == 0 {
		return
	}
	d := timestamped[T]{value: v}
	if h.age > 0 {
		d.at = time.Now()
	}
	if h.kept.count == h.kept.limit {
		h.kept.remove(1)
	}
	h.kept.add(d)
}

// expire forgets what is too old.
func (h *history[T]) expire() {
	if h.age == 0 {
		return
	}
	for h.kept.count > 0 && time.Since(h.kept.front(1)[0].at) >= h.age {
		h.kept.remove(1)
	}
}

// all returns the values, oldest first.
func (h *history[T]) all() []T {
	all := make([]T, 0, h.kept.count)
	older, newer := h.kept.segments()
	for _, d := range older {
		all = append(all, d.value)
	}
	for _, d := range newer {
		all = append(all, d.value)
	}
	return all
}

// last returns the newest value.
func (h *history[T]) last() fold.Maybe[T] {
	older, newer := h.kept.segments()
	half := older
	if len(newer) > 0 {
		half = newer
	}
	if len(half) == 0 {
		return fold.Nothing[T]()
	}
	return fold.Just(half[len(half)-1].value)
}
