package wire

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// Loan is memory with the content of one message, which is used again for another message later.
// Its users are those that need the bytes: whoever got it from NewLoan or from a Reader, until
// End, and each Output that the content is to be written from.
type Loan struct {
	memory []byte
	class  int8          // of the lender; noClass: nobody uses the memory again
	term   atomic.Uint64 // changes when the loan ends
	Once   bool          // for its owner: the loan ends with its first use
	users  atomic.Int32
}

// NewLoan returns memory for a content of size bytes. Most of the time it was used before.
func NewLoan(size int) *Loan {
	l := lent.take(size)
	l.Once = false
	l.users.Store(1)
	return l
}

// NewTerm returns a Loan without memory. It is for a content that is owned by a Message, but is
// to be used until End only.
func NewTerm() *Loan {
	l := terms.Get().(*Loan)
	l.Once = false
	l.users.Store(1)
	return l
}

// terms are Loans without memory that have ended.
var terms = sync.Pool{New: func() any { return &Loan{class: noClass} }}

// Hold copies a content into the memory and returns it there.
func (l *Loan) Hold(content []byte) string {
	n := copy(l.memory, content)
	return unsafe.String(unsafe.SliceData(l.memory), n)
}

// Term returns a number that the Loan has until it ends, and never again.
func (l *Loan) Term() uint64 { return l.term.Load() }

// End ends the loan. The memory is used again once no Output needs it. A nil Loan has no end.
func (l *Loan) End() {
	if l == nil {
		return
	}
	l.term.Add(1)
	l.Release()
}

// Retain adds a user, unless the term has passed, and reports whether it did.
func (l *Loan) Retain(term uint64) bool {
	for {
		users := l.users.Load()
		if users == 0 || l.term.Load() != term {
			return false
		}
		if !l.users.CompareAndSwap(users, users+1) {
			continue
		}
		if l.term.Load() != term { // it ended, and the memory may be of another content by now
			l.Release()
			return false
		}
		return true
	}
}

// retain adds a user beside another one. A nil Loan has no users.
func (l *Loan) retain() {
	if l != nil {
		l.users.Add(1)
	}
}

// Release removes a user. The last one gives the memory back.
func (l *Loan) Release() {
	if l == nil || l.users.Add(-1) > 0 {
		return
	}
	if raceBuild || poisoned.Load() {
		l.poison()
	}
	if l.memory == nil {
		terms.Put(l)
		return
	}
	lent.give(l)
}

// poisoned says that memory is overwritten when it is given back.
var poisoned atomic.Bool

// PoisonLoans makes each Loan overwrite its memory when it is given back, as it does in a build
// for the race detector, so that a test finds out who still uses it.
func PoisonLoans() { poisoned.Store(true) }

// poisonByte fills memory that was given back.
const poisonByte = 0xDB

func (l *Loan) poison() {
	if len(l.memory) == 0 {
		return
	}
	l.memory[0] = poisonByte
	for n := 1; n < len(l.memory); n *= 2 {
		copy(l.memory[n:], l.memory[:n])
	}
}
