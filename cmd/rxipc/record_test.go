//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/recording"
)

// transcripts are recorded servers of innmind/ipc.
const transcripts = "../../socket/testdata/transcripts/"

// recorded plays a recorded server on a name to the next client, and returns what that did
// differently.
func (s shell) recorded(name, session string) (differences func() []recording.Difference) {
	s.Helper()
	r, err := recording.ReadFile(transcripts + session + ".jsonl")
	if err != nil {
		s.Fatalf("read a transcript: %v", err)
	}
	listener, err := socket.Unix{Dir: s.dir}.Listen(s.Context(), socket.MustParseName(name))
	if err != nil {
		s.Fatalf("listen: %v", err)
	}
	played := make(chan []recording.Difference, 1)
	go func() {
		found, _ := r.PlayServer(s.Context(), recording.Player{Fast: true}, listener)
		listener.Close() // the name is free before the differences are there
		played <- found
	}()
	return func() []recording.Difference { return <-played }
}

// startRecord starts a record, and returns when it has taken the name.
func (s shell) startRecord(args ...string) *exec.Cmd {
	s.Helper()
	cmd := s.command(append([]string{"record"}, args...)...)
	cmd.Dir = s.dir
	errs, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.Fatalf("start rxipc record %q: %v", args, err)
	}
	s.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	text := make([]byte, 1000)
	if n, err := errs.Read(text); err != nil || !strings.Contains(string(text[:n]), "recording ") {
		s.Fatalf("start rxipc record %q: got %q, %v, want that it records", args, text[:n], err)
	}
	return cmd
}

// endRecord ends a record with a signal, and reads what it recorded.
func (s shell) endRecord(cmd *exec.Cmd, file string) recording.Recording {
	s.Helper()
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 128+int(syscall.SIGTERM) {
		s.Errorf("end rxipc record with TERM: got exit code %d, want %d", code, 128+int(syscall.SIGTERM))
	}
	r, err := recording.ReadFile(filepath.Join(s.dir, file))
	if err != nil {
		s.Fatalf("read what was recorded: %v", err)
	}
	return r
}

// messages are the messages of a recording, in order.
func messages(r recording.Recording) (all []string) {
	for _, e := range r.Entries {
		if e.Kind == recording.Message {
			all = append(all, fmt.Sprintf("%d %s %v", e.Connection, e.From, e))
		}
	}
	return all
}

func (s shell) recordedMessages(r recording.Recording, want ...string) {
	s.Helper()
	if got := messages(r); strings.Join(got, "\n") != strings.Join(want, "\n") {
		s.Errorf("read the messages that were recorded: got %q, want %q", got, want)
	}
}

var helloTwice = []string{
	`1 client message text/plain "hello"`, `1 server message text/plain "hello"`,
	`2 client message text/plain "again"`, `2 server message text/plain "again"`,
}

func TestRecordTakesTheServersPlaceAndGivesItBack(t *testing.T) {
	s := newShell(t)
	s.serve("echo")
	record := s.startRecord("echo")
	s.wants("hello\n", exitDone, "", "request", "echo", "hello")
	s.wants("again\n", exitDone, "", "request", "echo", "again")
	s.fails(exitFailed, "recorded already", "", "record", "echo", "-o", filepath.Join(s.dir, "second.jsonl"))
	r := s.endRecord(record, "echo.jsonl")
	s.recordedMessages(r, helloTwice...)
	if r.Name != "echo" || r.Begin.IsZero() {
		t.Errorf("read what was recorded: got the header %+v, want the name and when it began", r.Header)
	}
	s.wants("direct\n", exitDone, "", "request", "echo", "direct")
	s.isLeftAlone("echo")
	s.fails(exitFailed, "file exists", "", "record", "echo", "-o", filepath.Join(s.dir, "echo.jsonl"))
	s.fails(exitNotListening, "nobody", "", "record", "nobody", "--timeout", "10ms", "-o", filepath.Join(s.dir, "nobody.jsonl"))
}

// isLeftAlone checks that nothing of a record is left in the folder.
func (s shell) isLeftAlone(name string) {
	s.Helper()
	if left, _ := filepath.Glob(filepath.Join(s.dir, "."+name+".re*")); len(left) > 0 {
		s.Errorf("look for what a record has left: got %v, want nothing", left)
	}
}

func TestRecordListensOnASecondName(t *testing.T) {
	s := newShell(t)
	s.serve("echo")
	record := s.startRecord("echo", "--as", "second", "-o", "second.jsonl")
	s.wants("hello\n", exitDone, "", "request", "second", "hello")
	s.wants("direct\n", exitDone, "", "request", "echo", "direct")
	s.wants("again\n", exitDone, "", "request", "second", "again")
	s.recordedMessages(s.endRecord(record, "second.jsonl"), helloTwice...)
	s.fails(exitNotListening, "nobody listens", "", "request", "second", "x", "--timeout", "10ms")
	s.fails(exitUsage, "invalid", "", "record", "echo", "--as", "a/b", "-o", "-")
	s.fails(exitUsage, "exclude", "", "record", "echo", "--as", "b", "--restore")
}

func TestRecordCutsAndHidesContents(t *testing.T) {
	s := newShell(t)
	s.serve("echo")
	cut := s.startRecord("echo", "--cut", "2", "-o", "cut.jsonl")
	s.wants("hello\n", exitDone, "", "request", "echo", "hello")
	s.recordedMessages(s.endRecord(cut, "cut.jsonl"), `1 client message text/plain "he"… (5 bytes)`, `1 server message text/plain "he"… (5 bytes)`)
	hide := s.startRecord("echo", "--hide", "-o", "hidden.jsonl")
	s.wants("hello\n", exitDone, "", "request", "echo", "hello")
	s.recordedMessages(s.endRecord(hide, "hidden.jsonl"), `1 client message text/plain ""… (5 bytes)`, `1 server message text/plain ""… (5 bytes)`)
	s.fails(exitFailed, "contents are missing", "", "replay", filepath.Join(s.dir, "hidden.jsonl"))
}

// A record that was killed leaves a server that nobody reaches. What it wrote is there.
func TestRecordThatDoesNotBeginLeavesNoFile(t *testing.T) {
	s := newShell(t)
	file := filepath.Join(s.dir, "file")
	for range 2 {
		s.fails(exitNotListening, "nobody", "", "record", "nobody", "-o", file, "--timeout", "50ms")
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("look for the file of a record without a server: got %v, want that there is none", err)
	}
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatalf("write a file: %v", err)
	}
	s.fails(exitFailed, "--output", "", "record", "nobody", "-o", file, "--timeout", "50ms")
	if text, err := os.ReadFile(file); err != nil || string(text) != "mine" {
		t.Errorf("read a file that a record did not make: got %q and %v, want it as it was", text, err)
	}
}

func TestRecordedSocketsAreFoundInAFolderOfAnyName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[b]*")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatalf("make a folder: %v", err)
	}
	for _, file := range []string{".counter.real", "counter.sock", ".counter.rec", "x.real"} {
		if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
			t.Fatalf("make a file: %v", err)
		}
	}
	if got := moved(dir); len(got) != 1 || got[0] != "counter" {
		t.Errorf("look for sockets that a record has moved in %s: got %q, want counter", dir, got)
	}
}

func TestRecordRestoresAfterItWasKilled(t *testing.T) {
	s := newShell(t)
	s.serve("echo")
	s.fails(exitFailed, "no record has moved its socket", "", "record", "--restore", "echo")
	record := s.startRecord("echo")
	s.wants("hello\n", exitDone, "", "request", "echo", "hello")
	s.fails(exitFailed, "end the record with a signal", "", "record", "--restore", "echo")
	record.Process.Kill()
	record.Wait()
	s.fails(exitNotListening, "nobody listens", "", "request", "echo", "x", "--timeout", "10ms")
	s.wantsInDoctor("echo", `a "rxipc record" was killed`, "run rxipc record --restore echo")
	s.wants("", exitDone, "", "record", "--restore", "echo")
	s.wants("direct\n", exitDone, "", "request", "echo", "direct")
	s.isLeftAlone("echo")
	r, err := recording.ReadFile(filepath.Join(s.dir, "echo.jsonl"))
	if err != nil {
		t.Errorf("read what was recorded before the kill: %v", err)
	}
	s.recordedMessages(r, helloTwice[:2]...)
}

func TestRecordEndsWithItsServer(t *testing.T) {
	s := newShell(t)
	server := s.serve("echo")
	record := s.startRecord("echo")
	server.Process.Signal(syscall.SIGTERM)
	server.Wait()
	if record.Wait(); record.ProcessState.ExitCode() != exitDone {
		t.Errorf("end the server of a record: got exit code %d of the record, want 0", record.ProcessState.ExitCode())
	}
	s.isLeftAlone("echo")
	s.serve("echo") // the name is free
	s.wants("hello\n", exitDone, "", "request", "echo", "hello")
}

func TestReplayTellsWhatDiffers(t *testing.T) {
	s := newShell(t)
	s.serve("echo")
	s.serve("upper", "--", "tr", "a-z", "A-Z")
	record := s.startRecord("echo")
	s.wants("hello\n", exitDone, "", "request", "echo", "hello")
	s.wants("again\n", exitDone, "", "request", "echo", "again")
	s.endRecord(record, "echo.jsonl")
	file := filepath.Join(s.dir, "echo.jsonl")
	for _, args := range [][]string{{"replay", file}, {"replay", file, "--fast"}, {"replay", file, "echo"}} {
		s.wants("2 connections played, no difference\n", exitDone, "", args...)
	}
	s.fails(exitFailed, "the server does not do as recorded: 2 differences", "", "replay", file, "upper", "--fast")
	out, _, _ := s.run("", "replay", file, "upper", "--fast", "--json")
	first, _, _ := strings.Cut(out, "\n")
	var got differenceObject
	if err := json.Unmarshal([]byte(first), &got); err != nil {
		t.Fatalf("rxipc replay --json: got %q, %v", out, err)
	}
	want := differenceObject{Connection: 1, Ms: got.Ms, Recorded: `message text/plain "hello"`, Got: `message text/plain "HELLO"`}
	if got != want || got.Ms <= 0 {
		t.Errorf("rxipc replay --json: got %+v, want %+v with a time", got, want)
	}
	s.fails(exitNotListening, "nobody listens", "", "replay", file, "nobody", "--fast", "--timeout", "1s")
	s.fails(exitUsage, "invalid", "", "replay", file, "a/b")
	s.fails(exitFailed, "no such file", "", "replay", file+".missing")
}

// The recorded clients are in PHP, and so was the server.
func TestReplayPlaysRecordedClientsInPHP(t *testing.T) {
	s := newShell(t)
	s.library("echo", socket.ServerConfig{Dialect: socket.Dialect4}, respond(func(m socket.Message) string { return "echo: " + m.Content() }))
	for _, session := range []string{"a_one_request", "b_three_requests", "h_params", "i_empty"} {
		s.wants("1 connections played, no difference\n", exitDone, "", "replay", transcripts+session+".jsonl", "echo", "--fast")
	}
}

// A file without its last line is what a killed record leaves.
func TestReplayPlaysWhatAKilledRecordLeft(t *testing.T) {
	s := newShell(t)
	s.library("php", socket.ServerConfig{Dialect: socket.Dialect4}, respond(func(m socket.Message) string { return "echo: " + m.Content() }))
	text, err := os.ReadFile(transcripts + "a_one_request.jsonl")
	if err != nil {
		t.Fatalf("read a transcript: %v", err)
	}
	file := filepath.Join(s.dir, "killed.jsonl")
	cut := strings.Index(string(text), `,"kind":"close"`)
	if err := os.WriteFile(file, text[:cut], 0o600); err != nil {
		t.Fatalf("write a recording: %v", err)
	}
	out, errs, code := s.run("", "replay", file, "--fast")
	if code != exitDone || out != "1 connections played, no difference\n" || !strings.Contains(errs, "what is before is played") {
		t.Errorf("rxipc replay of a recording without its end: got exit code %d, %q and %q, want a note, and what is there played", code, out, errs)
	}
}

func TestCommandsTalkToARecordedServerInPHP(t *testing.T) {
	s := newShell(t)
	for _, c := range []struct {
		session, want string
		args          []string
	}{
		{"a_one_request", "echo: hello world\n", []string{"request", "php", "hello world"}},
		{"i_empty", "echo: \n", []string{"request", "php", ""}},
		{"h_params", "echo: {\"a\":\"é\"}\n", []string{"request", "php", `{"a":"é"}`, "-t", "application/json; charset=utf-8"}},
		{"a_one_request", "", []string{"send", "php", "hello world"}},
	} {
		differences := s.recorded("php", c.session)
		s.wants(c.want, exitDone, "", c.args...)
		for _, d := range differences() {
			if c.args[0] == "request" {
				t.Errorf("rxipc %q: the recorded server got something else than from its client in PHP: %v", c.args, d)
			}
		}
	}
	s.recorded("php", "a_one_request")
	out, _, _ := s.run("", "ls", "--json")
	if !strings.Contains(out, `"state":"responds"`) || !strings.Contains(out, `"library":"other"`) {
		t.Errorf("rxipc ls of a recorded server in PHP: got %q, want that it responds and is of another library", out)
	}
}

// The server in PHP acknowledges as in 4.x, which shows in what was recorded.
func TestRecordShowsTheDialect(t *testing.T) {
	s := newShell(t)
	s.recorded("php", "a_one_request")
	record := s.startRecord("php", "--as", "second")
	s.wants("echo: hello world\n", exitDone, "", "request", "second", "hello world")
	text := ""
	for _, e := range s.endRecord(record, "php.jsonl").Entries {
		if e.From == recording.Server && e.IsFrame() {
			text += e.String() + "\n"
		}
	}
	if want := "start\nreceived\nmessage text/plain \"echo: hello world\"\nclose-ok\n"; text != want {
		t.Errorf("record a recorded server in PHP: got %q, want %q", text, want)
	}
}

func TestLsCountsConnections(t *testing.T) {
	if _, known := openConnections(); !known {
		t.Skip("the system does not list the connections of servers")
	}
	s := newShell(t)
	s.serve("echo")
	var open []net.Conn
	for range 3 {
		conn, err := socket.Unix{Dir: s.dir}.Dial(t.Context(), socket.MustParseName("echo"))
		if err != nil {
			t.Fatalf("connect: %v", err)
		}
		defer conn.Close()
		conn.Read(make([]byte, 1)) // accepted
		open = append(open, conn)
	}
	for out := ""; !strings.Contains(out, fmt.Sprintf(`"library":"rxipc","connections":%d`, len(open))); {
		if out, _, _ = s.run("", "ls", "--json"); t.Context().Err() != nil { // one that ends may still be there
			t.Fatalf("rxipc ls with %d open connections: got %q", len(open), out)
		}
	}
	if out, _, _ := s.run("", "ls"); !strings.Contains(out, "LIBRARY  CONNECTIONS\n") || !strings.Contains(out, "  rxipc    ") {
		t.Errorf("rxipc ls: got %q, want columns for the library and the connections", out)
	}
}

// respond serves with an answer of its own.
func respond(answer func(socket.Message) string) func(context.Context, *socket.IPC, socket.Name) {
	return func(ctx context.Context, ipc *socket.IPC, name socket.Name) {
		serveWith(ctx, ipc, name, func(m socket.Message) socket.Message { return socket.NewMessage(m.MediaType(), answer(m)) })
	}
}
