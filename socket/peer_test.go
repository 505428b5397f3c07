package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// shortKinds are the control messages as tests spell them.
var shortKinds = map[wire.Kind]string{
	wire.KindStart: "start", wire.KindStartOK: "start-ok", wire.KindReceived: "received", wire.KindAck: "ack",
	wire.KindHeartbeat: "heartbeat", wire.KindClose: "close", wire.KindCloseOK: "close-ok",
}

// describe spells a frame: a control message by its short name, a text quoted.
func describe(f wire.Frame) string {
	if f.Kind == wire.KindClose && f.Message.MediaType != "" {
		return "close: " + strings.TrimPrefix(f.Message.MediaType, wire.TextPlain+"; ")
	}
	if f.Kind != wire.KindMessage {
		return shortKinds[f.Kind]
	}
	content := f.Message.Content
	if len(content) > 40 {
		content = fmt.Sprintf("%d bytes", len(content))
	}
	if f.Message.MediaType != wire.TextPlain {
		return fmt.Sprintf("%s %q", f.Message.MediaType, content)
	}
	return fmt.Sprintf("%q", content)
}

// describeMessage spells a message as describe does.
func describeMessage(m Message) string { return describe(wire.Frame{Message: m.wire()}) }

// decoded spells the frames of each chunk, one chunk a string.
func decoded(chunks []string) (all []string) {
	for _, chunk := range chunks {
		frames, err := readAll(strings.NewReader(chunk), 1<<30)
		var words []string
		for _, f := range frames {
			words = append(words, describe(f))
		}
		if err != nil {
			words = append(words, err.Error())
		}
		all = append(all, strings.Join(words, " "))
	}
	return all
}

// peer is the other side of a connection, played by hand.
type peer struct {
	t      testing.TB
	conn   net.Conn
	reader *wire.Reader
	heard  bool // a frame came, but for the mark of a server of ours
}

func newPeer(t testing.TB, conn net.Conn) *peer {
	p := &peer{t: t, conn: conn, reader: &wire.Reader{Limit: 1 << 30}}
	p.reader.Extended = true
	return p
}

// acceptPeer accepts a connection to a server, one of ours, that is played by hand.
func acceptPeer(t testing.TB, listener net.Listener) *peer {
	t.Helper()
	conn, err := listener.Accept()
	if err != nil {
		panic(err) // it may be on a goroutine of the test
	}
	server := newPeer(t, conn)
	server.send(wire.KindHeartbeat, wire.KindStart)
	return server
}

// encode makes bytes of control messages, messages, texts and raw bytes.
func encode(parts ...any) (out []byte) {
	for _, part := range parts {
		switch part := part.(type) {
		case wire.Kind:
			out = append(out, part.Frame()...)
		case Message:
			out = wire.AppendFrame(out, part.wire())
		case string:
			out = wire.AppendFrame(out, Text(part).wire())
		case []byte:
			out = append(out, part...)
		default:
			panic(part)
		}
	}
	return out
}

// send sends parts in one write.
func (p *peer) send(parts ...any) {
	p.t.Helper()
	if _, err := p.conn.Write(encode(parts...)); err != nil {
		p.t.Errorf("send: %v", err)
	}
}

// sendBytewise sends parts one byte a write.
func (p *peer) sendBytewise(parts ...any) {
	p.t.Helper()
	for _, b := range encode(parts...) {
		p.send([]byte{b})
	}
}

// next describes the next frame, or the end. Like PHP it passes over a heartbeat that
// comes first.
func (p *peer) next() string {
	p.conn.SetReadDeadline(time.Now().Add(time.Hour))
	f, err := p.reader.ReadFrame(p.conn)
	if !p.heard && err == nil && f.Kind == wire.KindHeartbeat {
		f, err = p.reader.ReadFrame(p.conn)
	}
	p.heard = true
	switch {
	case errors.Is(err, io.EOF):
		return "EOF"
	case err != nil:
		return err.Error()
	}
	return describe(f)
}

// expect reads the frames that come next.
func (p *peer) expect(want ...string) {
	p.t.Helper()
	for _, w := range want {
		if got := p.next(); got != w {
			p.t.Errorf("received %s, want %s", got, w)
		}
	}
}

// greet does the client's side of the handshake.
func (p *peer) greet() *peer {
	p.t.Helper()
	p.expect("start")
	p.send(wire.KindStartOK)
	return p
}

// leave does the client's side of an orderly close.
func (p *peer) leave() {
	p.t.Helper()
	p.send(wire.KindClose)
	p.expect("close-ok", "EOF")
	p.conn.Close()
}

// served is a server on a listener in memory, and what its handler was given.
type served[C any] struct {
	t        *testing.T
	listener *memoryListener
	limit    int // of the pipes
	end      context.CancelFunc
	result   chan fold.Attempt[C]

	mu   sync.Mutex
	seen []string
}

// serve runs a server until its end or that of the test.
func serve[C any](t *testing.T, config Config, monoid fold.Monoid[C], handle Handler[C], change ...func(Server[C]) Server[C]) *served[C] {
	ctx, cancel := context.WithCancel(t.Context())
	s := &served[C]{t: t, listener: newMemoryListener(), end: cancel, result: make(chan fold.Attempt[C], 1)}
	server := ServeConnections(New(config).Accept(s.listener), monoid)
	for _, f := range change {
		server = f(server)
	}
	go func() {
		s.result <- server.With(ctx, func(m Message, c Continuation[C], carry C) Continuation[C] {
			s.mu.Lock()
			s.seen = append(s.seen, m.Content())
			s.mu.Unlock()
			return handle(m, c, carry)
		})
	}()
	return s
}

// dial connects a client played by hand.
func (s *served[C]) dial() *peer {
	s.t.Helper()
	conn, err := s.listener.dial(s.limit)
	if err != nil {
		s.t.Fatalf("dial the server: %v", err)
	}
	return newPeer(s.t, conn)
}

// handled is what the handler was given.
func (s *served[C]) handled() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// echo answers as the recorded servers do, and counts.
func echo(m Message, c Continuation[int], count int) Continuation[int] {
	return c.Respond(NewMessage(m.MediaType(), "echo: "+m.Content())).CarryWith(count + 1)
}

// attached is a Process whose server, one of ours, is played by hand.
func attached(t testing.TB, config Config, limit int) (*Process, *peer) {
	t.Helper()
	ours, theirs := newPipe(limit)
	server := newPeer(t, theirs)
	go server.send(wire.KindHeartbeat, wire.KindStart)
	p, err := New(config).Attach(t.Context(), ours).Get()
	if err != nil {
		t.Fatalf("attach to the server: %v", err)
	}
	return p, server
}

// newRandom is a source of random numbers that a seed determines.
func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
