//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/internal/programtest"
	"github.com/rxipc/rxipc/stream/system"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

func write(t *testing.T, path, lines string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(lines)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatalf("append %q to %s: got %v, want no error", lines, path, err)
	}
}

// dashboard runs show over a followed file in virtual time, and returns what it prints.
func dashboard(t *testing.T, script func(t *testing.T, path string)) (lines []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		stop, interrupt := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- show(stop, system.Follow(path, system.FollowOptions{PollOnly: true}), &out) }()
		script(t, path)
		interrupt()
		if err := <-ended; err != nil {
			t.Errorf("interrupt the dashboard: got %v, want no error", err)
		}
	})
	return strings.Split(strings.TrimSpace(out.String()), "\n")
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatalf("rename %s to %s: got %v, want no error", from, to, err)
	}
}

// expect compares what was printed. Each percentile is within 1% of an exact one.
func expect(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("the dashboard printed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestDashboardOverRotationAndBadLines(t *testing.T) {
	var first strings.Builder
	for ms := 1; ms <= 100; ms++ {
		fmt.Fprintf(&first, "{\"path\": \"/%d\", \"ms\": %d}\n", ms%6, ms)
	}
	got := dashboard(t, func(t *testing.T, path string) {
		write(t, path, first.String()+"{\"path\": \n\n[1]\n")
		time.Sleep(1500 * time.Millisecond)
		rename(t, path, path+".1")
		write(t, path, "{\"path\": \"/a\", \"ms\": 5}\n")
		time.Sleep(time.Second)
		if err := os.Truncate(path, 0); err != nil {
			t.Fatalf("truncate %s: got %v, want no error", path, err)
		}
		time.Sleep(time.Second)
		write(t, path, "{\"path\": \"/1\", \"ms\": 7}\nunfinished")
		time.Sleep(time.Second)
	})
	expect(t, got, []string{
		"last second: 100 requests, p99 98.5 ms, [/1: 17 /2: 17 /3: 17 /4: 17 /0: 16]",
		"last second: 1 requests, p99 5 ms, [/a: 1]",
		"last second: 0 requests, p99 NaN ms, []",
		"last second: 1 requests, p99 7.03 ms, [/1: 1]",
		"total: 102 requests, p99 98.5 ms, [/1: 18 /2: 17 /3: 17 /4: 17 /0: 16]",
		"bad lines: 3",
	})
}

// A wall clock that jumps shows in three things: in time.Now, in the times that lines carry,
// and in the modification times of files. The test makes the second and the third jump by a
// day, forth and back, between requests and across a rotation: no window and no request is
// lost or repeated. It cannot make time.Now jump. The windows do not ask for it: they end by
// timers, which run by the monotonic clock, the virtual one of the test.
func TestDashboardOverJumpsOfTheWallClock(t *testing.T) {
	got := dashboard(t, func(t *testing.T, path string) {
		wall := time.Now()
		time.Sleep(100 * time.Millisecond) // or a request comes at the very end of a second
		request := func() {
			write(t, path, fmt.Sprintf("{\"time\": %q, \"path\": \"/a\", \"ms\": 5}\n", wall.Format(time.RFC3339)))
			if err := os.Chtimes(path, wall, wall); err != nil {
				t.Fatalf("set the time of %s: got %v, want no error", path, err)
			}
		}
		for i, jump := range []time.Duration{0, 24 * time.Hour, -48 * time.Hour, 24 * time.Hour} {
			for n := i; n > 1; n-- { // rotate
				rename(t, fmt.Sprint(path, ".", n-1), fmt.Sprint(path, ".", n))
			}
			if i > 0 {
				rename(t, path, path+".1")
			}
			time.Sleep(300 * time.Millisecond)
			wall = wall.Add(jump)
			request()
			time.Sleep(200 * time.Millisecond)
			wall = wall.Add(200 * time.Millisecond)
			request()
			time.Sleep(500 * time.Millisecond)
		}
	})
	second := "last second: 2 requests, p99 5 ms, [/a: 2]"
	expect(t, got, []string{second, second, second, second, "total: 8 requests, p99 5 ms, [/a: 8]", "bad lines: 0"})
}

func TestDashboardAsAProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	write(t, path, "{\"path\": \"/a\", \"ms\": 5}\n")
	p := programtest.Start(t, "", path)
	if line := p.Line(); line != "last second: 1 requests, p99 5 ms, [/a: 1]" {
		t.Errorf("the first line is %q, want a window of one request", line)
	}
	p.Signal(syscall.SIGINT)
	r := p.Wait()
	if end := r.Lines[max(0, len(r.Lines)-2):]; r.Code != 0 || !slices.Equal(end, []string{"total: 1 requests, p99 5 ms, [/a: 1]", "bad lines: 0"}) {
		t.Errorf("after the interrupt the program printed %q and %q and exited with %d, want the totals last and 0", r.Lines, r.Stderr, r.Code)
	}
}
