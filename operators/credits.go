package operators

import (
	"context"
	"math"
	"sync/atomic"

	"github.com/rxipc/rxipc/stream/stages"
)

// credits limits how many values are under way between one goroutine, which acquires a credit
// for each, and another one, which releases it. It is a semaphore for two goroutines that
// costs each of them little more than a counter.
type credits struct {
	total uint64

	// Used by the goroutine that acquires.
	acquired uint64
	limit    uint64 // acquired may grow to this before released must be read again
	followed bool   // acquired is published

	published atomic.Uint64 // equals acquired, if followed; any goroutine may read it

	_ [64]byte // a line of the processor's cache: the two goroutines do not write to the same one

	released atomic.Uint64
	waits    atomic.Bool   // the goroutine that acquires waits for a token
	token    chan struct{} // one, for the goroutine that acquires
}

func newCredits(total int) *credits {
	return &credits{total: uint64(total), limit: uint64(total), token: make(chan struct{}, 1)}
}

// acquire waits for a credit and reports whether there was one before ctx ended.
func (c *credits) acquire(ctx context.Context) bool {
	if c.acquired == c.limit && !c.await(ctx) {
		return false
	}
	c.acquired++
	if c.followed {
		c.published.Store(c.acquired)
	}
	return true
}

// fill returns how many credits are acquired, if they are followed. Any goroutine may call it.
func (c *credits) fill() stages.Fill {
	released := c.released.Load() // before published, which is never less
	f := stages.Fill{Waiting: int(c.published.Load() - released), Capacity: int(min(c.total, math.MaxInt))}
	if c.waits.Load() {
		f.Blocked = 1
	}
	return f
}

func (c *credits) await(ctx context.Context) bool {
	for {
		if c.limit = c.released.Load() + c.total; c.acquired < c.limit {
			return true
		}
		c.waits.Store(true)
		if c.released.Load()+c.total > c.acquired && c.waits.CompareAndSwap(true, false) {
			continue // a credit was released in between, and no token was put
		}
		select {
		case <-c.token:
		case <-ctx.Done():
			return false
		}
	}
}

// release gives a credit back.
func (c *credits) release() {
	c.released.Add(1)
	if c.waits.Load() && c.waits.CompareAndSwap(true, false) {
		c.token <- struct{}{} // does not block: the other goroutine took the last token before it set waits
	}
}
