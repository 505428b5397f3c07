package socket

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/transcripts"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// inChunks writes data in chunks of random length, with pauses, until it is refused.
func inChunks(conn *pipeConn, data []byte, seed uint64) {
	random := newRandom(seed)
	for len(data) > 0 {
		n := 1 + random.IntN(len(data))
		conn.SetWriteDeadline(time.Now().Add(time.Minute))
		if _, err := conn.Write(data[:n]); err != nil {
			return
		}
		data = data[n:]
		time.Sleep(time.Duration(random.IntN(3)) * 400 * time.Millisecond)
	}
}

// allFrames reads frames up to the end of a connection.
func allFrames(conn *pipeConn) (frames []wire.Frame, err error) {
	reader := &wire.Reader{Limit: 1 << 30}
	reader.Extended = true
	for {
		f, err := reader.ReadFrame(conn)
		if err != nil {
			return frames, err
		}
		frames = append(frames, f)
	}
}

// countKind counts the frames of a kind.
func countKind(frames []wire.Frame, k wire.Kind) (n int) {
	for _, f := range frames {
		if f.Kind == k {
			n++
		}
	}
	return n
}

func FuzzServerConnection(f *testing.F) {
	for i, recorded := range transcripts.All(f, "testdata") {
		f.Add(recorded.Sent("client"), uint64(i))
		f.Add(recorded.Sent("server"), uint64(i))
	}
	f.Add(encode(wire.KindStartOK, "hold", "a", "hold", "finish", "b"), uint64(1))
	f.Add(encode(wire.KindStartOK, "a", wire.KindStartOK, "reject", "b", wire.KindClose, wire.KindClose), uint64(2))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		synctest.Test(t, func(t *testing.T) { fuzzServer(t, data, seed) })
	})
}

// fuzzServer plays bytes to a connection whose exchanges are answered, held or
// refused, and checks what came back.
func fuzzServer(t *testing.T, data []byte, seed uint64) {
	ours, theirs := newPipe(0)
	theirs.in.most = int(seed % 7)
	config := Config{MaxMessage: fuzzLimit, ServerConfig: ServerConfig{MaxHeld: 2}, Grace: 5 * time.Second}.withDefaults()
	c := newConnection(theirs, &config, serverTimers(&config))
	var handled []string
	finished := make(chan error)
	go func() {
		finished <- c.Exchanges()(t.Context(), func(x Exchange) bool {
			if x.Content() == "reject" {
				x.Reject(errors.New("rejected"))
				return true
			}
			handled = append(handled, x.Content())
			x.Respond(NewMessage(OctetStream(), x.Content()))
			if x.Content() == "hold" {
				held := x.Hold()
				go func() {
					time.Sleep(time.Second)
					held.Respond(context.Background())
				}()
			}
			return x.Content() != "finish"
		})
	}()
	go func() {
		inChunks(ours, data, seed)
		time.Sleep(10 * time.Second)
		c.Close()
	}()
	frames, _ := allFrames(ours)
	succeeds(t, "serve the exchanges", <-finished)
	ours.Close()
	time.Sleep(time.Minute) // for what this test started

	var answers []string
	acknowledged := 0
	for _, f := range frames {
		switch f.Kind {
		case wire.KindAck:
			acknowledged++
		case wire.KindMessage:
			answers = append(answers, f.Message.Content)
		}
	}
	if len(frames) < 2 || frames[0].Kind != wire.KindHeartbeat || frames[1].Kind != wire.KindStart || acknowledged != len(answers) {
		t.Errorf("the server wrote %d acknowledgements and the answers %v, want a greeting first and one for each answer", acknowledged, answers)
	}
	if len(answers) > len(handled) {
		t.Fatalf("the server wrote the answers %v to %v, want no more than it handled", answers, handled)
	}
	same(t, answers, handled[:len(answers)]...)
	want := expectedMessages(data)
	if len(handled) > len(want) || !slices.Equal(handled, want[:len(handled)]) {
		t.Errorf("handled %q of %q", handled, want)
	}
}

// expectedMessages are the messages behind start-ok, as far as the bytes are good,
// up to the first close.
func expectedMessages(data []byte) (contents []string) {
	frames, _ := readAll(bytes.NewReader(data), fuzzLimit)
	started := false
	for _, f := range frames {
		switch {
		case f.Kind == wire.KindStartOK:
			started = true
		case f.Kind == wire.KindClose:
			return contents
		case f.Kind == wire.KindMessage && started:
			contents = append(contents, f.Message.Content)
		}
	}
	return contents
}

func FuzzClientConnection(f *testing.F) {
	for i, recorded := range transcripts.All(f, "testdata") {
		f.Add(recorded.Sent("server"), uint64(i))
		f.Add(recorded.Sent("client"), uint64(i))
	}
	f.Add(encode(wire.KindStart, "a", wire.KindAck, "b", wire.KindReceived, "c", wire.KindCloseOK), uint64(3))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		synctest.Test(t, func(t *testing.T) { fuzzClient(t, data, seed) })
	})
}

// fuzzClient plays bytes to a Process that sends and reads, and checks that it
// neither hangs nor makes messages up.
func fuzzClient(t *testing.T, data []byte, seed uint64) {
	ours, theirs := newPipe(0)
	ours.in.most = int(seed % 7)
	var written []wire.Frame
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		written, _ = allFrames(theirs)
	}()
	go inChunks(theirs, data, seed)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	attached := New(Config{MaxMessage: fuzzLimit, ClientConfig: ClientConfig{MaxUnread: 10 * fuzzLimit}}).Attach(ctx, ours)
	var got []string
	p, err := attached.Get()
	if err == nil {
		short, stop := context.WithTimeout(ctx, time.Duration(seed%4)*time.Second)
		sent := p.Send(short, Text("one"), Text("two"))
		stop()
		long, end := context.WithTimeout(ctx, time.Minute)
		p.Messages().ForEach(long, func(m Message) { got = append(got, m.Content()) })
		end()
		var failed *SendError
		if errors.As(sent.Err(), &failed) && failed.Acknowledged > 1 {
			t.Errorf("send one and two: %d were acknowledged though it failed, want one at most", failed.Acknowledged)
		}
		p.Close(ctx)
	}
	<-gone
	theirs.Close()
	time.Sleep(20 * time.Second)
	frames, _ := readAll(bytes.NewReader(data), fuzzLimit)
	var want []string
	for _, f := range frames {
		if f.Kind == wire.KindMessage {
			want = append(want, f.Message.Content)
		}
	}
	if len(got) > len(want) {
		t.Fatalf("read %q of %q", got, want)
	}
	same(t, got, want[:len(got)]...)
	if countKind(written, wire.KindAck) > len(want) || countKind(written, wire.KindStartOK) > countKind(frames, wire.KindStart) {
		t.Errorf("the client wrote %v, want no more acknowledgements than messages and consents than greetings", written)
	}
}

func TestServerCombinesWhatFuzzedConnectionsHandled(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			server := serve(t, Config{}, fold.Sum[int](), echo)
			for i, recorded := range transcripts.All(t, "testdata") {
				conn := server.dial().conn.(*pipeConn)
				go func() {
					inChunks(conn, recorded.Sent("client"), seed*100+uint64(i))
					time.Sleep(time.Second)
					conn.Close()
				}()
			}
			time.Sleep(time.Minute)
			server.end()
			interrupted(t, <-server.result, len(server.handled()), context.Canceled)
		})
	}
}
