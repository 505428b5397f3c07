package sockettest

import (
	"strings"
	"testing"
	"time"

	"github.com/rxipc/rxipc/socket"
)

func TestEventsAreSpelled(t *testing.T) {
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

func TestControlMessagesAreNoMessages(t *testing.T) {
	for sign, e := range signs {
		if m, ok := e.Message(); ok {
			t.Errorf("%c is %v", sign, m)
		}
	}
	if m, ok := Text("a").Message(); m != socket.Text("a") || !ok {
		t.Error(m, ok)
	}
	for _, e := range []Event{{}, Bytes("a"), Die(), StopReading()} {
		if m, ok := e.Message(); ok {
			t.Errorf("%v is %v", e, m)
		}
	}
	if Text("innmind/ipc:ack") != Ack() {
		t.Error("there are two acknowledgements")
	}
}

// The bytes are those of the protocol's description.
func TestFramesAreThoseOfTheProtocol(t *testing.T) {
	if got, want := Heartbeat().wire(), "\x00\x0atext/plain\x00\x00\x00\x15innmind/ipc:heartbeat\xCE"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("more was cut off than there is")
		}
	}()
	Cut(Text("a"), -100)
}
