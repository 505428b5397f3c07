package socket

import (
	"context"
	"sync"

	"github.com/rxipc/rxipc/socket/internal/fifo"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// sendWindow sends messages and has a limited number of them in flight. It writes as many as
// the window allows, reads what the server says to them, and delivers the results, all on
// one goroutine. What the connection does not take at once is left unwritten, and is
// written while the window reads: the server may be writing itself, and read nothing until
// its own bytes are read.
type sendWindow struct {
	p       *Process
	request bool // a message is concluded by its response, not by its acknowledgement

	queue     fifo.Queue[Message] // taken from the source, not delivered
	inFlight  int                 // the first messages of queue, which are written
	bytes     int                 // of their frames
	blocked   bool                // the next message waits for those of other calls, see Process.isFree
	unflushed int                 // the last messages in flight, which the connection may not have taken
	spans     fifo.Queue[span]    // the numbers of the messages in flight

	ready     int      // the first messages in flight, which are concluded and not delivered
	answers   []answer // to these, if they are requests
	delivered int      // messages

	acknowledged int // messages, at the end of the run
}

func newSendWindow(p *Process, request bool) *sendWindow {
	w := sendWindows.Get().(*sendWindow)
	w.p, w.request = p, request
	return w
}

// sendWindows has windows whose runs are over, for their buffers.
var sendWindows = sync.Pool{New: func() any { return new(sendWindow) }}

// recycle gives the window back. The caller uses it no more.
func (w *sendWindow) recycle() {
	w.queue.Drop(w.queue.Len())
	w.spans.Drop(w.spans.Len())
	clear(w.answers)
	*w = sendWindow{queue: w.queue, spans: w.spans, answers: w.answers[:0]}
	sendWindows.Put(w)
}

// takeFunc moves up to room messages to the queue, and reports whether none will follow.
type takeFunc func(room int, queue *fifo.Queue[Message]) (ended bool)

// run sends the messages that take returns until the source is exhausted or emit returns
// false. source may be nil if take knows all messages. emit gets each message once it is
// acknowledged, or its response, or why there is none. emit may be nil. An error of run is a
// SendError.
func (w *sendWindow) run(ctx context.Context, take takeFunc, source *prefetcher, emit func(Message, error) bool) (err error) {
	defer func() { // also when emit panics
		w.acknowledged = w.leave()
		if err != nil {
			err = &SendError{Acknowledged: w.acknowledged, Sent: w.delivered + w.inFlight, Err: err}
		}
	}()
	return w.loop(ctx, take, source, emit)
}

func (w *sendWindow) loop(ctx context.Context, take takeFunc, source *prefetcher, emit func(Message, error) bool) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		size := w.size()
		ended := take(max(0, size-w.queue.Len()), &w.queue) // the window may have shrunk
		if err := w.write(ctx, size); err != nil {
			return w.deliverLast(ctx, source, emit, err)
		}
		if w.queue.Len() == 0 {
			if ended {
				return nil
			}
			if err := source.wait(ctx, w.p); err != nil {
				return err
			}
			continue
		}
		more := source != nil && !ended && w.queue.Len() == w.inFlight && w.mayWrite(size)
		if more && !source.notify(w.p) {
			continue // a message came meanwhile
		}
		patient := w.inFlight > w.unflushed // the server has a message, and acknowledges it soon
		err := w.p.awaitWith(ctx, w.p.config.MaxUnread, patient, nil, func() bool {
			return w.progress() || more && source.woken() || w.blocked && w.p.isFree()
		})
		if err != nil {
			return err
		}
		if wanted, err := w.deliver(ctx, source, emit); !wanted || err != nil {
			return err
		}
	}
}

// size is how many messages may be in flight, see Config.Window.
func (w *sendWindow) size() int {
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	if !w.p.ours {
		return 1
	}
	return w.p.config.Window
}

// mayWrite reports whether a window of a size is open.
func (w *sendWindow) mayWrite(size int) bool {
	return w.inFlight == 0 || w.inFlight < size && w.bytes < w.p.config.WindowBytes
}

// write writes what the window allows, as far as the connection takes it. Behind bytes that
// the connection has not taken, it adds only messages that need not be copied.
func (w *sendWindow) write(ctx context.Context, size int) error {
	if w.p.frames.Unfinished() {
		w.p.frames.TryWrite(wire.NoControl)
	}
	w.blocked = false
	for w.inFlight < w.queue.Len() && w.mayWrite(size) {
		b, bytes := w.next(size)
		if w.inFlight > 0 && bytes <= wire.FlushAt && w.p.frames.Unfinished() {
			break
		}
		s, err := w.p.write(ctx, b)
		if err == errTaken {
			w.blocked = true
			break
		}
		if s.count > 0 {
			w.spans.Push(s.span)
			w.inFlight += s.count
			w.bytes += bytes
			w.unflushed += s.count
		}
		if err != nil {
			return err
		}
	}
	if !w.p.frames.Unfinished() {
		w.unflushed = 0
	}
	return nil
}

// next returns the messages that leave next, and the bytes of their frames: as many as leave
// in one write, or a single message that is longer.
func (w *sendWindow) next(size int) (b batch, bytes int) {
	waiting := w.queue.All()[w.inFlight:]
	waiting = waiting[:min(len(waiting), size-w.inFlight)]
	n := 0
	for ; n < len(waiting); n++ {
		more := bytes + wire.FrameSize(waiting[n].wire())
		if n > 0 && (more > wire.FlushAt || w.bytes+bytes >= w.p.config.WindowBytes) {
			break
		}
		bytes = more
	}
	return batch{messages: waiting[:n], request: w.request}, bytes
}

// progress notes which messages were concluded and reports whether any was, p.mu held.
func (w *sendWindow) progress() bool {
	for w.spans.Len() > 0 {
		s := &w.spans.All()[0]
		n := w.concluded(s)
		s.first += uint64(n)
		s.count -= n
		w.ready += n
		if s.count > 0 {
			break
		}
		w.spans.Drop(1)
	}
	return w.ready > 0
}

// concluded returns how many messages of a span, from the first on, are concluded, and takes
// their answers, p.mu held.
func (w *sendWindow) concluded(s *span) (n int) {
	if !w.request {
		return w.p.acknowledged(*s)
	}
	for ; n < s.count; n++ {
		a, ok := w.p.claim(s.first + uint64(n))
		if !ok {
			break
		}
		w.answers = append(w.answers, a)
	}
	return n
}

// deliver gives the concluded messages to emit, and reports whether more are wanted.
func (w *sendWindow) deliver(ctx context.Context, source *prefetcher, emit func(Message, error) bool) (wanted bool, err error) {
	n := 0
	defer func() { // also when emit panics
		w.queue.Drop(n)
		w.inFlight -= n
		w.ready -= n
		w.delivered += n
		if source != nil {
			source.conclude(n)
		}
	}()
	for n < w.ready {
		if ctx.Err() != nil {
			return true, context.Cause(ctx)
		}
		a := answer{message: w.queue.All()[n]}
		w.bytes -= wire.FrameSize(a.message.wire())
		if w.request {
			a = w.answers[n]
		}
		n++
		if emit != nil && !emit(a.message, a.err) {
			return false, nil
		}
	}
	clear(w.answers)
	w.answers = w.answers[:0]
	return true, nil
}

// deliverLast delivers what was concluded before a write failed with err. It returns err if
// more is wanted.
func (w *sendWindow) deliverLast(ctx context.Context, source *prefetcher, emit func(Message, error) bool, err error) error {
	w.p.mu.Lock()
	w.progress()
	w.p.mu.Unlock()
	if wanted, failed := w.deliver(ctx, source, emit); !wanted || failed != nil {
		return failed
	}
	return err
}

// leave gives up the messages in flight, and returns how many of the run were acknowledged.
func (w *sendWindow) leave() int {
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	acknowledged := w.delivered + w.ready
	for _, s := range w.spans.All() {
		acknowledged += w.p.acknowledged(s)
		if w.request {
			w.p.abandon(s)
		}
	}
	return acknowledged
}
