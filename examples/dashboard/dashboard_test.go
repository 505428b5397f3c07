//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/examples/internal/programtest"
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

// TestDashboardOverRotationAndBadLines counts what comes in each second, across a rename
// and a truncation.
func TestDashboardOverRotationAndBadLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	var first strings.Builder
	for ms := 1; ms <= 100; ms++ {
		fmt.Fprintf(&first, "{\"path\": \"/%d\", \"ms\": %d}\n", ms%6, ms)
	}
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		stop, interrupt := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- show(stop, system.Follow(path, system.FollowOptions{PollOnly: true}), &out) }()
		write(t, path, first.String()+"{\"path\": \n")
		time.Sleep(1500 * time.Millisecond)
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatalf("rename %s: got %v, want no error", path, err)
		}
		write(t, path, "{\"path\": \"/a\", \"ms\": 5}\n")
		time.Sleep(time.Second)
		if err := os.Truncate(path, 0); err != nil {
			t.Fatalf("truncate %s: got %v, want no error", path, err)
		}
		time.Sleep(time.Second)
		write(t, path, "{\"path\": \"/1\", \"ms\": 7}\nunfinished")
		time.Sleep(500 * time.Millisecond)
		interrupt()
		if err := <-ended; err != nil {
			t.Errorf("the dashboard failed when it was interrupted: %v", err)
		}
	})
	got := strings.Split(strings.TrimSpace(out.String()), "\n")
	want := []string{ // percentiles are 1% off at most: 99, 5 and 7 are exact
		"last second: 100 requests, p99 99.9 ms, /1 17, /2 17, /3 17, /4 17, /0 16",
		"last second: 1 requests, p99 5.02 ms, /a 1",
		"last second: 0 requests, p99 0 ms",
		"last second: 1 requests, p99 7.03 ms, /1 1",
	}
	for i, line := range want {
		if i >= len(got) || got[i] != line {
			t.Fatalf("line %d of %q, want %q", i, got, line)
		}
	}
	if total := got[len(got)-1]; !strings.HasPrefix(total, "total: 102 requests, p99 ") || !strings.HasSuffix(total, ", /1 18, /2 17, /3 17, /4 17, /0 16") {
		t.Errorf("the totals are %q", total)
	}
}

func TestDashboardAsAProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	write(t, path, "{\"path\": \"/a\", \"ms\": 5}\n")
	p := programtest.Start(t, "", path)
	if line := p.Line(); line != "last second: 1 requests, p99 5.02 ms, /a 1" {
		t.Errorf("the first line is %q", line)
	}
	p.Signal(syscall.SIGINT)
	r := p.Wait()
	if len(r.Lines) == 0 || r.Lines[len(r.Lines)-1] != "total: 1 requests, p99 5.02 ms, /a 1" || r.Code != 0 {
		t.Errorf("got %d, %q, %q; want the totals last, and 0", r.Code, r.Lines, r.Stderr)
	}
}
