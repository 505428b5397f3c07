package socket

import "context"

// waiter is a call that awaits the answer to its request.
type waiter struct {
	answer
	decided bool
	lend    bool          // the call takes an answer with a loan
	parked  bool          // it waits for woken, and another call reads
	woken   chan struct{} // a token: it is to look again
	next    *waiter       // of the spare ones
}

// newWaiter returns a waiter without an answer, p.mu held.
func (p *Process) newWaiter() *waiter {
	w := p.spare
	if w == nil {
		return &waiter{woken: make(chan struct{}, 1)}
	}
	p.spare, w.next = w.next, nil
	return w
}

// take returns the answer of a waiter and recycles that, if there is an answer, p.mu held.
func (w *waiter) take(p *Process) (a answer, ok bool) {
	if w.decided {
		a, ok = w.answer, true
		w.recycle(p)
	}
	return a, ok
}

// recycle keeps a waiter for another call, p.mu held. No reply has it any more.
func (w *waiter) recycle(p *Process) {
	w.answer, w.decided, w.lend, w.next = answer{}, false, false, p.spare
	p.spare = w
}

// give gives a waiter its answer, the mu of its Process held.
func (w *waiter) give(a answer) {
	w.answer, w.decided = a, true
	w.wake()
}

// wake lets a waiter that is parked look again, the mu of its Process held.
func (w *waiter) wake() {
	if w.parked {
		w.parked = false
		w.woken <- struct{}{} // has room: it is taken before the waiter parks again
	}
}

// park waits until the waiter is woken or ctx ends.
func (w *waiter) park(ctx context.Context, p *Process) {
	select {
	case <-w.woken:
		return
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !w.parked {
		<-w.woken
	}
	w.parked = false
}

// ring puts a token into a channel that has room for one, unless there is one.
func ring(bell chan<- struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// passOn wakes a call that is parked to read for the others, if none reads, p.mu held.
func (p *Process) passOn() {
	if p.reading || p.err != nil {
		return
	}
	for _, r := range p.replies.All()[p.settled:] {
		if r.by != nil && r.by.parked {
			r.by.wake()
			return
		}
	}
}

// dismiss answers all requests that are awaited with err, and wakes their calls.
func (p *Process) dismiss(err error) {
	p.mu.Lock()
	undecided := p.replies.All()[p.settled:]
	for i := range undecided {
		if r := &undecided[i]; r.by != nil {
			r.by.give(answer{err: err})
			p.leave(r)
		}
	}
	p.mu.Unlock()
	p.wake()
}

// orphans returns how many requests have no response yet, and no call that awaits one.
func (p *Process) orphans() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.replies.All()[p.settled:] {
		if r.left {
			n++
		}
	}
	return n
}
