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

// Peer is a virtual client or server. It performs the events of a diagram regardless of
// the other side's behaviour. It reacts to received frames as the protocol requires, or
// as [Peer.Reacts] prescribes.
type Peer struct {
	bench  *Bench
	name   socket.Name
	serves bool
	reacts func(e Event, usual []Event) []Event
	seen   stream.Subject[Event]

	mu       sync.Mutex
	listener net.Listener
	sessions []*session // the open connections
	leaving  bool
	gone     bool
}

// Client declares a client of the name that performs the events of a diagram. It
// connects at ^, or at frame 0 if the diagram has no ^; a server must be listening by
// then. A character makes it send the event that the character stands for. At | it
// asks to close, and closes when the server agrees. At # it dies without a word. Without
// | and # it stays connected until the test ends.
//
// A character stands for the event that values bind to it. Unbound, it stands for itself
// as a message of media type text/plain, except for the signs of control messages:
//
//	<  connection.start      >  connection.start-ok
//	+  ack (5.x)             =  message.received (4.x)
//	:  connection.close      .  connection.close-ok
//	~  heartbeat
//
// Outside its diagram the client answers the handshake and connection.close, and
// acknowledges the messages of a server that speaks the 5.x dialect. It sends no
// heartbeats. It behaves as a client in PHP: it neither answers nor shows the heartbeat
// with which an rxipc server marks itself before connection.start. The test fails when
// the diagram sends an event while the client has no connection. The client waits neither
// for acknowledgements nor for the handshake; with a server that greets at once the
// handshake is complete in the frame of the beginning.
//
// Client must be called at frame 0, before the test waits for anything.
func (b *Bench) Client(name socket.Name, diagram string, values ...map[rune]Event) *Peer {
	b.Helper()
	p := newPeer(b, name, false)
	p.plays(diagram, values)
	return p
}

// Server declares a server of the name that performs the events of a diagram. It listens
// as soon as it is declared, or from ^ on. It performs an event on all connections open
// at that time, one after the other; the test fails when there is none. At | it stops
// listening, asks all clients to close, and closes when they agree. At # it dies. See
// [Bench.Client] for the characters of diagrams.
//
// Outside its diagram the server greets, acknowledges each message at once in the
// dialect of [Bench.Config], and answers connection.close. It sends no heartbeats. It
// behaves as a server in PHP, so clients have one message in flight. [Peer.Reacts] shows
// how to mark it as an rxipc server.
//
// Server must be called at frame 0, before the test waits for anything.
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

// Reacts replaces the peer's reaction to a received event by the events that react
// returns, and returns p. The peer sends them in one write, in the same frame. The
// parameter usual is the reaction that the protocol requires. The zero Event stands for
// the beginning of a connection, to which a server reacts with connection.start. React
// runs on a goroutine of each connection.
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
// A server marked as one of rxipc; its clients have many messages in flight from the
// first on:
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

// Never is for [Peer.Reacts]: with it a client does not answer the handshake, a server
// does not greet, and neither acknowledges messages nor agrees to close. The diagram may
// still send these events.
func Never(Event, []Event) []Event { return nil }

// Received emits the events that the peer receives, from each run's beginning on. It
// includes control messages, but not the marks of rxipc. For a server it merges the
// events of all connections, with _ for a client that left without closing.
//
// It completes when the peer's connection was closed in an orderly way; for a server,
// when it has left and all its connections have ended. It fails with
// [streamtest.ErrFailed] when the peer died, and with an error that is both
// [streamtest.ErrFailed] and [io.ErrUnexpectedEOF] when a client's connection ended in
// any other way. Bytes that are not a frame make it fail with [socket.ErrProtocol], a
// content of more than 64 MiB with [socket.ErrTooLarge].
//
// The peer blocks when a run has 64 events buffered that it has not processed.
func (p *Peer) Received() stream.Observable[Event] { return p.seen.Observe(64, stream.Block) }

// Expect expects the peer to receive exactly the messages that the diagram shows, each in
// its frame, besides control messages. See [Bench.Client] for the characters of diagrams,
// [Peer.Received] for the end, and [streamtest.Expect] for the rest.
func (p *Peer) Expect(diagram string, values ...map[rune]Event) {
	p.bench.Helper()
	messages := operators.Filter(func(e Event) bool {
		_, ok := e.Message()
		return ok
	})
	streamtest.Expect(p.bench.Bench, messages(p.Received()), diagram, names(diagram, values))
}

// ExpectWire is Expect including control messages.
func (p *Peer) ExpectWire(diagram string, values ...map[rune]Event) {
	p.bench.Helper()
	streamtest.Expect(p.bench.Bench, p.Received(), diagram, names(diagram, values))
}

// report fails the test with a message about the peer.
func (p *Peer) report(format string, arguments ...any) {
	who := "client"
	if p.serves {
		who = "server"
	}
	p.bench.Errorf("frame %d: the virtual %s of %v %s", p.bench.Now(), who, p.name, fmt.Sprintf(format, arguments...))
}

// begin connects a client, or makes a server listen.
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

// open adds a connection.
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

// ended removes a connection that has ended with err.
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

// do performs an event on all connections. It does not report the error of a failed
// write, because that depends on which side closed first.
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

// leave stops listening and asks all clients to close.
func (p *Peer) leave() {
	p.mu.Lock()
	p.leaving = true
	sessions := slices.Clone(p.sessions)
	p.mu.Unlock()
	p.stopListening()
	for _, s := range sessions {
		_ = s.perform(closing) // a client that has gone needs no request
	}
	if len(sessions) == 0 {
		p.seen.Complete()
	}
}

// die ends the listener and all connections without a word.
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
