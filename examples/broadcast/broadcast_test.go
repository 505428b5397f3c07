//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rxipc/rxipc/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

func TestStoryDeliversEachLineToAll(t *testing.T) {
	temp := programtest.Dir(t)
	programtest.Start(t, temp).Wait().Expect(t, 0,
		"Ada heard Ada: good morning, Bob: good afternoon, Cid: good night",
		"Bob heard Ada: good morning, Bob: good afternoon, Cid: good night",
		"Cid heard Ada: good morning, Bob: good afternoon, Cid: good night",
	)
	programtest.IsEmpty(t, temp)
}

func TestServerDeliversMessagesToAllListeners(t *testing.T) {
	dir := programtest.Dir(t)
	server, listeners := room(t, dir, 3)
	programtest.Run(t, "say", "-dir", dir, "good morning").Expect(t, 0)
	programtest.Run(t, "say", "-dir", dir, "good night").Expect(t, 0)
	for _, listener := range append(listeners, server) {
		listener.Await("good morning")
		listener.Await("good night")
	}

	listeners[0].Signal(syscall.SIGTERM) // one listener leaves
	if result := listeners[0].Wait(); result.Code != 143 || result.Stderr != "" {
		t.Errorf("end a listener: got %+v, want the code and text of its reason", result)
	}
	programtest.Run(t, "say", "-dir", dir, "still here").Expect(t, 0)
	listeners[1].Await("still here")
	server.Signal(syscall.SIGTERM)
	for _, listener := range listeners[1:] {
		if result := listener.Wait(); result.Code != 0 || result.Stderr != "" {
			t.Errorf("end the server with SIGTERM: a listener ended with %+v, want code 0", result)
		}
	}
	if result := server.Wait(); result.Code != 143 || result.Stderr != "" {
		t.Errorf("end the server with SIGTERM: got %+v, want code 143", result)
	}
}

func TestServerSendsTheLastMessagesToANewListener(t *testing.T) {
	dir := programtest.Dir(t)
	server, _ := room(t, dir, 0)
	for i := range remembered {
		programtest.Run(t, "say", "-dir", dir, fmt.Sprint("line ", i)).Expect(t, 0)
	}
	late := programtest.Start(t, "", "listen", "-dir", dir)
	for i := range remembered {
		if line, want := late.Line(), fmt.Sprint("line ", i); line != want {
			t.Errorf("read a line of the late listener: got %q, want %q", line, want)
		}
	}
	server.Signal(syscall.SIGTERM)
	late.Wait().Expect(t, 0)
	server.Wait()
}

// A client that does not read fills only its own connection and buffer.
func TestServerIsNotDelayedByAStoppedListener(t *testing.T) {
	dir := programtest.Dir(t)
	server, listeners := room(t, dir, 2)
	stopped, other := listeners[0], listeners[1]
	stopped.Signal(syscall.SIGSTOP)
	long := strings.Repeat("long", 15_000)
	for i := range 2 * waiting {
		line := fmt.Sprint(i, long)
		programtest.Run(t, "say", "-dir", dir, line).Expect(t, 0)
		other.Await(line)
	}
	stopped.Signal(syscall.SIGKILL)
	programtest.Run(t, "say", "-dir", dir, "bye").Expect(t, 0)
	other.Await("bye")
	server.Signal(syscall.SIGTERM)
	if result := other.Wait(); result.Code != 0 {
		t.Errorf("end a listener: got %+v, want the code and text of its reason", result)
	}
}

func TestListenersEndWhenTheServerIsKilled(t *testing.T) {
	dir := programtest.Dir(t)
	server, listeners := room(t, dir, 1)
	server.Signal(syscall.SIGKILL)
	if result := listeners[0].Wait(); result.Code != 1 || !strings.Contains(result.Stderr, "the server is gone") {
		t.Errorf("end a listener: got %+v, want the code and text of its reason", result)
	}
	server.Wait() // its connections end a moment before its lock is free
	room(t, dir, 1)
}

func TestServerSpeaksTheGivenDialect(t *testing.T) {
	for dialect, want := range map[string]string{"4": "innmind/ipc:message.received", "5": "innmind/ipc:ack"} {
		t.Run("dialect "+dialect, func(t *testing.T) {
			dir := programtest.Dir(t)
			server := programtest.Start(t, "", "serve", "-dir", dir, "-dialect", dialect)
			server.Await("listening on room")
			conn, err := net.Dial("unix", filepath.Join(dir, "room.sock"))
			if err != nil {
				t.Fatalf("dial the room: %v", err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			const plain = "\x00\x0atext/plain\x00\x00\x00"
			if _, err := io.WriteString(conn, plain+"\x1finnmind/ipc:connection.start-ok\xCE"+plain+"\x02hi\xCE"); err != nil {
				t.Fatalf("write to the room: %v", err)
			}
			var got []byte
			for piece := make([]byte, 512); !bytes.Contains(got, []byte(want)); {
				n, err := conn.Read(piece)
				if got = append(got, piece[:n]...); err != nil {
					t.Fatalf("read from the room: got %q, %v; want %s", got, err, want)
				}
			}
			conn.Close() // this client would not answer the server's goodbye, which waits for it
			server.Signal(syscall.SIGTERM)
			server.Wait()
		})
	}
}

func TestUsageErrorsAreExplained(t *testing.T) {
	dir := programtest.Dir(t)
	server, _ := room(t, dir, 0)
	programtest.Run(t, "serve", "-dir", dir).ExpectError(t, "name already in use")
	programtest.Run(t, "serve", "-name", "no/name").ExpectError(t, "'/'")
	programtest.Run(t, "serve", "-dialect", "9").ExpectError(t, `"9"`)
	programtest.Run(t, "say", "-dir", dir, "innmind/ipc:heartbeat").ExpectError(t, "reserved")
	for _, args := range [][]string{{"nonsense"}, {"serve", "x"}, {"listen", "x"}, {"say"}} {
		result := programtest.Run(t, args...)
		if result.Code != 2 || len(result.Lines) > 0 || !strings.Contains(result.Stderr, "usage") {
			t.Errorf("run with the arguments %q: got %+v, want an error with the reason", args, result)
		}
	}
	server.Signal(syscall.SIGTERM)
	server.Wait()
}

// room starts a server and size listeners, and waits until all of them receive messages,
// including the earlier ones.
func room(t *testing.T, dir string, size int) (server *programtest.Program, listeners []*programtest.Program) {
	t.Helper()
	server = programtest.Start(t, "", "serve", "-dir", dir)
	server.Await("listening on room")
	programtest.Run(t, "say", "-dir", dir, "welcome").Expect(t, 0)
	for range size {
		listeners = append(listeners, programtest.Start(t, "", "listen", "-dir", dir))
	}
	for _, listener := range listeners {
		listener.Await("welcome")
	}
	return server, listeners
}
