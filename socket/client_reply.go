package socket

import (
	"cmp"
	"slices"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// Nothing on the wire says which request a message answers. But servers handle the messages of a
// connection in order, and each answer stands between the acknowledgement of its request and the
// next acknowledgement. So the first message after the acknowledgement of a request is its
// response. If the next acknowledgement comes first, the request has no response.

// answer makes a message the response to the request that was acknowledged last, and reports
// false if that has one already, p.mu held.
func (p *Process) answer(m Message, loan *wire.Loan) bool {
	r := p.answering()
	if r == nil {
		return false
	}
	if loan != nil && (r.by == nil || r.left) { // its call gave up meanwhile
		loan.End()
		loan = nil
	}
	if !r.left && r.by == nil {
		p.unread += m.Len() + overhead
	}
	p.decide(r, answer{message: m, loan: loan})
	p.settled++
	p.tidy()
	return true
}

// answering returns the request that the next message answers, if that comes before the next
// acknowledgement, p.mu held. It returns nil if there is none.
func (p *Process) answering() *reply {
	all := p.replies.All()
	if p.settled == len(all) || all[p.settled].number != p.acked {
		return nil
	}
	return &all[p.settled]
}

// lends reports whether the content of the next message is lent: to the call that made the
// request, unless a hook gets the message, too, p.mu held.
func (p *Process) lends() bool {
	r := p.answering()
	return r != nil && r.by != nil && r.by.lend && p.config.Hooks.Arrived == nil
}

// decide gives an answer to the call that awaits it, p.mu held.
func (p *Process) decide(r *reply, a answer) {
	r.decided = true
	switch {
	case r.left && p.freed != nil:
		ring(p.freed)
	case r.left:
	case r.by != nil:
		p.answered++
		r.by.give(a)
		r.by, r.left = nil, true
	default:
		r.answer = a
	}
}

// unanswered gives ErrNoResponse to the requests that have no response, p.mu held.
func (p *Process) unanswered() {
	all := p.replies.All()
	if p.settled == len(all) || all[p.settled].number >= p.acked {
		return
	}
	for ; p.settled < len(all) && all[p.settled].number < p.acked; p.settled++ {
		p.decide(&all[p.settled], answer{err: ErrNoResponse})
	}
	p.tidy()
}

// claim removes and returns the answer to a request, if it is decided, p.mu held. It is called
// no more for that request then.
func (p *Process) claim(number uint64) (a answer, ok bool) {
	r := p.reply(number)
	if !r.decided {
		return answer{}, false
	}
	a = r.answer
	p.leave(r)
	p.tidy()
	return a, true
}

// abandon drops the replies to requests, now and when they come, p.mu held.
func (p *Process) abandon(s span) {
	for i := range s.count {
		p.leave(p.reply(s.first + uint64(i)))
	}
	p.tidy()
}

func (p *Process) reply(number uint64) *reply {
	all := p.replies.All()
	i, _ := slices.BinarySearchFunc(all, number, func(r reply, number uint64) int {
		return cmp.Compare(r.number, number)
	})
	return &all[i]
}

// leave drops a reply, p.mu held.
func (p *Process) leave(r *reply) {
	if !r.left && r.decided && r.err == nil {
		p.unread -= r.message.Len() + overhead
	}
	r.left, r.by, r.answer = true, nil, answer{}
}

// tidy removes the first replies that are decided and left, p.mu held.
func (p *Process) tidy() {
	all := p.replies.All()[:p.settled]
	n := 0
	for n < len(all) && all[n].left {
		n++
	}
	p.replies.Drop(n)
	p.settled -= n
}
