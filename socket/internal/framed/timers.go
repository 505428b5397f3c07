package framed

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Limits are the size of a message and the times that a Conn keeps to. A time that is Never
// does not pass.
type Limits struct {
	MaxMessage int // longest content, in bytes

	Heartbeat time.Duration // since something was heard, until a heartbeat is sent
	Handshake time.Duration // for the other side to complete it
	Frame     time.Duration // for the other side to finish a frame
	Write     time.Duration // without the other side reading what is written
	Silence   time.Duration // without anything coming
	Other     time.Duration // the shortest time of a Member beside these
}

// Never is the due time of a timer that is not set.
const Never = math.MaxInt64

// OfferTime limits a read or write that must not block.
const OfferTime = time.Millisecond

// Later returns the time that is after behind time. It returns Never if time is zero or
// negative, which means that there is none, or if after is Never.
func Later(time int64, after time.Duration) int64 {
	if time <= 0 || int64(after) > Never-time {
		return Never
	}
	return time + int64(after)
}

// Timers are the heartbeats and time limits of some connections, by one timer of the runtime,
// which wakes none of their goroutines while nothing is wrong. It runs while a member expects
// something, and ends with the last member. A timer fires at its time, or up to an eighth of
// the shortest limit later when many are due in a row.
type Timers struct {
	Limits
	start time.Time
	gap   int64        // between two runs of fire, at least
	next  atomic.Int64 // when fire runs; written under mu

	mu      sync.Mutex
	timer   *time.Timer
	last    int64    // when fire ran last
	members []Member // each knows its place
	due     []Member // of a run of fire
}

// Member has timers: a Conn, or what adds timers of its own to those of a Conn.
type Member interface {
	Conn() *Conn
	Due() int64        // when OnTimer is to be called
	OnTimer(now int64) // does what is due, and does not block
}

// NewTimers returns timers without members.
func NewTimers(limits Limits) *Timers {
	shortest := min(limits.Heartbeat, limits.Handshake, limits.Frame, limits.Write, limits.Silence, limits.Other)
	t := &Timers{Limits: limits, start: time.Now(), gap: int64(shortest / 8)}
	t.next.Store(Never)
	return t
}

// Now returns the time since the timers were made, in nanoseconds. It is never zero.
func (t *Timers) Now() int64 { return int64(time.Since(t.start)) + 1 }

// join makes m a member.
func (t *Timers) join(m Member) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.members = append(t.members, m)
	m.Conn().place = int32(len(t.members))
}

// leave undoes join. It does nothing to a Conn whose member has left.
func (t *Timers) leave(c *Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.place == 0 {
		return
	}
	last := t.members[len(t.members)-1]
	t.members[c.place-1], last.Conn().place = last, c.place
	t.members[len(t.members)-1] = nil
	t.members = t.members[:len(t.members)-1]
	c.place = 0
	if len(t.members) == 0 {
		t.members, t.due = nil, nil
		t.arm(Never)
	}
}

// Expect makes the timers fire at a time, or earlier.
func (t *Timers) Expect(at int64) {
	if at >= t.next.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if at = max(at, t.last+t.gap); at < t.next.Load() && len(t.members) > 0 {
		t.arm(at)
	}
}

// arm sets the timer, mu held.
func (t *Timers) arm(at int64) {
	t.next.Store(at)
	switch {
	case at == Never:
		if t.timer != nil {
			t.timer.Stop()
		}
	case t.timer == nil:
		t.timer = time.AfterFunc(time.Duration(at-t.Now()), t.fire)
	default:
		t.timer.Reset(time.Duration(at - t.Now()))
	}
}

// fire calls the members for which something is due. It holds no lock meanwhile.
func (t *Timers) fire() {
	now := t.Now()
	t.mu.Lock()
	t.last = now
	t.next.Store(Never)
	due, next := t.due[:0], int64(Never)
	t.due = nil
	for _, m := range t.members {
		if at := m.Due(); at <= now {
			due = append(due, m)
		} else {
			next = min(next, at)
		}
	}
	t.mu.Unlock()
	for _, m := range due {
		m.OnTimer(now)
		next = min(next, m.Due())
	}
	t.Expect(next)
	clear(due)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.members) > 0 {
		t.due = due
	}
}
