package streamtest

import (
	"context"
	"slices"
	"sync"
	"testing/synctest"
	"time"
)

// clock gives what happens on a bench at the same instant its turns, one after
// the other: each when all that the one before has set off has come to rest.
type clock struct {
	stopped chan struct{}
	changed chan struct{} // one token: turns has changed

	mu    sync.Mutex
	turns []*turn // in order
}

// turn is when something on a bench happens.
type turn struct {
	at    time.Time
	phase phase
	order int // of what was declared
	comes chan struct{}
}

// phase orders what happens at the same instant.
type phase uint8

const (
	lettingGo phase = iota
	subscribing
	acting
	telling
	resting
)

func newClock() *clock {
	return &clock{
		stopped: make(chan struct{}),
		changed: make(chan struct{}, 1),
	}
}

func (t *turn) compare(other *turn) int {
	if by := t.at.Compare(other.at); by != 0 {
		return by
	}
	if by := int(t.phase) - int(other.phase); by != 0 {
		return by
	}
	return t.order - other.order
}

// await waits for a turn, or for the end of ctx, which it returns the cause of.
func (c *clock) await(ctx context.Context, at time.Time, phase phase, order int) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	t := &turn{at, phase, order, make(chan struct{})}
	c.add(t)
	select {
	case <-t.comes:
	case <-ctx.Done():
		c.remove(t)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

func (c *clock) add(t *turn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	place, _ := slices.BinarySearchFunc(c.turns, t, func(other, t *turn) int {
		if by := other.compare(t); by != 0 {
			return by
		}
		return -1 // behind its equals
	})
	c.turns = slices.Insert(c.turns, place, t)
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

func (c *clock) remove(t *turn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turns = slices.DeleteFunc(c.turns, func(other *turn) bool { return other == t })
}

// first is how long it is to the first turn; take takes that off the list.
func (c *clock) first(take bool) (t *turn, in time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.turns) == 0 {
		return nil, 0
	}
	t, in = c.turns[0], time.Until(c.turns[0].at)
	if take && in <= 0 {
		c.turns = slices.Delete(c.turns, 0, 1)
	}
	return t, in
}

// run gives turns until the clock is stopped.
func (c *clock) run() {
	for {
		next, in := c.first(false)
		switch {
		case next == nil:
			select {
			case <-c.changed:
			case <-c.stopped:
				return
			}
		case in > 0:
			timer := time.NewTimer(in)
			select {
			case <-timer.C:
			case <-c.changed:
			case <-c.stopped:
				timer.Stop()
				return
			}
			timer.Stop()
		default:
			synctest.Wait()
			if next, in := c.first(true); next != nil && in <= 0 {
				close(next.comes)
			}
		}
	}
}

func (c *clock) stop() { close(c.stopped) }
