package socket

import "slices"

// fifo is a queue whose items lie one behind the other in memory. It keeps room for as
// many as it held at most, or twice that.
type fifo[T any] struct {
	items []T // from head on
	head  int
}

func (q *fifo[T]) len() int { return len(q.items) - q.head }

// all are the items in it, first in first; they may be changed in place.
func (q *fifo[T]) all() []T { return q.items[q.head:] }

func (q *fifo[T]) push(items ...T) {
	if len(q.items)+len(items) > cap(q.items) && q.head > len(q.items)/2 { // as many to move as places won, at most
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, items...)
}

// drop forgets the first n items.
func (q *fifo[T]) drop(n int) {
	clear(q.items[q.head : q.head+n])
	q.head += n
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
}

// cut forgets the last n items.
func (q *fifo[T]) cut(n int) {
	end := len(q.items) - n
	clear(q.items[end:])
	q.items = q.items[:end]
}

// insert adds an item before the i-th.
func (q *fifo[T]) insert(i int, item T) { q.items = slices.Insert(q.items, q.head+i, item) }

// remove removes the i-th item.
func (q *fifo[T]) remove(i int) { q.items = slices.Delete(q.items, q.head+i, q.head+i+1) }
