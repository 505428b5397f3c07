package socket

import (
	"context"
	"fmt"
	"math"
	"net"
	"sync"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/fifo"
	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// Process is the client's end of a connection. It sends messages to the other process and waits
// for messages from it. Its methods may be called from any goroutine. A method that waits also
// sends heartbeats and reads all that comes.
//
// Each error is an [*Error] that wraps net.ErrClosed after Close, ErrDisconnected when the
// server closed the connection, io.ErrUnexpectedEOF when the server is gone without a word,
// ErrProtocol or ErrTooLarge when the server broke the protocol or a limit, or the context's
// cause when the context ended first. The connection stays usable after the end of a context.
//
// Lock order: the mu of a Pool or prefetcher, or the write lock of frames, then mu.
type Process struct {
	frames framed.Conn
	debts  debts
	ipc    *IPC // made it
	config *Config
	id     uint64
	name   Name
	peer   fold.Maybe[Peer]

	mu         sync.Mutex
	ours       bool                // the server is of rxipc, too
	reading    bool                // a call reads for all that wait
	clocked    int                 // waiting calls that have started the heartbeats
	came       int64               // when bytes came last, on the clock of frames
	changed    chan struct{}       // closed at the next change; nil: no call waits for one
	inbox      fifo.Queue[Message] // unread messages
	replies    fifo.Queue[reply]   // of the requests, in the order they were sent
	settled    int                 // the first replies, which are decided
	spare      *waiter             // waiters of calls that are over
	answered   int                 // calls that got their answers by the last read
	freed      chan struct{}       // gets a token for each answer that no call awaits any more; nil: none does
	unread     int                 // bytes in both, overhead included
	unasked    bool                // messages for the inbox are dropped
	sent       uint64              // messages written, for the writer
	acked      uint64              // messages acknowledged
	agreed     bool                // the server consented to close
	dialect    wire.Kind           // of the acknowledgements that came; noControl: none yet
	err        error               // why nothing more will come
	closing    bool                // Close was called
	live       bool                // connected, and not disconnected, as the hooks see it
	idle       *time.Timer         // calls readIdle; nil before the handshake, and without heartbeats
	deliveries *deliveryLog        // for the hooks; nil without
}

// reply is the answer to a request, which may still come.
type reply struct {
	number  uint64  // of the request among the messages sent
	by      *waiter // of the call that gets it at once; nil: it is kept until a call claims it
	decided bool    // message came, or err says that none will
	left    bool    // no call awaits it any more
	answer
}

// answer is a response, or why there is none.
type answer struct {
	message Message
	err     error
	loan    *wire.Loan // has the content, if that is lent
}

// span is messages that were written, wholly or in part, by their numbers among all of
// the connection.
type span struct {
	first uint64
	count int
	place uint64 // of the first one's first byte, among all bytes written
}

// overhead is added to the length of each unread message, so that empty ones are limited, too.
const overhead = 64

// unlimited is the limit of unread bytes for a call that makes them fewer, or that closes.
const unlimited = math.MaxInt

// Name returns the name of the process, the zero Name if it was reached without one.
func (p *Process) Name() Name { return p.name }

// ID returns the number of the connection, which no other one of this program has, on
// either side.
func (p *Process) ID() uint64 { return p.id }

// Peer returns the process at the other end, where the system knows it (see [Connection.Peer]):
// the one that made the socket listen, which may be the manager of services.
func (p *Process) Peer() fold.Maybe[Peer] { return p.peer }

// Conn returns the underlying connection, for its addresses and its peer. Reading from it or
// writing to it breaks the protocol.
func (p *Process) Conn() net.Conn { return p.frames.Net }

// InFlight is how many messages were written whose acknowledgements have not been read: of calls
// under way, and of calls that gave up. Acknowledgements are read while a method waits.
func (p *Process) InFlight() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int(p.sent - p.acked)
}

// Unread is how many messages wait for [Process.Wait], and how many bytes all unread messages
// take, counted as [ClientConfig.MaxUnread] limits them. Responses that no call has taken yet
// count in bytes alone.
func (p *Process) Unread() (messages, bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inbox.Len(), p.unread
}

// gone returns why no more messages come, or nil while they may.
func (p *Process) gone() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// late returns the cause of ctx and how long the server has been silent, p.mu held.
func (p *Process) late(ctx context.Context) error {
	silence := time.Duration(p.frames.Now() - p.came).Round(time.Millisecond)
	return fmt.Errorf("%w: nothing came from the server for %v", context.Cause(ctx), silence)
}

// acknowledged returns how many messages of a span are acknowledged, p.mu held.
func (p *Process) acknowledged(s span) int {
	if p.acked < s.first {
		return 0
	}
	return min(int(p.acked-s.first)+1, s.count)
}

// isFree reports whether one more message may be sent, p.mu held. A server that is not of rxipc
// gets the next message once the one before was acknowledged. If it speaks the 5.x dialect, each
// request must have its response, too: it ends when a message comes while it awaits the
// acknowledgement of a response.
func (p *Process) isFree() bool {
	return p.ours || p.acked == p.sent && (p.dialect != wire.KindAck || p.settled == p.replies.Len())
}

// nextChange returns a channel that closes at the next change, p.mu held.
func (p *Process) nextChange() <-chan struct{} {
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return p.changed
}

// change wakes the calls that wait, p.mu held. Each checks its condition again.
func (p *Process) change() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
	if p.err != nil {
		for _, r := range p.replies.All()[p.settled:] {
			if r.by != nil {
				r.by.wake()
			}
		}
	}
}
