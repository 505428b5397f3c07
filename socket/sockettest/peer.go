package sockettest

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// Peer is a virtual client or server: it does what a diagram shows, whatever the
// other side does, and reacts to that as the protocol says, or as it was told.
type Peer struct {
	bench  *Bench
	name   socket.Name
	serves bool
	reacts func(e Event, usual []Event) []Event
	seen   stream.Subject[Event]

	mu       sync.Mutex
	listener net.Listener
	sessions []*session // those that are open
	leaving  bool
	gone     bool
}

// Client is a client of the name that does what the diagram shows. It connects at ^,
// at frame 0 if there is none, when whoever is to serve it must be listening. In the
// frame of a name it sends the event that the name stands for; at | it asks to
// close, and closes when the server agrees; at # it dies, without a word. After a
// diagram with neither it stays connected until the test is through.
//
// Names stand for what values bind them to. Unbound, they stand for themselves as
// messages of media type text/plain, but for the signs of control messages:
//
//	<  connection.start      >  connection.start-ok
//	+  ack (5.x)             =  message.received (4.x)
//	:  connection.close      .  connection.close-ok
//	~  heartbeat
//
// By itself the client answers the handshake and connection.close, and acknowledges
// messages of a server that speaks the 5.x dialect. It sends no heartbeats. It is one of
// PHP: it does not answer the mark of a server of rxipc, the heartbeat before
// connection.start, and does not show it. When its
// diagram sends something while there is no connection, the test fails. What it does
// waits for nothing: neither for an acknowledgement, nor for the handshake, which is
// through in the frame of the beginning with a server that greets at once.
//
// It is declared at frame 0, before the test waits for anything.
func (b *Bench) Client(name socket.Name, diagram string, values ...map[rune]Event) *Peer {
	b.Helper()
	p := newPeer(b, name, false)
	p.plays(diagram, values)
	return p
}

// Server is a server of the name that does what the diagram shows. It listens from
// now on, or from ^ on. What it does concerns all who are connected then, one after
// the other; when nobody is, the test fails. At | it stops listening, asks all to
// close, and closes when they agree; at # it dies. See [Bench.Client] for names.
//
// By itself it greets, acknowledges each message at once, in the dialect of
// [Bench.Config], and answers connection.close. It sends no heartbeats. It is one of PHP,
// so that clients have one message in flight; [Peer.Reacts] shows how to mark it as one of
// rxipc. It is declared
// at frame 0, before the test waits for anything.
func (b *Bench) Server(name socket.Name, diagram string, values ...map[rune]Event) *Peer {
	b.Helper()
	p := newPeer(b, name, true)
	p.plays(diagram, values)
	return p
}

func newPeer(b *Bench, name socket.Name, serves bool) *Peer {
	p := &Peer{bench: b, name: name, serves: serves}
	p.reacts = func(_ Event, usual []Event) []Event { return usual }
	context.AfterFunc(b.Context(), p.die)
	return p
}

// Reacts replaces how the peer reacts to what it receives: with the events that react
// returns, in one write, in the same frame. Usual is what the protocol asks for. The
// zero Event stands for the beginning of a connection, which a server greets with
// connection.start. It is called on a goroutine of each connection, and returns p.
//
// A server that responds:
//
//	b.Server(name, "").Reacts(func(e sockettest.Event, usual []sockettest.Event) []sockettest.Event {
//		if m, ok := e.Message(); ok {
//			return append(usual, sockettest.Message(m))
//		}
//		return usual
//	})
//
// One of rxipc, whose clients have many messages in flight from the first one on:
//
//	b.Server(name, "").Reacts(func(e sockettest.Event, usual []sockettest.Event) []sockettest.Event {
//		if (e == sockettest.Event{}) {
//			return append([]sockettest.Event{sockettest.Heartbeat()}, usual...)
//		}
//		return usual
//	})
//
// [Never] is a peer that reacts to nothing.
func (p *Peer) Reacts(react func(e Event, usual []Event) []Event) *Peer {
	p.reacts = react
	return p
}

// Never is for [Peer.Reacts]: a client that does not answer the handshake, a server
// that does not greet, and neither acknowledges nor agrees to close. The diagram may
// do so.
func Never(Event, []Event) []Event { return nil }

// Received is what the peer receives, control messages included but for the marks of
// rxipc, from each run's beginning on; of a server, from all who are connected, and with _ for one that left
// without having closed.
//
// It completes when the peer's connection was closed in an orderly way; a server's,
// when it has left and all its connections have ended. It fails with an error that
// is [streamtest.ErrFailed] when the peer died, or when the connection of a client
// ended otherwise; then that is [io.ErrUnexpectedEOF], too. When it received what is
// no frame it fails with an error that is [socket.ErrProtocol] or, for a content of
// more than 64 MiB, [socket.ErrTooLarge].
//
// A run that does not keep up makes the peer wait once 64 events are held back.
func (p *Peer) Received() stream.Observable[Event] { return p.seen.Observe(64, stream.Block) }

// Expect expects the peer to receive the messages that the diagram shows, each in its
// frame, and nothing else but control messages. See [Bench.Client] for names,
// [Peer.Received] for the end, and [streamtest.Expect] for the rest.
func (p *Peer) Expect(diagram string, values ...map[rune]Event) {
	p.bench.Helper()
	messages := operators.Filter(func(e Event) bool {
		_, ok := e.Message()
		return ok
	})
	streamtest.Expect(p.bench.Bench, messages(p.Received()), diagram, names(diagram, values))
}

// ExpectWire is Expect with control messages.
func (p *Peer) ExpectWire(diagram string, values ...map[rune]Event) {
	p.bench.Helper()
	streamtest.Expect(p.bench.Bench, p.Received(), diagram, names(diagram, values))
}

// report fails the test.
func (p *Peer) report(format string, arguments ...any) {
	who := "client"
	if p.serves {
		who = "server"
	}
	p.bench.Errorf("frame %d: the virtual %s of %v %s", p.bench.Now(), who, p.name, fmt.Sprintf(format, arguments...))
}

// begin connects or listens.
func (p *Peer) begin() {
	ctx, transport := p.bench.Context(), p.bench.Config.Transport
	if !p.serves {
		conn, err := transport.Dial(ctx, p.name)
		if err != nil {
			p.report("cannot connect: %v", err)
			p.seen.Error(err)
			return
		}
		p.open(conn)
		return
	}
	listener, err := transport.Listen(ctx, p.name)
	if err != nil {
		p.report("cannot listen: %v", err)
		p.seen.Error(err)
		return
	}
	p.mu.Lock()
	p.listener = listener
	p.mu.Unlock()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.open(conn)
		}
	}()
}

// open begins a connection.
func (p *Peer) open(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone || p.leaving {
		conn.Close()
		return
	}
	s := newSession(p, conn)
	p.sessions = append(p.sessions, s)
	go func() {
		err := s.run()
		p.ended(s, err)
	}()
}

// ended notes that a connection has, and how.
func (p *Peer) ended(s *session, err error) {
	p.mu.Lock()
	p.sessions = slices.DeleteFunc(p.sessions, func(other *session) bool { return other == s })
	last := !p.serves || p.leaving && len(p.sessions) == 0
	p.mu.Unlock()
	if p.serves && err == errGone {
		p.seen.Next(Event{act: hangsUp})
	}
	if p.serves && (err == errGone || err == errDied) {
		err = nil
	}
	if last || err != nil {
		p.seen.Error(err)
	}
}

// do does an event on all connections. Why a write failed depends on who was quicker,
// so it is not told.
func (p *Peer) do(ctx context.Context, e Event) {
	p.mu.Lock()
	sessions := slices.Clone(p.sessions)
	p.mu.Unlock()
	if len(sessions) == 0 && e.act != dies {
		p.report("has no connection for %v", e)
	}
	for _, s := range sessions {
		if s.perform(e) != nil && ctx.Err() == nil {
			p.report("cannot send %v: the connection ended before it had left", e)
		}
	}
}

// leave asks all to close.
func (p *Peer) leave() {
	p.mu.Lock()
	p.leaving = true
	sessions := slices.Clone(p.sessions)
	p.mu.Unlock()
	p.stopListening()
	for _, s := range sessions {
		_ = s.perform(closing) // to one that is gone it need not be said
	}
	if len(sessions) == 0 {
		p.seen.Complete()
	}
}

// die ends all that there is.
func (p *Peer) die() {
	p.mu.Lock()
	p.gone = true
	sessions := slices.Clone(p.sessions)
	p.mu.Unlock()
	p.stopListening()
	for _, s := range sessions {
		s.die()
	}
	p.seen.Error(errDied)
}

func (p *Peer) stopListening() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		p.listener.Close()
	}
}

var (
	errDied = fmt.Errorf("%w: the peer died", streamtest.ErrFailed)
	errGone = fmt.Errorf("%w: %w", streamtest.ErrFailed, io.ErrUnexpectedEOF)
)
