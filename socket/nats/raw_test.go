package nats

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats/broker"
)

// raw is a client that writes the messages of a session itself.
type raw struct {
	*testing.T
	nats   *nats.Conn
	inbox  *nats.Subscription
	to     string
	server net.Conn
}

// openRaw opens a session with a listener.
func openRaw(t *testing.T, config Config) *raw {
	t.Helper()
	b, err := broker.Start("")
	if err != nil {
		t.Fatalf("start a broker: %v", err)
	}
	t.Cleanup(func() { b.Close() })
	connect := func() *nats.Conn {
		conn, err := b.Connect()
		if err != nil {
			t.Fatalf("connect: %v", err)
		}
		t.Cleanup(conn.Close)
		return conn
	}
	l, err := Transport(connect(), config).Listen(t.Context(), socket.MustParseName("counter"))
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	t.Cleanup(func() { l.Close() })
	r := &raw{T: t, nats: connect()}
	if r.inbox, err = r.nats.SubscribeSync("rxipc.to.raw.link.*.*"); err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	r.publish("rxipc.open.counter.raw", openMessage(1<<20))
	f, m := r.next()
	if f.flags != flagAccept || f.position != 0 || f.limit != firstWindow {
		t.Fatalf("the first message of the server: got %+v, want an accept with the first window", f)
	}
	r.to = cutLast(m.Reply) + "raw"
	if r.server, err = l.Accept(); err != nil {
		t.Fatalf("accept: %v", err)
	}
	return r
}

func (r *raw) publish(subject string, message []byte) {
	r.Helper()
	if err := r.nats.PublishRequest(subject, "rxipc.to.raw.link.session._", message); err != nil {
		r.Fatalf("publish to %s: %v", subject, err)
	}
}

func (r *raw) send(f frame) {
	r.Helper()
	r.publish(r.to, f.message())
}

func (f frame) message() []byte {
	m := append(make([]byte, headerLen), f.data...)
	f.putHeader(m)
	return m
}

func (r *raw) next() (frame, *nats.Msg) {
	r.Helper()
	m, err := r.inbox.NextMsgWithContext(r.Context())
	if err != nil {
		r.Fatalf("wait for a message of the server: %v", err)
	}
	f, ok := parseFrame(m.Data)
	if !ok {
		r.Fatalf("a message of the server: got %q, want a header", m.Data)
	}
	return f, m
}

func (r *raw) read(want string) {
	r.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r.server, got); err != nil || string(got) != want {
		r.Errorf("read at the server: got %q, %v, want %q", got, err, want)
	}
}

// cut checks that the session was cut, at both sides, and why.
func (r *raw) cut(what, why string) {
	r.Helper()
	if f, _ := r.next(); f.flags&flagReset == 0 || !strings.Contains(string(f.data), why) {
		r.Errorf("%s: got the message %+v, want a reset because %s", what, f, why)
	}
	_, err := r.server.Read(make([]byte, 1))
	if !errors.Is(err, syscall.ECONNRESET) || !strings.Contains(err.Error(), why) {
		r.Errorf("%s: the server's Read got %v, want ECONNRESET because %s", what, err, why)
	}
	_, err = r.server.Write([]byte("x"))
	if !errors.Is(err, syscall.ECONNRESET) {
		r.Errorf("%s: the server's Write got %v, want ECONNRESET", what, err)
	}
	r.send(frame{})
	if f, _ := r.next(); f.flags&flagReset == 0 || !strings.Contains(string(f.data), "unknown") {
		r.Errorf("send after the session was cut: got %+v, want a reset because the session is unknown", f)
	}
}

// The bytes before a lost message are read, and then the session is cut.
func TestConnCutByALostMessage(t *testing.T) {
	r := openRaw(t, Config{})
	r.send(frame{data: []byte("one")})
	r.send(frame{position: 2 * (3 + messageCost), data: []byte("three")})
	r.read("one")
	r.cut("lose a message", "bytes were lost")
}

// A sign of life shows that the last message was lost.
func TestConnCutByALostLastMessage(t *testing.T) {
	r := openRaw(t, Config{})
	r.send(frame{flags: flagPing, position: 3 + messageCost})
	r.cut("lose the last message", "bytes were lost")
}

func TestConnCutByAMessageThatCameTwice(t *testing.T) {
	r := openRaw(t, Config{})
	r.send(frame{data: []byte("one")})
	r.send(frame{data: []byte("one")})
	r.read("one")
	r.cut("send a message twice", "bytes were lost")
}

func TestConnCutBeyondItsWindow(t *testing.T) {
	r := openRaw(t, Config{})
	r.send(frame{data: make([]byte, firstWindow)})
	r.cut("send more than the window", "more than its window")
}

func TestConnAnswersASignOfLife(t *testing.T) {
	r := openRaw(t, Config{})
	r.send(frame{flags: flagPing})
	if f, _ := r.next(); f.flags != flagPong {
		t.Errorf("ask for a sign of life: got %+v, want it", f)
	}
}

// A period may end for a session that has just been closed.
func TestConnTickAfterClose(t *testing.T) {
	r := openRaw(t, Config{})
	r.server.Close()
	if f, _ := r.next(); f.flags != flagClose {
		t.Errorf("close: got the message %+v, want the end", f)
	}
	for range silentPeriods {
		r.server.(*Conn).tick()
	}
	r.send(frame{flags: flagPing})
	if f, _ := r.next(); f.flags&flagReset == 0 {
		t.Errorf("ask a session for a sign of life, some periods after it was closed: got %+v, want a reset", f)
	}
}

// Messages that another user sends to a session, and what is no message, change nothing.
func TestConnIgnoresStrangers(t *testing.T) {
	r := openRaw(t, Config{User: "server"})
	r.publish(cutLast(r.to)+"stranger", frame{data: []byte("evil")}.message())
	r.publish(r.to, []byte("short"))
	r.publish("rxipc.open.counter.raw", []byte("no open message"))
	if f, _ := r.next(); f.flags&flagReset == 0 {
		t.Errorf("open a session in an unknown format: got %+v, want a reset", f)
	}
	r.send(frame{data: []byte("good")})
	r.read("good")
}

// A server answers only to subjects of sessions: a client cannot make it publish elsewhere.
func TestListenerAnswersOnlyToSessions(t *testing.T) {
	r := openRaw(t, Config{})
	elsewhere, err := r.nats.SubscribeSync("elsewhere.>")
	if err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	for subject, message := range map[string][]byte{
		"rxipc.open.counter.raw": openMessage(1),
		"rxipc.names.raw":        nil,
		"rxipc.who.counter.raw":  []byte("ca" + "zzzzzzzzzzzzzz"),
		cutLast(strings.TrimSuffix(cutLast(r.to), ".")) + "unknown.raw": frame{}.message(),
	} {
		if err := r.nats.PublishRequest(subject, "elsewhere.a.b", message); err != nil {
			t.Fatalf("publish: %v", err)
		}
	}
	r.send(frame{flags: flagPing}) // the server answers messages in their order
	r.next()
	if err := r.nats.Flush(); err != nil {
		t.Fatalf("flush: %v", err)
	}
	if n, _, _ := elsewhere.Pending(); n != 0 {
		m, _ := elsewhere.NextMsgWithContext(t.Context())
		t.Errorf("ask with a reply subject that is no session's: got %d answers, the first one %+v, want none", n, m)
	}
}

func TestListenerWithAFullBacklog(t *testing.T) {
	r := openRaw(t, Config{Backlog: 1})
	r.publish("rxipc.open.counter.raw", openMessage(1<<20))
	if f, _ := r.next(); f.flags != flagAccept {
		t.Errorf("open a session that can wait: got %+v, want an accept", f)
	}
	r.publish("rxipc.open.counter.raw", openMessage(1<<20))
	if f, _ := r.next(); f.flags != flagBusy {
		t.Errorf("open a session beyond the backlog: got %+v, want that the server is busy", f)
	}
	_, err := Transport(r.nats, Config{}).Dial(t.Context(), socket.MustParseName("counter"))
	if !errors.Is(err, socket.ErrBusy) {
		t.Errorf("dial beyond the backlog: got %v, want socket.ErrBusy", err)
	}
}

// Any messages leave a session in order, or cut it.
func TestConnTakesAnyMessages(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	positions := []uint64{0, 1, messageCost + 1, 2 * (messageCost + 1), firstWindow, 1 << 63, 1<<64 - 1}
	for range 20_000 {
		l := &link{subjects: newSubjects("rxipc", nobody), config: Config{}.withDefaults(), receivers: make(map[string]receiver), wake: make(chan struct{}, 1)}
		l.maxPayload.Store(1 << 20)
		l.buffers.New = func() any { return new(make([]byte, headerLen)) }
		c := newConn(l, "session", "here", "there")
		c.to, c.reply = "rxipc.to._.link.other._", "rxipc.to._.link.session._"
		l.add("session", c)
		var sent []frame
		for range 4 {
			f := frame{
				flags:    byte(chance.IntN(256) & chance.IntN(256)),
				position: positions[chance.IntN(len(positions))],
				limit:    positions[chance.IntN(len(positions))],
				data:     make([]byte, chance.IntN(3)),
			}
			sent = append(sent, f)
			c.receive(&nats.Msg{Subject: c.reply, Data: f.message()[:chance.IntN(3)*headerLen/2+len(f.data)]})
			c.receive(&nats.Msg{Subject: c.reply, Data: f.message()})
		}
		if room := c.room(); room > piece {
			t.Fatalf("room for the next message after %+v: got %d bytes, want at most %d", sent, room, piece)
		}
		if c.received > c.told && c.err == nil {
			t.Fatalf("received after %+v: got %d bytes, want at most the %d of the window, or a cut", sent, c.received, c.told)
		}
	}
}
