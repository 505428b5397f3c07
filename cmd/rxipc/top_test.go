//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"github.com/rxipc/rxipc/inspect"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/stream"
)

// inspected is a server with a pipeline that is stuck.
func inspected(ctx context.Context, ipc *socket.IPC, name socket.Name) {
	live := inspect.New()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stuck := stream.Pipe3(stream.Range(0, 100), operators.Named[int]("read"), operators.ObserveOn[int](8), operators.Named[int]("store\x1b[31m")).
		Subscribe(live.Follow(ctx), stream.Observer[int]{Next: func(int) { <-ctx.Done() }})
	_ = rpc.NewServer(live.Methods(inspect.Options{})...).Serve(ctx, ipc, name)
	cancel()
	_ = stuck.Wait()
}

func TestTopPrintsSnapshots(t *testing.T) {
	s := newShell(t)
	s.library("shop", socket.ServerConfig{}, inspected)
	out, errs, code := s.run("", "top", "shop", "--once", "--every", "0.7s")
	for _, want := range []string{"read", "ObserveOn", "8/8 full", "STUCK: What follows \"store"} {
		if !strings.Contains(out, want) {
			t.Errorf("rxipc top of a pipeline that is stuck: got the output\n%s\nand the errors %q, want %q in it", out, errs, want)
		}
	}
	if code != exitDone || strings.Contains(out, "\x1b") {
		t.Errorf("rxipc top: got the exit code %d and the output %q, want 0 and nothing that a terminal obeys", code, out)
	}
	out, _, code = s.run("", "top", "shop", "--once", "--json")
	var snapshot inspect.Snapshot
	if err := json.Unmarshal([]byte(out), &snapshot); err != nil || code != exitDone || len(snapshot.Stages) != 3 {
		t.Errorf("rxipc top --json: got the exit code %d and %q, want a snapshot with three stages", code, out)
	}
}

func TestTopFailsWithoutTheMethods(t *testing.T) {
	s := newShell(t)
	s.fails(exitNotListening, "nobody", "", "top", "nobody")
	s.library("other", socket.ServerConfig{}, func(ctx context.Context, ipc *socket.IPC, name socket.Name) {
		_ = rpc.NewServer().Serve(ctx, ipc, name)
	})
	s.fails(exitRejected, "no such method", "", "top", "other")
	s.fails(exitRejected, "no such method", "", "inspect", "other")
}

// In a terminal each snapshot is written over the last one, and the screen is as before at the end.
func TestTopInATerminal(t *testing.T) {
	s := newShell(t)
	s.library("shop", socket.ServerConfig{}, inspected)
	cmd := s.command("top", "shop", "--every", "0.1s")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 12, Cols: 80})
	if err != nil {
		t.Fatalf("start rxipc top in a terminal: %v", err)
	}
	defer terminal.Close()
	in, seen := bufio.NewReader(terminal), new(strings.Builder)
	for strings.Count(seen.String(), "\x1b[H") < 3 {
		r, _, err := in.ReadRune()
		if err != nil {
			t.Fatalf("read the terminal: %v, after %q", err, seen)
		}
		seen.WriteRune(r)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatalf("interrupt rxipc top: %v", err)
	}
	rest, _ := io.ReadAll(in) // a terminal whose program has ended fails with EIO
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("interrupt rxipc top: got the exit code %d, want 130", code)
	}
	if !strings.HasPrefix(seen.String(), "\x1b[?1049h\x1b[?25l") || !strings.HasSuffix(string(rest), "\x1b[?25h\x1b[?1049l") {
		t.Errorf("the terminal got %q … %q, want the other screen, and the first one again", seen, rest)
	}
	screen := strings.Split(seen.String(), "\x1b[H")[2]
	if lines := strings.Split(screen, "\r\n"); len(lines) > 12 || !strings.Contains(screen, "read") {
		t.Errorf("a screen of 12 lines has %d lines:\n%q", len(lines), screen)
	}
}

func TestTopLinesFitTheTerminal(t *testing.T) {
	long := strings.Repeat("very long ", 20)
	snapshot := inspect.Snapshot{
		Program:     long,
		Verdicts:    []inspect.Verdict{{Severity: inspect.Slow, Why: long}, {Severity: inspect.Dead, Why: strings.Repeat("x", 300)}},
		Stages:      []inspect.Stage{{Name: long, Kind: "stage", Values: 1 << 60, Rate: 1e15, P50: 1e-7, P99: 1e9, Busy: 1, Failed: 1 << 50}, {Name: "b", Kind: "buffer", Waiting: 1 << 40, Capacity: 1 << 62}},
		StagesFound: 9,
		Connections: []inspect.Connection{{Name: long, Side: "server", Messages: 1 << 60, Silent: 1e9}},
		Members:     []inspect.Member{{Kind: "hub", Name: "n\r\n\x1b]0;title\a", Fields: []inspect.Field{{Name: long, Value: 1}}}},
	}
	for _, width := range []int{40, 80, 200} {
		for _, line := range topLines(snapshot, width, -1) {
			if n := len([]rune(line)); n > width || strings.ContainsAny(line, "\r\n\x1b\a") {
				t.Errorf("a line for %d columns has %d, or what a terminal obeys: %q", width, n, line)
			}
		}
	}
	if lines := topLines(snapshot, 80, 5); len(lines) != 5 || lines[4] != "…" {
		t.Errorf("five lines of a snapshot with more: got %q", lines)
	}
}

func TestInspectServesThePageOfAProgram(t *testing.T) {
	s := newShell(t)
	s.library("shop", socket.ServerConfig{}, inspected)
	_, out := s.start("inspect", "shop")
	base, token, found := strings.Cut(line(t, "rxipc inspect", out), "#token=")
	if !found || !strings.HasPrefix(base, "http://127.0.0.1:") {
		t.Fatalf("rxipc inspect printed %q and %q, want an address of the loopback with a token", base, token)
	}
	request, err := http.NewRequestWithContext(t.Context(), "GET", base+"snapshot", nil)
	if err != nil {
		t.Fatalf("make a request: %v", err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("ask rxipc inspect: %v", err)
	}
	defer answer.Body.Close()
	var snapshot inspect.Snapshot
	if err := json.NewDecoder(answer.Body).Decode(&snapshot); err != nil || len(snapshot.Stages) != 3 || snapshot.Stages[0].Name != "read" {
		t.Errorf("ask rxipc inspect for a snapshot: got %+v and %v, want the three stages of the server", snapshot, err)
	}
}
