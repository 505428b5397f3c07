package socket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/transcripts"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// recording is a session recorded from innmind/ipc 4.4.
type recording struct{ transcripts.Session }

func loadRecording(t testing.TB, name string) recording {
	t.Helper()
	return recording{transcripts.Load(t, "testdata/transcripts/"+name+".jsonl")}
}

// frames spells what one side sent, without heartbeats.
func (r recording) frames(from string) (all []string) {
	return withoutHeartbeats(string(r.Sent(from)))
}

func withoutHeartbeats(stream string) (all []string) {
	reader := &wire.Reader{Limit: 1 << 20}
	src := iotest.OneByteReader(strings.NewReader(stream))
	for {
		f, err := reader.ReadFrame(src)
		if err != nil {
			return all
		}
		if f.Kind != wire.KindHeartbeat {
			all = append(all, describe(f))
		}
	}
}

// recordedNames are the sessions: how many messages stop the server, and whether
// its context ends instead.
var recordedNames = map[string]struct {
	stopAt  string // which client's message stops the server
	endAt   time.Duration
	carried int
}{
	"a_one_request":                   {carried: 1},
	"b_three_requests":                {carried: 3},
	"c1_idle_both":                    {carried: 1},
	"d1_stop_other_client":            {stopAt: "other", carried: 2},
	"d2_stop_same_client":             {stopAt: "own", carried: 2},
	"e_sigterm":                       {endAt: 1481 * time.Millisecond, carried: 1},
	"f_client_killed":                 {carried: 1},
	"h_params":                        {carried: 1},
	"i_empty":                         {carried: 1},
	"j2_garbage_after_start":          {carried: 1},
	"j4_two_in_one_send":              {carried: 2},
	"j6_bad_media_type":               {carried: 0},
	"j7_message_before_startok":       {carried: 1},
	"j8_startok_and_message_one_send": {carried: 1},
}

// stopsAsRecorded is a handler of a recorded server: it answers, and stops at a message stop,
// or at the second message if that is where its own client stopped it.
func stopsAsRecorded(stopAt string) Handler[int] {
	count := 0
	return func(m Message, c Continuation[int], carry int) Continuation[int] {
		if count++; m.Content() == "stop" || stopAt == "own" && count == 2 {
			return c.CarryWith(carry + 1).Stop()
		}
		return echo(m, c, carry)
	}
}

// readAllOf reads from a connection in the background until it ends. The function that it
// returns waits for that, and returns what came.
func readAllOf(conn net.Conn) (all func() string) {
	read := make(chan string, 1)
	go func() {
		got, _ := io.ReadAll(conn)
		read <- string(got)
	}()
	return func() string { return <-read }
}

// playClientOf sends the chunks of a recorded client to a server at their times, and ends the
// server, or has another client stop it, when the recorded one was.
func playClientOf(r recording, server *served[int], client *peer, name string) {
	start, endAt, last := time.Now(), recordedNames[name].endAt, time.Duration(0)
	for _, chunk := range r.Chunks {
		last = chunk.At
		if chunk.From != "client" {
			continue
		}
		if endAt > 0 && chunk.At > endAt {
			time.Sleep(endAt - time.Since(start))
			server.end()
		}
		if recordedNames[name].stopAt == "other" && slices.Contains(decoded([]string{string(chunk.Bytes)}), "close-ok") {
			server.dial().send(wire.KindStartOK, "stop")
		}
		time.Sleep(chunk.At - time.Since(start))
		client.send(chunk.Bytes)
		synctest.Wait()
	}
	time.Sleep(last - time.Since(start))
	synctest.Wait()
	client.conn.Close()
}

func TestServerAnswersRecordedClientsAsTheRecordedServerDid(t *testing.T) {
	for name, about := range recordedNames {
		t.Run(name, func(t *testing.T) {
			r := loadRecording(t, name)
			synctest.Test(t, func(t *testing.T) {
				server := serve(t, Config{ServerConfig: ServerConfig{Dialect: Dialect4}}, fold.Sum[int](), stopsAsRecorded(about.stopAt))
				client := server.dial()
				got := readAllOf(client.conn)
				playClientOf(r, server, client, name)
				same(t, withoutHeartbeats(got()), r.frames("server")...)
				server.end()
				carry, ok := Carry(<-server.result).Get()
				if !ok || carry != about.carried {
					t.Errorf("the server carried %d, want %d", carry, about.carried)
				}
			})
		})
	}
}

func TestClientGetsAlongWithTheRecordedServers(t *testing.T) {
	for name := range recordedNames {
		switch name {
		case "j2_garbage_after_start", "j4_two_in_one_send", "j6_bad_media_type", "j7_message_before_startok", "j8_startok_and_message_one_send":
			continue // their clients do what no Process does
		}
		t.Run(name, func(t *testing.T) {
			r := loadRecording(t, name)
			synctest.Test(t, func(t *testing.T) { replayToClient(t, r) })
		})
	}
}

// replayToClient plays a recorded server, each chunk once the client has sent what
// came before it, to a Process that does what the recorded client did.
func replayToClient(t *testing.T, r recording) {
	ours, theirs := newPipe(0)
	server := newPeer(t, theirs)
	played := make(chan []string)
	go func() {
		var got []string
		for _, chunk := range r.Chunks {
			if chunk.From == "server" {
				if _, err := theirs.Write(chunk.Bytes); err != nil && r.Name != "f_client_killed" {
					t.Errorf("send the recorded bytes of the server: %v", err) // that one is gone at some moment
				}
				continue
			}
			for _, want := range withoutHeartbeats(string(chunk.Bytes)) {
				f := server.next()
				for f == "heartbeat" && want != f {
					f = server.next()
				}
				got = append(got, f)
			}
		}
		if r.Name != "f_client_killed" {
			server.expectEnd()
		}
		theirs.Close()
		played <- got
	}()
	p, err := New(Config{}).Attach(t.Context(), ours).Get()
	if err != nil {
		t.Fatalf("attach to the recorded server: %v", err)
	}
	driveAsRecorded(t, p, r)
	got := <-played
	want := r.frames("client")
	same(t, got, want...)
}

// expectEnd passes over heartbeats up to the end.
func (p *peer) expectEnd() {
	p.t.Helper()
	got := p.next()
	for got == "heartbeat" {
		got = p.next()
	}
	if got != "EOF" {
		p.t.Errorf("received %s, want the end", got)
	}
}

func driveAsRecorded(t *testing.T, p *Process, r recording) {
	start := time.Now()
	reader := &wire.Reader{Limit: 1 << 20}
	for _, chunk := range r.Chunks {
		if chunk.From != "client" {
			continue
		}
		src := iotest.OneByteReader(bytes.NewReader(chunk.Bytes))
		for {
			f, err := reader.ReadFrame(src)
			if err != nil {
				break
			}
			switch f.Kind {
			case wire.KindMessage:
				if r.Name == "c1_idle_both" {
					time.Sleep(4*time.Second - time.Since(start))
				}
				m, err := fold.Then(p.Send(t.Context(), messageOf(f.Message)), Wait(t.Context())).Get()
				want := Message{MediaType{f.Message.MediaType}, "echo: " + f.Message.Content}
				if r.Name == "d2_stop_same_client" && errors.Is(err, ErrDisconnected) {
					m = want // the second has no answer
				}
				if m != want {
					t.Errorf("wait for the recorded answer: got %v, %v, want %v", m, err, want)
				}
			case wire.KindClose:
				if err := p.Close(t.Context()).Err(); err != nil {
					t.Errorf("close the connection to the recorded server: %v", err)
				}
			case wire.KindCloseOK:
				if _, err := p.Wait(t.Context()).Get(); !errors.Is(err, ErrDisconnected) {
					t.Errorf("wait after the recorded server has closed: got %v, want ErrDisconnected", err)
				}
			}
		}
	}
	if r.Name == "f_client_killed" {
		if err := p.Conn().Close(); err != nil {
			t.Errorf("close the connection of the killed client: %v", err)
		}
	}
}
