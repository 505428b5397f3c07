package socket

import (
	"context"
	"sync"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// flight is messages on their way. It writes as many as the window allows, takes in what
// the server says to them, and hands over what is concluded, all on one goroutine. So
// what the connection does not take at once is left, and finished beside the reading: the
// server might be writing itself, and not read before that is read.
type flight struct {
	p      *Process
	asking bool // a message is concluded by its response, not by its acknowledgement
	limit  int  // how many may be in flight

	queue    fifo[Message] // taken, and not concluded
	inFlight int           // of those, written: the first ones
	bytes    int           // that these take
	barred   bool          // the next one must wait for those of others, see Process.isFree
	unsure   int           // the last of those in flight, which the connection may not have taken
	spans    fifo[span]    // their numbers

	landing   int      // concluded and not handed over, the first of those in flight
	answers   []answer // to these, when asking
	concluded int      // and handed over

	acknowledged int // at the end of the run
}

func newFlight(p *Process, asking bool) *flight {
	f := flights.Get().(*flight)
	f.p, f.asking, f.limit = p, asking, p.config.Window
	return f
}

// flights that are over: the room they had is of use to the next ones.
var flights = sync.Pool{New: func() any { return new(flight) }}

// recycle is for who looks at the flight no more.
func (f *flight) recycle() {
	f.queue.drop(f.queue.len())
	f.spans.drop(f.spans.len())
	clear(f.answers)
	*f = flight{queue: f.queue, spans: f.spans, answers: f.answers[:0]}
	flights.Put(f)
}

// takeFunc moves up to room messages to the queue, and reports whether none will follow.
type takeFunc func(room int, queue *fifo[Message]) (ended bool)

// feed is where the messages of a flight come from, if they are not all there already.
type feed interface {
	take(room int, queue *fifo[Message]) (ended bool) // is a takeFunc

	// park asks for p to be roused, and arrived to be true, once there is something to
	// take or to tell, until the next take. It reports false if there is already.
	park(p *Process) bool
	arrived() bool

	// rest waits for that while nothing is in flight.
	rest(ctx context.Context, p *Process) error

	// landed says that n messages were concluded.
	landed(n int)
}

// run flies what take takes, from a feed if there is one, until that has ended or emit
// returns false. emit gets each message once it has been acknowledged, or its
// response, or why there is none; it may be nil. An error of run is a SendError.
func (f *flight) run(ctx context.Context, take takeFunc, from feed, emit func(Message, error) bool) (err error) {
	defer func() { // also when emit panics
		f.acknowledged = f.leave()
		if err != nil {
			err = &SendError{Acknowledged: f.acknowledged, Sent: f.concluded + f.inFlight, Err: err}
		}
	}()
	return f.fly(ctx, take, from, emit)
}

func (f *flight) fly(ctx context.Context, take takeFunc, from feed, emit func(Message, error) bool) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		window := f.window()
		ended := take(max(0, window-f.queue.len()), &f.queue) // the window may have shrunk
		if err := f.write(ctx, window); err != nil {
			return f.landLast(ctx, from, emit, err)
		}
		if f.queue.len() == 0 {
			if ended {
				return nil
			}
			if err := from.rest(ctx, f.p); err != nil {
				return err
			}
			continue
		}
		more := from != nil && !ended && f.queue.len() == f.inFlight && f.mayWrite(window)
		if more && !from.park(f.p) {
			continue // something came meanwhile
		}
		patient := f.inFlight > f.unsure // something has arrived, and is acknowledged soon
		err := f.p.awaitWith(ctx, f.p.config.MaxUnread, patient, func() bool {
			return f.progress() || more && from.arrived() || f.barred && f.p.isFree()
		})
		if err != nil {
			return err
		}
		if wanted, err := f.land(ctx, from, emit); !wanted || err != nil {
			return err
		}
	}
}

// window is how many messages may be in flight, see Config.Window.
func (f *flight) window() int {
	f.p.mu.Lock()
	defer f.p.mu.Unlock()
	if !f.p.ours {
		return 1
	}
	return f.limit
}

// mayWrite reports whether the window is open.
func (f *flight) mayWrite(window int) bool {
	return f.inFlight == 0 || f.inFlight < window && f.bytes < f.p.config.WindowBytes
}

// write writes what the window allows, as far as the connection takes it. Behind what it
// does not take, only that is put which need not be copied there.
func (f *flight) write(ctx context.Context, window int) error {
	if f.p.left.Load() {
		f.p.tryWrite(wire.NoControl)
	}
	f.barred = false
	for f.inFlight < f.queue.len() && f.mayWrite(window) {
		b, size := f.next(window)
		if f.inFlight > 0 && size <= wire.FlushAt && f.p.left.Load() {
			break
		}
		s, err := f.p.write(ctx, b)
		if err == errTaken {
			f.barred = true
			break
		}
		if s.count > 0 {
			f.spans.push(s)
			f.inFlight += s.count
			f.bytes += size
			f.unsure += s.count
		}
		if err != nil {
			return err
		}
	}
	if !f.p.left.Load() {
		f.unsure = 0
	}
	return nil
}

// next is the messages that leave next, and how many bytes they take: no more than leave
// in one write, or a single one that is longer.
func (f *flight) next(window int) (b batch, size int) {
	waiting := f.queue.all()[f.inFlight:]
	waiting = waiting[:min(len(waiting), window-f.inFlight)]
	n := 0
	for ; n < len(waiting); n++ {
		more := size + wire.FrameSize(waiting[n].wire())
		if n > 0 && (more > wire.FlushAt || f.bytes+size >= f.p.config.WindowBytes) {
			break
		}
		size = more
	}
	return batch{messages: waiting[:n], asking: f.asking, offered: true}, size
}

// progress takes note of what was concluded and reports whether something was, p.mu held.
func (f *flight) progress() bool {
	for f.spans.len() > 0 {
		s := &f.spans.all()[0]
		n := f.settled(s)
		s.first += uint64(n)
		s.count -= n
		f.landing += n
		if s.count > 0 {
			break
		}
		f.spans.drop(1)
	}
	return f.landing > 0
}

// settled is how many of a span, from the first on, are concluded, p.mu held; it takes
// their answers.
func (f *flight) settled(s *span) (n int) {
	if !f.asking {
		return f.p.acknowledged(*s)
	}
	for ; n < s.count; n++ {
		a, ok := f.p.claim(s.first + uint64(n))
		if !ok {
			break
		}
		f.answers = append(f.answers, a)
	}
	return n
}

// land hands over what is concluded, and reports whether more is wanted.
func (f *flight) land(ctx context.Context, from feed, emit func(Message, error) bool) (wanted bool, err error) {
	n := 0
	defer func() { // also when emit panics
		f.queue.drop(n)
		f.inFlight -= n
		f.landing -= n
		f.concluded += n
		if from != nil {
			from.landed(n)
		}
	}()
	for n < f.landing {
		if ctx.Err() != nil {
			return true, context.Cause(ctx)
		}
		a := answer{message: f.queue.all()[n]}
		f.bytes -= wire.FrameSize(a.message.wire())
		if f.asking {
			a = f.answers[n]
		}
		n++
		if emit != nil && !emit(a.message, a.err) {
			return false, nil
		}
	}
	clear(f.answers)
	f.answers = f.answers[:0]
	return true, nil
}

// landLast hands over what was concluded before writing failed with err, and returns
// that if more is wanted.
func (f *flight) landLast(ctx context.Context, from feed, emit func(Message, error) bool, err error) error {
	f.p.mu.Lock()
	f.progress()
	f.p.mu.Unlock()
	if wanted, landed := f.land(ctx, from, emit); !wanted || landed != nil {
		return landed
	}
	return err
}

// leave lets go of what is in flight, and returns how many messages were acknowledged.
func (f *flight) leave() int {
	f.p.mu.Lock()
	defer f.p.mu.Unlock()
	acknowledged := f.concluded + f.landing
	for _, s := range f.spans.all() {
		acknowledged += f.p.acknowledged(s)
		if f.asking {
			f.p.abandon(s)
		}
	}
	return acknowledged
}
