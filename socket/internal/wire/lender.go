package wire

import (
	"math/bits"
	"runtime"
	"sync"
)

const (
	// maxKept is how many bytes are kept for use again, in all of this program.
	maxKept = 64 << 20

	// Memory comes in sizes of 4, 5, 6, 7, 8, 10, 12, 14, 16 KiB and so on: at most a quarter is
	// to spare. Those of a class have some bytes more, since the frame's last byte is read
	// behind the content, and contents like to have a power of two.
	loanSteps = 4
	loanSpare = 64
	classes   = 4*12 + 1 // the last has 16 MiB

	noClass = -1
)

// lender keeps the memory of loans that have ended, up to maxKept bytes. Those that no loan
// needed between two garbage collections are dropped. Small ones are in a sync.Pool, since many
// connections need them at the same time.
type lender struct {
	small sync.Pool

	mu      sync.Mutex
	free    [classes][]*Loan // those of a class, the one that was used last at the end
	spare   [classes]int     // the least number of them since the last garbage collection
	kept    int              // bytes of all
	out     int              // bytes of loans that have users, except small ones
	watched bool             // dropUnused is called after the next garbage collection
}

// lent is shared by all connections.
var lent lender

// classSize returns the size of the memory of a class.
func classSize(class int) int {
	return (loanSteps+class%loanSteps)<<(class/loanSteps)<<10 + loanSpare
}

// classOf returns the first class whose memory has room for size bytes.
func classOf(size int) int {
	units := uint(max(size-loanSpare+1<<10-1, 0) >> 10) // of 1 KiB
	if units <= loanSteps {
		return 0
	}
	exponent := bits.Len(units-1) - 3
	return loanSteps*exponent + int((units-1)>>exponent) + 1 - loanSteps
}

// take returns a Loan that has room for size bytes.
func (l *lender) take(size int) *Loan {
	class := classOf(size)
	switch {
	case class == 0:
		if small, ok := l.small.Get().(*Loan); ok {
			return small
		}
	case class >= classes:
		return &Loan{memory: newContent(size)[:size], class: noClass}
	default:
		if free := l.takeFree(class); free != nil {
			return free
		}
	}
	size = classSize(class)
	return &Loan{memory: newContent(size)[:size], class: int8(class)}
}

// takeFree returns a Loan of a class, or of one of the next, up to twice the size. It returns nil
// if there is none, and counts one that is to be made.
func (l *lender) takeFree(class int) *Loan {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := class; c < min(class+loanSteps, classes); c++ {
		last := len(l.free[c]) - 1
		if last < 0 {
			continue
		}
		loan := l.free[c][last]
		l.free[c][last] = nil
		l.free[c] = l.free[c][:last]
		l.spare[c] = min(l.spare[c], last)
		l.kept -= len(loan.memory)
		l.out += len(loan.memory)
		return loan
	}
	l.out += classSize(class)
	return nil
}

// give takes back a Loan that has no users.
func (l *lender) give(loan *Loan) {
	switch loan.class {
	case noClass:
		return
	case 0:
		l.small.Put(loan)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out -= len(loan.memory)
	if l.kept+len(loan.memory) > maxKept {
		return
	}
	l.kept += len(loan.memory)
	l.free[loan.class] = append(l.free[loan.class], loan)
	l.watch()
}

// watch has dropUnused called after the next garbage collection, mu held.
func (l *lender) watch() {
	if l.watched {
		return
	}
	l.watched = true
	dies := new([32]byte) // at once: nothing refers to it
	runtime.AddCleanup(dies, (*lender).dropUnused, l)
}

// dropUnused drops what was not needed since the garbage collection before.
func (l *lender) dropUnused() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watched = false
	for c, free := range l.free {
		unused := l.spare[c]
		l.kept -= unused * classSize(c)
		n := copy(free, free[unused:])
		clear(free[n:])
		l.free[c], l.spare[c] = free[:n], n
		if n == 0 {
			l.free[c] = nil
		}
	}
	if l.kept > 0 {
		l.watch()
	}
}

// Lent returns how many bytes of large contents are lent, in all of this program.
func Lent() int {
	lent.mu.Lock()
	defer lent.mu.Unlock()
	return lent.out
}
