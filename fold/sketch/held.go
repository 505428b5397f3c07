package sketch

// held is one value, a sketch of any number of values, or nothing. One value on its own takes
// no memory for a sketch. V is the type of values, S is the sketch.
type held[V, S any] struct {
	one    V // the only value, if there is no sketch
	single bool
	sketch *S
}

// combiner is how sketches of one kind are made and grow.
type combiner[V, S any] struct {
	fresh func() *S
	add   func(into *S, v V)
	merge func(into, from *S) // leaves from as it was
	fit   func(*S)            // into the size of the monoid; nil if there is one size
}

// combine returns a and b together, in the sketch of a if it has one.
func (c *combiner[V, S]) combine(a, b held[V, S]) held[V, S] {
	if a.sketch == nil {
		a = held[V, S]{sketch: c.sketchOf(a)}
	}
	c.put(a.sketch, b)
	if c.fit != nil {
		c.fit(a.sketch)
	}
	return a
}

// sketchOf returns a sketch of its own with what h holds.
func (c *combiner[V, S]) sketchOf(h held[V, S]) *S {
	s := c.fresh()
	c.put(s, h)
	return s
}

func (c *combiner[V, S]) put(into *S, h held[V, S]) {
	switch {
	case h.sketch != nil:
		c.merge(into, h.sketch)
	case h.single:
		c.add(into, h.one)
	}
}

// plus is the sum, or the greatest number if that is less.
func plus(a, b uint64) uint64 {
	if sum := a + b; sum >= a {
		return sum
	}
	return 1<<64 - 1
}
