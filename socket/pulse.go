package socket

import (
	"sync"
	"sync/atomic"
	"time"
)

// pulse is the clock of some links: one timer for the heartbeats and the time limits of
// them all, which wakes none of their goroutines while nothing is wrong. It runs while a
// link expects something of it, and ends with the last one. What is due comes at its
// time, or up to an eighth of the shortest interval later when much is due in a row.
type pulse struct {
	start time.Time
	gap   int64        // between two beats, at least
	next  atomic.Int64 // when it beats; written under mu

	mu      sync.Mutex
	timer   *time.Timer
	last    int64    // when it beat last
	members []member // each knows its place
	due     []member // of a beat
}

// member is a link, or a Connection, for which more may be due.
type member interface {
	due() int64      // when it wants to be tended
	tend(now int64)  // does what is due, and does not block
	placeOf() *int32 // its place among the members, under the pulse's mu
}

func newPulse(config *Config) *pulse {
	shortest := min(config.Heartbeat, config.HandshakeTimeout, config.FrameTimeout, config.WriteTimeout, config.SilenceTimeout)
	p := &pulse{start: time.Now(), gap: int64(min(shortest, lookEvery) / 8)}
	p.next.Store(never)
	return p
}

// now is the time since the pulse was made, in nanoseconds. It is never zero.
func (p *pulse) now() int64 { return int64(time.Since(p.start)) + 1 }

// join makes a link a member.
func (p *pulse) join(m member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members = append(p.members, m)
	*m.placeOf() = int32(len(p.members))
}

// leave makes it one no more.
func (p *pulse) leave(m member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	place := m.placeOf()
	if *place == 0 {
		return
	}
	last := p.members[len(p.members)-1]
	p.members[*place-1], *last.placeOf() = last, *place
	p.members[len(p.members)-1] = nil
	p.members = p.members[:len(p.members)-1]
	*place = 0
	if len(p.members) == 0 {
		p.members, p.due = nil, nil
		p.arm(never)
	}
}

// expect makes the pulse beat at a time, or earlier.
func (p *pulse) expect(at int64) {
	if at >= p.next.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if at = max(at, p.last+p.gap); at < p.next.Load() && len(p.members) > 0 {
		p.arm(at)
	}
}

// arm sets the timer, mu held.
func (p *pulse) arm(at int64) {
	p.next.Store(at)
	switch {
	case at == never:
		if p.timer != nil {
			p.timer.Stop()
		}
	case p.timer == nil:
		p.timer = time.AfterFunc(time.Duration(at-p.now()), p.beat)
	default:
		p.timer.Reset(time.Duration(at - p.now()))
	}
}

// beat tends the links for which something is due. It holds no lock meanwhile.
func (p *pulse) beat() {
	now := p.now()
	p.mu.Lock()
	p.last = now
	p.next.Store(never)
	due, next := p.due[:0], int64(never)
	p.due = nil
	for _, m := range p.members {
		if at := m.due(); at <= now {
			due = append(due, m)
		} else {
			next = min(next, at)
		}
	}
	p.mu.Unlock()
	for _, m := range due {
		m.tend(now)
		next = min(next, m.due())
	}
	p.expect(next)
	clear(due)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.members) > 0 {
		p.due = due
	}
}
