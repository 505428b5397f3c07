package sockettest

import (
	"strings"
	"testing"
	"time"

	"github.com/rxipc/rxipc/socket"
)

func TestEventString(t *testing.T) {
	for want, e := range map[string]Event{
		"connection":                   {},
		"connection.start":             Start(),
		"connection.start-ok":          StartOK(),
		"ack":                          Ack(),
		"message.received":             Received(),
		"heartbeat":                    Heartbeat(),
		"connection.close":             Close(),
		"connection.close-ok":          CloseOK(),
		`"a"`:                          Text("a"),
		`"ack"`:                        Text("ack"),
		`application/json "{}"`:        Message(socket.NewMessage(socket.JSON(), "{}")),
		`bytes "a\xce"`:                Bytes("a\xCE"),
		`bytes "ab", 1s apart`:         Trickle(Bytes("ab"), time.Second),
		`bytes "abc"`:                  Together(Bytes("a"), Bytes("bc")),
		`death behind the bytes "a"`:   Cut(Bytes("ab"), 1),
		`death behind the bytes "abc"`: Cut(Bytes("abcd"), -1),
		"death":                        Die(),
		"hang-up":                      {act: hangsUp},
		"no more reading":              StopReading(),
		"reading on":                   ReadOn(),
		`"` + x(60) + `"… (61 bytes)`:  Text(x(61)),
		`"innmind/ipc:heartbeat "`:     Text("innmind/ipc:heartbeat "),
		`text/html "innmind/ipc:ack"`:  Message(socket.NewMessage(socket.MustParseMediaType("text/html"), "innmind/ipc:ack")),
		`"` + x(59) + "\\n" + `"`:      Text(x(59) + "\n"),
		`death behind the bytes "` + "\\x00\\n" + `"`: Cut(Text("a"), 2),
	} {
		if got := e.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got, want := Text(x(61)).whole(), `"`+x(61)+`"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func x(n int) string { return strings.Repeat("x", n) }

func TestEventMessageOmitsControlMessages(t *testing.T) {
	for sign, e := range signs {
		if m, ok := e.Message(); ok {
			t.Errorf("message of the control message %c: got %v, want none", sign, m)
		}
	}
	if m, ok := Text("a").Message(); m != socket.Text("a") || !ok {
		t.Errorf(`message of Text("a"): got %v, %v, want text/plain "a"`, m, ok)
	}
	for _, e := range []Event{{}, Bytes("a"), Die(), StopReading()} {
		if m, ok := e.Message(); ok {
			t.Errorf("message of the event %v: got %v, want none", e, m)
		}
	}
	if Text("innmind/ipc:ack") != Ack() {
		t.Errorf("Text with the content of ack: got %v, want an event that equals Ack()", Text("innmind/ipc:ack"))
	}
}

// The expected bytes are copied from PROTOCOL.md.
func TestEventWireIsTheFrameOfTheProtocol(t *testing.T) {
	if got, want := Heartbeat().wire(), "\x00\x0atext/plain\x00\x00\x00\x15innmind/ipc:heartbeat\xCE"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("Cut of more bytes than the event has: got no panic, want one")
		}
	}()
	Cut(Text("a"), -100)
}
