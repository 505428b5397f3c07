package socket

import (
	"cmp"
	"slices"
)

// Nothing on the wire says which request a message answers. But servers handle the
// messages of a connection in order, and each answer stands between the acknowledgement
// of its request and the next one. So the first message that comes after a request was
// acknowledged is its response, and if the next acknowledgement comes first, it has none.

// answer takes a message for the response to the request that was acknowledged last, if
// that has none yet, p.mu held.
func (p *Process) answer(m Message) bool {
	all := p.replies.all()
	if p.settled == len(all) || all[p.settled].number != p.acked {
		return false
	}
	r := &all[p.settled]
	if r.decided = true; !r.left {
		r.message = m
		p.unread += m.Len() + overhead
	}
	p.settled++
	p.tidy()
	return true
}

// unanswered decides the requests that were passed over, p.mu held.
func (p *Process) unanswered() {
	all := p.replies.all()
	if p.settled == len(all) || all[p.settled].number >= p.acked {
		return
	}
	for ; p.settled < len(all) && all[p.settled].number < p.acked; p.settled++ {
		all[p.settled].decided, all[p.settled].err = true, ErrNoResponse
	}
	p.tidy()
}

// claim takes the answer to a request, once it is decided, p.mu held. Nobody may ask for
// it again then.
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

// abandon lets the replies to requests come in vain, p.mu held.
func (p *Process) abandon(s span) {
	for i := range s.count {
		p.leave(p.reply(s.first + uint64(i)))
	}
	p.tidy()
}

func (p *Process) reply(number uint64) *reply {
	all := p.replies.all()
	i, _ := slices.BinarySearchFunc(all, number, func(r reply, number uint64) int {
		return cmp.Compare(r.number, number)
	})
	return &all[i]
}

// leave lets go of a reply, p.mu held.
func (p *Process) leave(r *reply) {
	if !r.left && r.decided && r.err == nil {
		p.unread -= r.message.Len() + overhead
	}
	r.left, r.answer = true, answer{}
}

// tidy forgets the first replies, as far as they are decided and left, p.mu held.
func (p *Process) tidy() {
	all := p.replies.all()[:p.settled]
	n := 0
	for n < len(all) && all[n].left {
		n++
	}
	p.replies.drop(n)
	p.settled -= n
}
