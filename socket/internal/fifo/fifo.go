// Package fifo has a queue that is read and written in one piece of memory.
package fifo

import "slices"

// Queue is a queue whose items lie one behind the other in memory. It keeps room for as
// many as it held at most, or twice that.
// The zero Queue is empty.
type Queue[T any] struct {
	items []T // from head on
	head  int
}

// Len is how many items are in it.
func (q *Queue[T]) Len() int { return len(q.items) - q.head }

// All are the items in it, first in first; they may be changed in place.
func (q *Queue[T]) All() []T { return q.items[q.head:] }

// Push adds items at the end.
func (q *Queue[T]) Push(items ...T) {
	if len(q.items)+len(items) > cap(q.items) && q.head > len(q.items)/2 { // as many to move as places won, at most
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, items...)
}

// Drop forgets the first n items.
func (q *Queue[T]) Drop(n int) {
	clear(q.items[q.head : q.head+n])
	q.head += n
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
}

// Cut forgets the last n items.
func (q *Queue[T]) Cut(n int) {
	end := len(q.items) - n
	clear(q.items[end:])
	q.items = q.items[:end]
}

// Insert adds an item before the i-th.
func (q *Queue[T]) Insert(i int, item T) { q.items = slices.Insert(q.items, q.head+i, item) }

// Remove removes the i-th item.
func (q *Queue[T]) Remove(i int) { q.items = slices.Delete(q.items, q.head+i, q.head+i+1) }
