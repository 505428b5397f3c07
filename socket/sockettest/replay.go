package sockettest

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/recording"
)

// patience is how much later than in the recording the code under test may be, in virtual time.
const patience = time.Hour

// Replay plays the clients of a recording to a server under test, in virtual time, and expects the
// server to answer as the recorded one did. So a fault that was recorded becomes a test:
//
//	func TestFault(t *testing.T) {
//		sockettest.Replay(t, "testdata/fault.jsonl", counter)
//	}
//
// The file is a recording of package socket/recording, made by the command "rxipc record" for
// instance. The server speaks the dialect of the recorded one. Its answers may come sooner or later
// than in the recording, but in the same order on each connection. Heartbeats are ignored. The
// test fails for each difference.
//
// The context of the server ends when the recorded server stopped listening or closed a connection
// because it ended; otherwise when all clients have been played. Replay returns what the server
// ended with.
func Replay[T any](t *testing.T, file string, server func(context.Context, *socket.IPC) fold.Attempt[T]) (ended fold.Attempt[T]) {
	t.Helper()
	return replay(t, t, file, server)
}

// replay is Replay that reports to reports.
func replay[T any](t *testing.T, reports testing.TB, file string, server func(context.Context, *socket.IPC) fold.Attempt[T]) (ended fold.Attempt[T]) {
	t.Helper()
	r := load(reports, file)
	var differences []recording.Difference
	var failure error
	synctest.Test(t, func(t *testing.T) {
		network := NewNetwork()
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan fold.Attempt[T], 1)
		go func() {
			served <- server(ctx, socket.New(socket.Config{Transport: network, ServerConfig: socket.ServerConfig{Dialect: dialectOf(r)}}))
		}()
		synctest.Wait()
		if after, stopped := stopOf(r); stopped {
			time.AfterFunc(after, stop)
		}
		differences, failure = r.PlayClients(t.Context(), recording.Player{Patience: patience}, func(ctx context.Context, text string) (net.Conn, error) {
			name, err := socket.ParseName(text)
			if err != nil {
				return nil, err
			}
			return network.Dial(ctx, name)
		})
		stop()
		ended = <-served
	})
	report(reports, file, differences, failure)
	return ended
}

// ReplayServer plays the server of a recording to a client under test, in virtual time, and
// expects the client to send what the recorded clients sent. The first connection that the client
// makes is the first of the recording, and so on. Heartbeats and acknowledgements of the client are
// ignored. The test fails for each difference.
//
// The context of the client ends an hour after all has been played, in virtual time. ReplayServer returns what the client
// ended with.
func ReplayServer[T any](t *testing.T, file string, client func(context.Context, *socket.IPC) fold.Attempt[T]) (ended fold.Attempt[T]) {
	t.Helper()
	return replayServer(t, t, file, client)
}

// replayServer is ReplayServer that reports to reports.
func replayServer[T any](t *testing.T, reports testing.TB, file string, client func(context.Context, *socket.IPC) fold.Attempt[T]) (ended fold.Attempt[T]) {
	t.Helper()
	r := load(reports, file)
	var differences []recording.Difference
	var failure error
	synctest.Test(t, func(t *testing.T) {
		network := NewNetwork()
		name, err := socket.ParseName(r.Name)
		if err != nil {
			failure = err
			return
		}
		listener, err := network.Listen(t.Context(), name)
		if err != nil {
			failure = err
			return
		}
		defer listener.Close()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan fold.Attempt[T], 1)
		go func() { done <- client(ctx, socket.New(socket.Config{Transport: network})) }()
		playing, end := context.WithCancel(t.Context())
		defer end()
		hurry := time.AfterFunc(lengthOf(r)+patience, end) // a client that makes fewer connections
		defer hurry.Stop()
		differences, failure = r.PlayServer(playing, recording.Player{Patience: patience}, listener)
		lastMoment := time.AfterFunc(patience, stop)
		ended = <-done
		lastMoment.Stop()
		stop()
	})
	report(reports, file, differences, failure)
	return ended
}

func load(t testing.TB, file string) recording.Recording {
	t.Helper()
	r, err := recording.ReadFile(file)
	if err != nil {
		t.Fatalf("replay: %v", err)
	}
	if len(r.Connections()) == 0 {
		t.Fatalf("replay %s: the recording has no connection", file)
	}
	return r
}

func report(t testing.TB, file string, differences []recording.Difference, failure error) {
	t.Helper()
	for _, d := range differences {
		t.Errorf("replay %s: %v", file, d)
	}
	if failure != nil {
		t.Errorf("replay %s: %v", file, failure)
	}
}

// dialectOf returns the dialect in which a recorded server acknowledged.
func dialectOf(r recording.Recording) socket.Dialect {
	for _, e := range r.Entries {
		if e.From == recording.Server && e.Kind == recording.Received {
			return socket.Dialect4
		}
	}
	return socket.Dialect5
}

// stopOf returns when the recorded server ended, after its first connection began.
func stopOf(r recording.Recording) (time.Duration, bool) {
	begin := r.Connections()[0][0].Time
	for _, e := range r.Entries {
		closes := e.From == recording.Server && e.Kind == recording.Close && strings.HasPrefix(e.MediaType, "text/plain; reason=shutdown")
		if e.Kind == recording.Stop || closes {
			return e.Time - begin, true
		}
	}
	return 0, false
}

func lengthOf(r recording.Recording) time.Duration { return r.Entries[len(r.Entries)-1].Time }
