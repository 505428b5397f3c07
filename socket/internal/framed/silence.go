package framed

import (
	"fmt"
	"sync/atomic"
	"time"
)

// LimitsSilence reports whether the other side may be silent for a limited time only.
func (c *Conn) LimitsSilence() bool { return c.timers.Silence != Never }

// Listen starts the time in which something must come, unless it runs. It runs from since on,
// a time on the clock of the timers. It is for a Conn that limits silence.
func (c *Conn) Listen(since int64) {
	if c.silentSince.Load() == 0 {
		c.silentSince.Store(max(1, milliseconds(since)))
		c.timers.Expect(Later(max(1, since), c.timers.Silence))
	}
}

// StopListening stops that time: something has come, or nobody reads.
func (c *Conn) StopListening() {
	if c.LimitsSilence() {
		c.silentSince.Store(0)
	}
}

// milliseconds returns a time in 32 bits, which it passes after 49 days: only differences count.
func milliseconds(at int64) uint32 { return uint32(at / int64(time.Millisecond)) }

// silence returns for how long nothing has come.
func (c *Conn) silence(now int64) time.Duration {
	since := c.silentSince.Load()
	if since == 0 {
		return 0
	}
	return time.Duration(int32(milliseconds(now)-since)) * time.Millisecond
}

// isSilent reports whether that is too long.
func (c *Conn) isSilent(now int64) bool {
	return c.silentSince.Load() != 0 && c.silence(now) >= c.timers.Silence
}

// tooSilent fails if nothing has come for too long. It looks once more: this process may
// have been the one that was stopped.
func (c *Conn) tooSilent() error {
	if !c.isSilent(c.timers.Now()) {
		return nil
	}
	if err := c.ReadAhead(new(atomic.Bool)); err != ErrIdle {
		return err
	}
	return fmt.Errorf("%w: nothing came for %v, no heartbeat either", ErrSilent, c.timers.Silence)
}
