package operators

// fifo is a queue in a ring that grows as it is used. It keeps no reference to a value that
// was taken out.
type fifo[T any] struct {
	values []T // count values from oldest on
	oldest int
	count  int
}

// push adds a value.
func (q *fifo[T]) push(v T) { *q.extend() = v }

// extend adds a zero value and returns its place.
func (q *fifo[T]) extend() *T {
	if q.count == len(q.values) {
		grown := make([]T, max(4, 2*q.count))
		older, newer := q.segments()
		copy(grown[copy(grown, older):], newer)
		q.values, q.oldest = grown, 0
	}
	q.count++
	return q.at(q.count - 1)
}

// at is the place of the i-th value, counted from the oldest.
func (q *fifo[T]) at(i int) *T {
	i += q.oldest
	if i >= len(q.values) {
		i -= len(q.values)
	}
	return &q.values[i]
}

// first is the oldest value.
func (q *fifo[T]) first() T { return q.values[q.oldest] }

// pop takes the oldest value out.
func (q *fifo[T]) pop() (oldest T) {
	var none T
	oldest, q.values[q.oldest] = q.values[q.oldest], none
	if q.oldest++; q.oldest == len(q.values) {
		q.oldest = 0
	}
	q.count--
	return oldest
}

// segments returns the values, from the oldest to the newest, in the two parts of the ring.
func (q *fifo[T]) segments() (older, newer []T) {
	end := q.oldest + q.count
	if end <= len(q.values) {
		return q.values[q.oldest:end], nil
	}
	return q.values[q.oldest:], q.values[:end-len(q.values)]
}

// ring keeps the last size values. Of a size of zero or less it keeps none.
type ring[T any] struct {
	fifo[T]
	size int
}

// push adds a value and returns the one that no longer has room, if any.
func (r *ring[T]) push(v T) (displaced T, ok bool) {
	if r.size <= 0 {
		return v, true
	}
	if r.count == r.size {
		displaced, ok = r.pop(), true
	}
	r.fifo.push(v)
	return displaced, ok
}
