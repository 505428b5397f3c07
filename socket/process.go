package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

var (
	// ErrDisconnected says that the other side closed the connection.
	ErrDisconnected = errors.New("the server closed the connection")

	errClosedHere = fmt.Errorf("it was closed from here: %w", net.ErrClosed)

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
	id   uint64
	name Name
	peer fold.Maybe[Peer]

	settling atomic.Bool // the timer runs, or is about to
	timer    *time.Timer // settles what is owed

	mu      sync.Mutex
	reading bool          // a goroutine reads for all
	clocked int           // how many wait that have read
	came    int64         // when something came last, on the pulse's clock
	changed chan struct{} // closed at the next change; made by who waits for it
	started bool          // connection.start came
	inbox   fifo[Message] // came and is unread
	replies fifo[reply]   // what requests await, in the order they were sent
	settled int           // of those, how many are decided
	unread  int           // bytes in both, overhead included
	unasked bool          // messages for the inbox are dropped
	sent    uint64        // messages written, for the writer
	acked   uint64        // of those, acknowledged
	agreed  bool          // the server consented to close
	dialect wire.Kind     // of the acknowledgements that came; noControl: none yet
	err     error         // why nothing more will come
	closing bool          // Close was called
	live    bool          // connected, and not disconnected, as the hooks see it
	ledger  *ledger       // for the hooks; nil without
}

func newProcess(conn net.Conn, name Name, config *Config) *Process {
	p := &Process{
		link:   newLink(conn, config, newPulse(config)),
		id:     connectionIDs.Add(1),
		name:   name,
		peer:   knownPeer(conn),
		ledger: newLedger(&config.Hooks),
	}
	p.greeted = true // it is up to the context how long that may take
	p.came = p.pulse.now()
	p.pulse.join(&p.link)
	p.timer = time.AfterFunc(time.Hour, p.settleNow)
	p.timer.Stop()
	return p
}

// Name returns the name of the process, the zero Name if it was reached without one.
func (p *Process) Name() Name { return p.name }

// Conn returns the connection beneath, for its addresses and for who is behind it.
// Reading from it or writing to it breaks the protocol.
func (p *Process) Conn() net.Conn { return p.conn }

// Wait gives the next message from the process that has not been read, waiting for
// it until ctx ends.
func (p *Process) Wait(ctx context.Context) fold.Attempt[Message] {
	var m Message
	err := p.await(ctx, unlimited, func() bool {
		if p.inbox.len() == 0 {
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
				return gaveUp(ctx, err)
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
		p.tryWrite(wire.KindClose)
		return err
	}
	p.settle()
	p.out.AddControl(wire.KindClose)
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

// failure makes the structured error of an operation.
func (p *Process) failure(op string, err error) error {
	var failed *SendError
	sent := errors.As(err, &failed)
	switch {
	case err == net.ErrClosed:
		err = errClosedHere
	case sent && failed.Err == net.ErrClosed:
		failed.Err = errClosedHere
	case sent && op == "send" && p.mayHaveCrossed(failed.Err):
		failed.Err = fmt.Errorf("%w (%s)", failed.Err, crossed)
	}
	return &Error{Op: op, Name: p.name.String(), Err: err}
}

// crossed is what may have ended a server of innmind/ipc 5.x.
const crossed = "a server of innmind/ipc 5.x that responds ends when the next message comes before its response is acknowledged, " +
	"which Request, RequestAll and Pool see to and Send cannot"

// mayHaveCrossed reports whether the server may be gone because of that.
func (p *Process) mayHaveCrossed(err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.ours && p.dialect == wire.KindAck && p.sent > 1 && isGone(err)
}

// shut closes the connection for the given reason, if it is not closed yet. The
// baton of writing is not the caller's.
func (p *Process) shut(reason error) {
	p.mu.Lock()
	if p.err == nil {
		p.err = reason // before a reader finds the connection closed
	}
	p.mu.Unlock()
	p.timer.Stop()
	p.pulse.leave(&p.link)
	p.conn.Close()                       // ends what blocks
	p.writing.take(context.Background()) // whoever writes finds the connection closed
	p.writes.unbind()
	p.release()
	p.disconnected()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reading { // else the reader comes here, too
		p.endReading()
	}
	p.change()
}
