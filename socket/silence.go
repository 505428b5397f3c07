package socket

import (
	"fmt"
	"sync/atomic"
	"time"
)

// watches reports whether the other side may be silent for a limited time only.
func (l *link) watches() bool { return l.config.SilenceTimeout != never }

// listen starts the time in which something must come, unless it runs.
func (l *link) listen() {
	if l.watches() && l.silent.Load() == 0 {
		l.listenSince(l.pulse.now())
	}
}

// listenSince starts that time anew, from a time on. It is kept in milliseconds, in 32 bits,
// which pass after 49 days: only differences count.
func (l *link) listenSince(since int64) {
	l.silent.Store(max(1, milliseconds(since)))
	l.pulse.expect(later(max(1, since), l.config.SilenceTimeout))
}

// hear stops it: something has come.
func (l *link) hear() {
	if l.watches() {
		l.silent.Store(0)
	}
}

func milliseconds(at int64) uint32 { return uint32(at / int64(time.Millisecond)) }

// silence is for how long nothing has come.
func (l *link) silence(now int64) time.Duration {
	since := l.silent.Load()
	if since == 0 {
		return 0
	}
	return time.Duration(int32(milliseconds(now)-since)) * time.Millisecond
}

// isSilent reports whether that is too long.
func (l *link) isSilent(now int64) bool {
	return l.silent.Load() != 0 && l.silence(now) >= l.config.SilenceTimeout
}

// tooSilent fails if nothing has come for too long. It looks once more: this process may
// have been the one that was stopped.
func (l *link) tooSilent() error {
	if !l.isSilent(l.pulse.now()) {
		return nil
	}
	if err := l.source.ahead(&l.in, &l.reads, new(atomic.Bool)); err != errIdle {
		return err
	}
	return fmt.Errorf("%w: nothing came for %v, no heartbeat either", ErrSilent, l.config.SilenceTimeout)
}
