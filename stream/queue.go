package stream

// queue is a ring buffer that grows as it is used, up to its limit. It keeps no reference to
// a value that was removed.
type queue[T any] struct {
	limit  int
	values []T // count values from first on
	first  int
	count  int
}

// add puts values at the end, for which there must be room.
func (q *queue[T]) add(values ...T) {
	if q.count+len(values) > len(q.values) {
		q.grow(q.count + len(values))
	}
	end := q.first + q.count
	if end >= len(q.values) {
		end -= len(q.values)
	}
	n := copy(q.values[end:], values)
	copy(q.values, values[n:])
	q.count += len(values)
}

func (q *queue[T]) room() int { return q.limit - q.count }

func (q *queue[T]) grow(least int) {
	grown := make([]T, min(q.limit, max(4, least, 2*q.count)))
	older, newer := q.segments()
	copy(grown[copy(grown, older):], newer)
	q.values, q.first = grown, 0
}

// segments returns the values, from the first to the last, in the two parts of the ring.
func (q *queue[T]) segments() (older, newer []T) {
	end := q.first + q.count
	if end <= len(q.values) {
		return q.values[q.first:end], nil
	}
	return q.values[q.first:], q.values[:end-len(q.values)]
}

// front returns the first values, at most n, and only those that are contiguous.
func (q *queue[T]) front(n int) []T {
	return q.values[q.first:min(q.first+q.count, q.first+n, len(q.values))]
}

// remove forgets the first n values, which must be contiguous.
func (q *queue[T]) remove(n int) {
	clear(q.values[q.first : q.first+n])
	if q.first += n; q.first == len(q.values) {
		q.first = 0
	}
	q.count -= n
}
