package operators

import "sync/atomic"

// task is a value for f.
type task[A, B any] struct {
	value  A
	number int             // of the result
	order  *resultOrder[B] // of the result
}

// result is what f returned for a value.
type result[B any] struct {
	value  B
	err    error
	number int             // its place in order
	order  *resultOrder[B] // nil if it need not wait for others
}

// resultOrder puts results in order. It holds the results that came before their turn, with
// a place for each missing one between them.
type resultOrder[B any] struct {
	assigned int // used by the source alone: how many tasks have got a number

	_ [64]byte // a line of the processor's cache: source and consumer do not write to the same one

	emitted atomic.Int64 // the number of the next result; written by the consumer
	waiting fifo[heldResult[B]]
}

// heldResult is a result that waits for its turn, or the place of a missing one.
type heldResult[B any] struct {
	result[B]
	here bool
}

// taskOf makes a task of a value. The order is nil if the result need not wait for others.
func taskOf[A, B any](value A, order *resultOrder[B]) task[A, B] {
	t := task[A, B]{value: value, order: order}
	if order != nil {
		t.number = order.assigned
		order.assigned++
	}
	return t
}

// drained reports to the source whether the results of all tasks have been emitted.
func (o *resultOrder[B]) drained() bool { return int(o.emitted.Load()) == o.assigned }

// emit emits r, and then the results that waited for it. If r comes too early, emit holds it. It
// reports whether the run goes on.
func (o *resultOrder[B]) emit(r result[B], emit func(result[B]) bool) bool {
	next := int(o.emitted.Load())
	if r.number == next && o.waiting.count == 0 {
		o.emitted.Store(int64(next + 1))
		return emit(r)
	}
	for o.waiting.count <= r.number-next {
		o.waiting.extend()
	}
	*o.waiting.at(r.number - next) = heldResult[B]{r, true}
	for o.waiting.count > 0 && o.waiting.at(0).here {
		ready := o.waiting.pop().result
		next++
		o.emitted.Store(int64(next))
		if !emit(ready) {
			return false
		}
	}
	return true
}
