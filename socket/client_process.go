package socket

import (
	"context"
	"fmt"
	"math"
	"net"
	"sync"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/wire"
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
	frames framed.Conn
	debts  debts
	config *Config
	id     uint64
	name   Name
	peer   fold.Maybe[Peer]

	mu         sync.Mutex
	ours       bool          // the server is of rxipc, too
	reading    bool          // a goroutine reads for all
	clocked    int           // how many wait that have read
	came       int64         // when something came last, on the pulse's clock
	changed    chan struct{} // closed at the next change; made by who waits for it
	inbox      fifo[Message] // came and is unread
	replies    fifo[reply]   // what requests await, in the order they were sent
	settled    int           // of those, how many are decided
	unread     int           // bytes in both, overhead included
	unasked    bool          // messages for the inbox are dropped
	sent       uint64        // messages written, for the writer
	acked      uint64        // of those, acknowledged
	agreed     bool          // the server consented to close
	dialect    wire.Kind     // of the acknowledgements that came; noControl: none yet
	err        error         // why nothing more will come
	closing    bool          // Close was called
	live       bool          // connected, and not disconnected, as the hooks see it
	deliveries *deliveryLog  // for the hooks; nil without
}

// reply is what a request awaits.
type reply struct {
	number  uint64 // of the request among the messages sent
	decided bool   // message came, or err says that none will
	left    bool   // nobody awaits it, any more or at all
	answer
}

// answer is a response, or why there is none.
type answer struct {
	message Message
	err     error
}

// span is messages that were written, wholly or in part, by their numbers among all of
// the connection.
type span struct {
	first uint64
	count int
}

// overhead is what an unread message counts beside its content, so that empty ones
// are bounded, too.
const overhead = 64

// unlimited is the limit of unread bytes for a call that makes them fewer, or that closes.
const unlimited = math.MaxInt

// Name returns the name of the process, the zero Name if it was reached without one.
func (p *Process) Name() Name { return p.name }

// ID returns the number of the connection, which no other one of this program has, on
// either side.
func (p *Process) ID() uint64 { return p.id }

// Peer tells who the server is, as Connection.Peer tells who the client is: the
// process that made the socket listen, which is the manager of services where that
// made it.
func (p *Process) Peer() fold.Maybe[Peer] { return p.peer }

// Conn returns the connection beneath, for its addresses and for who is behind it.
// Reading from it or writing to it breaks the protocol.
func (p *Process) Conn() net.Conn { return p.frames.Net }

// InFlight is how many messages were written and are not known to be acknowledged: those
// of a Send that is under way, or that gave up on them. Acknowledgements are taken in
// while something waits.
func (p *Process) InFlight() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int(p.sent - p.acked)
}

// Unread is how many messages wait for [Process.Wait], and how many bytes all take that
// came and are unread, counted as [ClientConfig.MaxUnread] bounds them: responses that nobody
// has taken yet are among those.
func (p *Process) Unread() (messages, bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inbox.len(), p.unread
}

// gone is why nothing more comes, nil while something may.
func (p *Process) gone() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// late is the end of ctx, and since when the server has been silent, p.mu held.
func (p *Process) late(ctx context.Context) error {
	silence := time.Duration(p.frames.Now() - p.came).Round(time.Millisecond)
	return fmt.Errorf("%w: nothing came from the server for %v", context.Cause(ctx), silence)
}

// acknowledged is how many of a span are acknowledged, p.mu held.
func (p *Process) acknowledged(s span) int {
	if p.acked < s.first {
		return 0
	}
	return min(int(p.acked-s.first)+1, s.count)
}

// isFree reports whether one more message may be sent, p.mu held. To a server that is not
// of ours the next one is sent once the one before was acknowledged, and if it speaks the
// 5.x dialect, once each request was responded to: it ends when a message reaches it where
// it awaits the acknowledgement of its response.
func (p *Process) isFree() bool {
	return p.ours || p.acked == p.sent && (p.dialect != wire.KindAck || p.settled == p.replies.len())
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
