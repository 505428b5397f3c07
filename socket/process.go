package socket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// settleTime is how long an acknowledgement that a client owes may wait for
// company.
const settleTime = 5 * time.Millisecond

// overhead is what an unread message counts beside its content, so that empty ones
// are bounded, too.
const overhead = 64

var (
	// ErrDisconnected says that the other side closed the connection.
	ErrDisconnected = errors.New("the server closed the connection")

	// ErrUnread says that so many messages are unread that no more are taken in:
	// see Config.MaxUnread.
	ErrUnread = errors.New("too many unread messages")
)

// Process is the client's side of a connection: another process, that messages can
// be sent to and awaited from. Its methods may be called from any goroutine; while
// one of them waits it also sends heartbeats and takes in whatever comes, so that
// messages and acknowledgements do not get into each other's way.
//
// Every error wraps in an [*Error]: net.ErrClosed after Close, ErrDisconnected when
// the server has closed the connection, io.ErrUnexpectedEOF when it is gone
// without having done so, ErrProtocol or ErrTooLarge when it sent what it must not,
// the context's cause when that ended first. A call that its context ended leaves
// the connection usable.
type Process struct {
	link
	name Name

	settling atomic.Bool // the timer runs, or is about to
	timer    *time.Timer // settles what is owed

	mu      sync.Mutex
	reading bool          // a goroutine reads for all
	changed chan struct{} // closed at the next change; made by who waits for it
	started bool          // connection.start came
	inbox   []Message     // came; unread from head on
	head    int           //
	unread  int           // bytes in inbox, overhead included
	sent    uint64        // messages written, for the writer
	acked   uint64        // of those, acknowledged
	agreed  bool          // the server consented to close
	dialect kind          // of the acknowledgements that came; noControl: none yet
	err     error         // why nothing more will come
	closing bool          // Close was called
}

func newProcess(conn net.Conn, name Name, config *Config) *Process {
	p := &Process{link: newLink(conn, config), name: name}
	p.timer = time.AfterFunc(time.Hour, p.settleNow)
	p.timer.Stop()
	return p
}

// Name returns the name of the process, the zero Name if it was reached without one.
func (p *Process) Name() Name { return p.name }

// Conn returns the connection beneath, for its addresses and for who is behind it.
// Reading from it or writing to it breaks the protocol.
func (p *Process) Conn() net.Conn { return p.conn }

// Send sends messages one after the other, each once the one before has been
// acknowledged, and gives the process, for the next step of a chain. An
// acknowledged message has been handled. When one cannot be sent or is not
// acknowledged it fails with a [*SendError] that tells how many were; the rest was
// not sent. Responses that come meanwhile are kept for Wait.
func (p *Process) Send(ctx context.Context, messages ...Message) fold.Attempt[*Process] {
	if err := check(messages, p.config.MaxMessage); err != nil {
		return fold.Fail[*Process](p.failure("send", &SendError{Err: err}))
	}
	for i, m := range messages {
		if err := p.sendOne(ctx, m); err != nil {
			return fold.Fail[*Process](p.failure("send", &SendError{Acknowledged: i, Err: err}))
		}
	}
	return fold.Succeed(p)
}

// SendError tells which of the messages given to Send arrived.
type SendError struct {
	// Acknowledged is how many of them the server acknowledged, from the first on.
	// The one after may have arrived or not; those behind it were not sent.
	Acknowledged int
	Err          error
}

// Error gives the number, when it is not zero, and the cause.
func (e *SendError) Error() string {
	if e.Acknowledged == 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("after %d acknowledged: %v", e.Acknowledged, e.Err)
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }

// Wait gives the next message from the process that has not been read, waiting for
// it until ctx ends.
func (p *Process) Wait(ctx context.Context) fold.Attempt[Message] {
	var m Message
	err := p.await(ctx, unlimited, func() bool {
		if p.head == len(p.inbox) {
			return false
		}
		m = p.take()
		return true
	})
	if err != nil {
		return fold.Fail[Message](p.failure("wait", err))
	}
	return fold.Succeed(m)
}

// Messages is what comes from the process, from what is unread on: responses, and
// what a server pushes. It completes when the server closes the connection in an
// orderly way, or Close does. It is hot: each message goes to one run, or Wait.
func (p *Process) Messages() stream.Observable[Message] {
	return func(ctx context.Context, yield func(Message) bool) error {
		for {
			if ctx.Err() != nil { // whatever is unread stays so
				return context.Cause(ctx)
			}
			m, err := p.Wait(ctx).Get()
			switch {
			case err != nil && ctx.Err() != nil:
				return context.Cause(ctx)
			case errors.Is(err, ErrDisconnected), errors.Is(err, net.ErrClosed):
				return nil
			case err != nil:
				return err
			case !yield(m):
				return nil
			}
		}
	}
}

// Close ends the connection in an orderly way: it tells the server, awaits its
// consent until ctx ends or [Config.Grace] has passed, and closes. Unread messages
// can still be read. It fails when there was no consent; the connection is closed
// in any case. Closing twice is fine.
func (p *Process) Close(ctx context.Context) fold.Attempt[struct{}] {
	p.mu.Lock()
	over := p.closing || p.err != nil
	p.closing = true
	p.mu.Unlock()
	if over {
		return fold.Succeed(struct{}{})
	}
	defer p.shut(net.ErrClosed)
	ctx, cancel := context.WithTimeout(ctx, p.config.Grace)
	defer cancel()
	if err := p.part(ctx); err != nil {
		return fold.Fail[struct{}](p.failure("close", err))
	}
	return fold.Succeed(struct{}{})
}

// part tells the server connection.close and awaits its consent, or that it is gone,
// which is as good.
func (p *Process) part(ctx context.Context) error {
	if err := p.acquire(ctx); err != nil {
		p.tryWrite(kindClose)
		return err
	}
	p.settle()
	p.out = appendControl(p.out, kindClose)
	err := p.flush(ctx)
	p.release()
	if err != nil && ctx.Err() != nil {
		return err
	}
	err = p.await(ctx, unlimited, func() bool { return p.agreed })
	if errors.Is(err, net.ErrClosed) || errors.Is(err, ErrDisconnected) {
		return nil
	}
	return err
}

// sendOne writes a message and waits until it is acknowledged.
func (p *Process) sendOne(ctx context.Context, m Message) error {
	if frameSize(m) > writeAt || p.left.Load() || p.inFlight() {
		return p.sendReading(ctx, m)
	}
	number, err := p.write(ctx, m)
	if err != nil {
		return err
	}
	return p.awaitAck(ctx, number)
}

// inFlight reports whether messages sent before are not acknowledged yet.
func (p *Process) inFlight() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent != p.acked
}

// sendReading is sendOne for a message that the connection may not swallow at once:
// the server might itself be writing an answer, and not read before that is read. So
// another goroutine writes while this one reads.
func (p *Process) sendReading(ctx context.Context, m Message) error {
	inner, cancel := context.WithCancelCause(ctx)
	var number uint64 // under p.mu, like acked
	written := make(chan struct{})
	go func() {
		defer close(written)
		n, err := p.write(inner, m)
		if err != nil {
			cancel(err)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		number = n
		p.change()
	}()
	err := p.await(inner, 2*p.config.MaxUnread, func() bool { return number != 0 })
	cancel(nil)
	<-written
	if err != nil {
		return err
	}
	return p.awaitAck(ctx, number)
}

func (p *Process) awaitAck(ctx context.Context, number uint64) error {
	return p.await(ctx, p.config.MaxUnread, func() bool { return p.acked >= number })
}

// write writes a message, and what is owed, and returns its number among those sent.
// A connection that does not take it any more is read to its end for the reason.
func (p *Process) write(ctx context.Context, m Message) (uint64, error) {
	if err := p.acquire(ctx); err != nil {
		return 0, err
	}
	number, err := p.writeNumbered(ctx, m)
	p.release()
	if err == nil || ctx.Err() != nil {
		return number, err
	}
	return 0, cmp.Or(p.await(ctx, unlimited, func() bool { return false }), err)
}

func (p *Process) writeNumbered(ctx context.Context, m Message) (uint64, error) {
	number, err := p.number()
	if err != nil {
		return 0, err
	}
	p.settle()
	begun, err := p.send(ctx, m)
	switch {
	case err == nil:
		return number, nil
	case !begun:
		p.unnumber()
	}
	return 0, err
}

// number counts one more message sent, before it is: its acknowledgement may come
// at once. One that has left in part will be acknowledged, too, when ctx ends then.
func (p *Process) number() (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.err != nil:
		return 0, p.err
	case p.closing:
		return 0, net.ErrClosed
	}
	p.sent++
	return p.sent, nil
}

// unnumber takes the last number back, the token of writing still in hand.
func (p *Process) unnumber() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent--
}

// unlimited is the bound of unread bytes for who makes them fewer, or closes.
const unlimited = math.MaxInt

// await waits until ready, which is called under p.mu, returns true, or more than
// limit bytes are unread. One of those who wait reads for all; and if a write was
// left unfinished, somebody who waits has it finished meanwhile.
func (p *Process) await(ctx context.Context, limit int, ready func() bool) error {
	started, finishing := false, false
	for {
		p.mu.Lock()
		switch {
		case ready():
			p.mu.Unlock()
			return nil
		case p.err != nil:
			defer p.mu.Unlock()
			return p.err
		case ctx.Err() != nil:
			p.mu.Unlock()
			return context.Cause(ctx)
		case p.unread > limit:
			p.mu.Unlock()
			return ErrUnread
		case p.reading:
			changed := p.nextChange()
			p.mu.Unlock()
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		p.reading = true
		p.mu.Unlock()
		if !started {
			p.startClock(ctx)
			started = true
		}
		if p.left.Load() && !finishing {
			finishing = true
			defer p.finishWrite(ctx)()
		}
		p.read(ctx)
	}
}

// read reads once, for all who wait, and takes in what came.
func (p *Process) read(ctx context.Context) {
	if p.unsettled() {
		p.tryWrite(noControl) // the server may be waiting for it
	}
	err := p.fill(ctx)
	if err != nil && ctx.Err() != nil {
		err = nil // await tells
	}
	p.mu.Lock()
	for err == nil {
		f, ok, broken := p.in.next()
		if err = broken; !ok {
			break
		}
		err = p.receive(f)
	}
	if p.closing && isGone(err) {
		err = net.ErrClosed // it need not consent any more
	}
	if err != nil {
		p.mu.Unlock()
		if err == ErrDisconnected {
			p.tryWrite(kindCloseOK)
		}
		p.shut(unexpected(err)) // before anybody else reads
		p.mu.Lock()
		p.reads.unbind()
	}
	p.reading = false
	p.change()
	p.mu.Unlock()
}

// finishWrite has a goroutine write what earlier writes left, until the function
// that it returns is called: whoever reads must not wait for the server to read.
func (p *Process) finishWrite(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for p.left.Load() && p.acquire(ctx) == nil {
			p.settle()
			err := p.flush(ctx)
			p.release()
			if err != nil {
				return // the reader meets it, too, but for the end of ctx
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// receive takes in one frame, p.mu held.
func (p *Process) receive(f frame) error {
	switch f.kind {
	case kindMessage:
		if p.dialect == kindAck {
			p.owed.Add(1)
			p.settleSoon()
		}
		p.store(f.message)
	case kindStart:
		p.started = true
		p.greeting.Store(true)
		p.settleSoon()
	case kindReceived, kindAck:
		p.dialect = f.kind
		p.acked = min(p.acked+1, p.sent)
	case kindClose:
		return ErrDisconnected
	case kindCloseOK:
		p.agreed = true
	}
	return nil
}

// settleSoon sees to it that what is owed leaves: with the next write, or before the
// next wait, or when the timer fires.
func (p *Process) settleSoon() {
	if !p.settling.Load() {
		p.settling.Store(true)
		p.timer.Reset(settleTime)
	}
}

// settleNow is what the timer does.
func (p *Process) settleNow() {
	p.settling.Store(false)
	p.tryWrite(noControl)
}

// store adds an unread message, p.mu held. Somebody who closes has no use for more
// than the limit.
func (p *Process) store(m Message) {
	if p.closing && p.unread > p.config.MaxUnread {
		return
	}
	p.inbox = append(p.inbox, m)
	p.unread += m.Len() + overhead
}

// take takes the first unread message, p.mu held and there being one.
func (p *Process) take() Message {
	m := p.inbox[p.head]
	p.inbox[p.head] = Message{}
	p.head++
	if p.head == len(p.inbox) {
		p.inbox, p.head = p.inbox[:0], 0
	}
	p.unread -= m.Len() + overhead
	return m
}

// nextChange returns a channel that closes at the next change, p.mu held.
func (p *Process) nextChange() <-chan struct{} {
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return p.changed
}

// change lets those who wait look again, p.mu held.
func (p *Process) change() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

// shut closes the connection for the given reason, if it is not closed yet. The
// token of writing is not the caller's.
func (p *Process) shut(reason error) {
	p.mu.Lock()
	if p.err == nil {
		p.err = reason // before a reader finds the connection closed
	}
	p.mu.Unlock()
	p.timer.Stop()
	p.conn.Close()          // ends what blocks
	p.writing <- struct{}{} // whoever writes finds the connection closed
	p.writes.unbind()
	p.release()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reading { // else the reader comes here, too
		p.reads.unbind()
	}
	p.change()
}

// failure makes the structured error of an operation.
func (p *Process) failure(op string, err error) error {
	return &Error{Op: op, Name: p.name.String(), Err: err}
}
