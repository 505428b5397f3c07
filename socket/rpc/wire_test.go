package rpc_test

import (
	"context"
	"encoding/hex"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
)

// framesOfTheProtocol returns the frames that PROTOCOL.md writes down as bytes in its section about
// typed requests.
func framesOfTheProtocol(t *testing.T) (frames []string) {
	t.Helper()
	page, err := os.ReadFile("../../PROTOCOL.md")
	if err != nil {
		t.Fatalf("read PROTOCOL.md: %v", err)
	}
	_, section, _ := strings.Cut(string(page), "\n### Typed requests\n")
	section, _, _ = strings.Cut(section, "\n### ")
	for _, block := range regexp.MustCompile(`(?m)(^    [0-9a-f]{2}( [0-9a-f]{2})* .*\n)+`).FindAllString(section, -1) {
		var frame []byte
		for _, line := range regexp.MustCompile(`(?m)^    (([0-9a-f]{2} )+)`).FindAllStringSubmatch(block, -1) {
			bytes, err := hex.DecodeString(strings.ReplaceAll(line[1], " ", ""))
			if err != nil {
				t.Fatalf("decode the line %q of PROTOCOL.md: %v", line[0], err)
			}
			frame = append(frame, bytes...)
		}
		frames = append(frames, string(frame))
	}
	if len(frames) != 3 {
		t.Fatalf("look for frames in PROTOCOL.md: got %d, want the request, the response and the problem", len(frames))
	}
	return frames
}

type statusRequest struct {
	Unit string `json:"unit"`
}

type statusReply struct {
	Since int `json:"since"`
}

var status = rpc.NewMethod[statusRequest, statusReply]("status")

// A client that knows nothing of Go sends the bytes of PROTOCOL.md, and gets those of PROTOCOL.md.
func TestServerSpeaksTheBytesOfTheProtocol(t *testing.T) {
	frames := framesOfTheProtocol(t)
	request, response, problem := frames[0], frames[1], frames[2]
	virtual(t, func(w *world) {
		w.serve(rpc.Handle(status, func(_ context.Context, r statusRequest) (statusReply, error) {
			if r.Unit == "db" {
				return statusReply{}, (&rpc.Problem{Type: "https://example.com/no-such-unit", Title: "no such unit"}).With("unit", r.Unit)
			}
			return statusReply{Since: 1700000000}, nil
		}))
		w.connect() // the server listens
		conn, err := w.transport.Dial(w.ctx, name)
		if err != nil {
			t.Fatalf("dial the server: %v", err)
		}
		defer conn.Close()
		read := func(what, want string) {
			t.Helper()
			got := make([]byte, len(want))
			if n, err := io.ReadFull(conn, got); err != nil || string(got) != want {
				t.Fatalf("read %s: got %q, %v, want %q", what, got[:n], err, want)
			}
		}
		write := func(bytes string) {
			if _, err := io.WriteString(conn, bytes); err != nil {
				t.Fatalf("write %q: %v", bytes, err)
			}
		}
		control := func(word string) string {
			return "\x00\x0atext/plain\x00\x00\x00" + string(rune(len(word))) + word + "\xce"
		}
		read("the handshake", control("innmind/ipc:heartbeat")+control("innmind/ipc:connection.start"))
		write(control("innmind/ipc:connection.start-ok"))
		write(request)
		read("the response", control("innmind/ipc:ack")+response)
		write(strings.Replace(strings.Replace(request, `"web"`, `"db"`, 1), "\x00\x00\x00\x0e", "\x00\x00\x00\x0d", 1))
		read("the problem", control("innmind/ipc:ack")+problem)
	})
}

// The bytes of PROTOCOL.md are those that a client of this package sends and understands.
func TestMethodSpeaksTheBytesOfTheProtocol(t *testing.T) {
	frames := framesOfTheProtocol(t)
	m, err := status.Encode(t.Context(), statusRequest{"web"})
	if err != nil || !strings.HasSuffix(frames[0], m.Content()+"\xce") || !strings.HasPrefix(frames[0][2:], m.MediaType().String()) {
		t.Errorf("encode the request: got %s %s, %v, want the bytes %q", m.MediaType(), m.Content(), err, frames[0])
	}
	content := frames[1][2+16+4 : len(frames[1])-1]
	if reply, err := status.Decode(socket.NewMessage(socket.JSON(), content)); reply.Since != 1700000000 || err != nil {
		t.Errorf("decode the response %s: got %+v, %v, want 1700000000", content, reply, err)
	}
}
