package socket

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// replay is a connection whose peer says the same again and again, and reads all.
type replay struct {
	net.Conn
	text  []byte
	left  int // times
	place int
}

func (r *replay) Read(p []byte) (int, error) {
	if r.place == len(r.text) {
		if r.left--; r.left <= 0 {
			return 0, io.EOF
		}
		r.place = 0
	}
	n := copy(p, r.text[r.place:])
	r.place += n
	return n, nil
}

func (r *replay) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkHandle is the time that a server takes for a message among many, without the
// system's part.
func BenchmarkHandle(b *testing.B) {
	const run = 1000
	message := wire.AppendFrame(nil, NewMessage(OctetStream(), string(make([]byte, 32))).wire())
	for _, bench := range []struct {
		name   string
		handle Handler[int]
	}{
		{"counted", func(m Message, c Continuation[int], n int) Continuation[int] { return c.CarryWith(n + 1) }},
		{"answered", func(m Message, c Continuation[int], n int) Continuation[int] { return c.Respond(m).CarryWith(n + 1) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			beneath, _ := net.Pipe()
			text := append([]byte(wire.KindStartOK.Frame()), bytes.Repeat(message, run)...)
			conn := &replay{Conn: beneath, text: text, left: b.N/run + 1}
			b.ReportAllocs()
			total, err := ServeConnections(stream.Just(newTestConnection(conn)), fold.Sum[int]()).With(context.Background(), bench.handle).Get()
			if err != nil || total < b.N {
				b.Fatalf("handle %d messages: handled %d, error %v", b.N, total, err)
			}
		})
	}
}

func newTestConnection(conn net.Conn) *Connection {
	config := New(Config{}).config
	return newConnection(conn, &config, serverTimers(&config))
}
