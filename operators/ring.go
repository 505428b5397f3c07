package operators

// ring keeps the last size values, in an array that grows as they come. Of a size
// of zero or less it keeps none.
type ring[T any] struct {
	values []T
	size   int
	oldest int // where the oldest value is, once there are size of them
}

// push adds a value and returns the one that no longer has room, if any.
func (r *ring[T]) push(v T) (displaced T, ok bool) {
	switch {
	case len(r.values) < r.size:
		r.values = append(r.values, v)
		return displaced, false
	case r.size <= 0:
		return v, true
	}
	displaced, r.values[r.oldest] = r.values[r.oldest], v
	if r.oldest++; r.oldest == r.size {
		r.oldest = 0
	}
	return displaced, true
}

// halves are the values, from the oldest to the newest.
func (r *ring[T]) halves() (older, newer []T) {
	return r.values[r.oldest:], r.values[:r.oldest]
}
