//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rxipc/rxipc/internal/programtest"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/system"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

func TestStoryCollectsEachLineOnce(t *testing.T) {
	temp := programtest.Dir(t)
	result := programtest.Start(t, temp).Wait()
	n := len(result.Lines)
	if result.Code != 0 || result.Stderr != "" || n == 0 {
		t.Fatalf("run the story: got code %d, %q and %q on standard error; want 0, lines and nothing", result.Code, result.Lines, result.Stderr)
	}
	var killed int
	if _, err := fmt.Sscanf(result.Lines[n-1], "each of 10000 lines was collected exactly once, %d processes were killed", &killed); err != nil || killed < 2 {
		t.Errorf("the last line of the story: got %q, want that each of 10000 lines was collected exactly once, and that at least 2 processes were killed", result.Lines[n-1])
	}
	programtest.IsEmpty(t, temp)
}

// logs is a folder with logs and a collector's file.
type logs struct {
	t   *testing.T
	dir string
}

func (l logs) path(name string) string { return filepath.Join(l.dir, name) }

// append adds lines with these numbers to a log.
func (l logs) append(log string, from, to int) {
	l.t.Helper()
	var text strings.Builder
	for n := from; n <= to; n++ {
		fmt.Fprintln(&text, log, n)
	}
	l.write(log, text.String())
}

func (l logs) write(name, text string) {
	l.t.Helper()
	file, err := os.OpenFile(l.path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.WriteString(text)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		l.t.Fatalf("append to %s: %v", name, err)
	}
}

// collect starts a collector that listens.
func (l logs) collect() *programtest.Program {
	p := programtest.Start(l.t, "", "collect", "-dir", l.dir, l.path("out"))
	l.isListening(p)
	return p
}

func (l logs) isListening(p *programtest.Program) {
	l.t.Helper()
	for !strings.HasSuffix(p.Line(), " listens") {
	}
}

func (l logs) ship(log string) *programtest.Program {
	return programtest.Start(l.t, "", "ship", "-dir", l.dir, l.path(log))
}

// await waits until a line was collected.
func (l logs) await(log string, n int) {
	l.t.Helper()
	last := fmt.Sprintf(" %s %d", log, n)
	err := stream.Pipe2(
		system.Follow(l.path("out"), system.FollowOptions{}),
		operators.Filter(func(line system.Line) bool { return strings.HasSuffix(line.Text, last) }),
		operators.First[system.Line](),
	).Run(l.t.Context())
	if err != nil {
		l.t.Fatalf("wait for%s in the collector's file: %v", last, err)
	}
}

// check fails the test unless the lines of a log, up to a number, were collected once and in order.
func (l logs) check(log string, to int) {
	l.t.Helper()
	collected, err := os.ReadFile(l.path("out"))
	var want, got []string
	for n := 1; n <= to; n++ {
		want = append(want, fmt.Sprint(log, " ", n))
	}
	for line := range strings.Lines(string(collected)) {
		if fields := strings.SplitN(strings.TrimSpace(line), " ", 3); strings.HasPrefix(fields[2], log) {
			got = append(got, fields[2])
		}
	}
	if err != nil || !slices.Equal(got, want) {
		l.t.Errorf("read what was collected of %s: got %d lines, %v, want %d, each once and in order: %q", log, len(got), err, len(want), got)
	}
}

func TestCollectorHandsOverWhileLinesCome(t *testing.T) {
	l := logs{t, programtest.Dir(t)}
	l.append("a", 1, 500)
	collector := l.collect()
	shipper := l.ship("a")
	l.await("a", 500)
	l.append("a", 501, 1000)
	collector.Signal(syscall.SIGHUP)
	for n := 1001; n <= 2000; n += 10 {
		l.append("a", n, n+9)
	}
	l.isListening(collector) // its successor
	l.append("a", 2001, 2100)
	l.await("a", 2100)
	shipper.Signal(syscall.SIGTERM)
	shipper.Wait().Expect(t, 143)
	l.check("a", 2100)
}

// TestCollectorCutsOffAnUnfinishedLine leaves what a process may leave that is killed while it writes.
func TestCollectorCutsOffAnUnfinishedLine(t *testing.T) {
	l := logs{t, programtest.Dir(t)}
	l.append("a", 1, 10)
	l.append("b", 1, 20)
	collector := l.collect()
	a, b := l.ship("a"), l.ship("b")
	l.await("a", 10)
	l.await("b", 20)
	for _, p := range []*programtest.Program{collector, a} {
		p.Signal(syscall.SIGKILL)
		p.Wait()
	}
	l.write("out", "a 1-")
	l.append("a", 11, 30)
	l.append("b", 21, 30)
	l.collect()
	l.ship("a")
	l.await("a", 30)
	l.await("b", 30)
	l.check("a", 30)
	l.check("b", 30)
	b.Signal(syscall.SIGTERM)
	b.Wait().Expect(t, 143)
}

func TestCollectorRefusesWhatDoesNotFollow(t *testing.T) {
	l := logs{t, programtest.Dir(t)}
	collector := l.collect()
	for _, text := range []string{"source 1-1-10 1-1-20 text", "source 1-1-10"} {
		client, err := socket.New(socket.Config{Dir: l.dir}).ConnectTo(t.Context(), name).Get()
		if err != nil {
			t.Fatalf("connect to the collector: %v", err)
		}
		if err := client.Send(t.Context(), socket.Text(text)).Err(); !errors.Is(err, socket.ErrRejected) {
			t.Errorf("send %q to the collector: got %v, want %v", text, err, socket.ErrRejected)
		}
		client.Close(t.Context())
	}
	collector.Signal(syscall.SIGTERM)
	collector.Wait().Expect(t, 143)
	if text, err := os.ReadFile(l.path("out")); err != nil || len(text) > 0 {
		t.Errorf("read what was collected: got %q, %v, want nothing", text, err)
	}
}

func TestCollectorRefusesAFileThatIsNotItsOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes")
	if err := os.WriteFile(path, []byte("a 1-1-1 text\nnote\n"), 0o600); err != nil {
		t.Fatalf("write a file: %v", err)
	}
	if err := (&store{path: path}).open(); err == nil || !strings.Contains(err.Error(), "give it another") {
		t.Errorf("open a file with another line: got %v, want an error that says what helps", err)
	}
}

func TestShipperOfAFolderFails(t *testing.T) {
	l := logs{t, programtest.Dir(t)}
	l.collect()
	programtest.Run(t, "ship", "-dir", l.dir, l.dir).ExpectError(t, "no regular file")
}

func TestUsageErrorsAreExplained(t *testing.T) {
	for _, args := range [][]string{{"nonsense"}, {"collect"}, {"ship"}, {"ship", "a", "b"}} {
		result := programtest.Run(t, args...)
		if result.Code != 2 || len(result.Lines) > 0 || !strings.Contains(result.Stderr, "usage") {
			t.Errorf("run with the arguments %q: got %+v, want the usage", args, result)
		}
	}
}
