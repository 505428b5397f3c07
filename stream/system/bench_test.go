//go:build unix

package system_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream/system"
)

// BenchmarkFollow reads a file that is there already, beside a loop over bufio.Scanner. It does
// without inotify: Linux takes milliseconds to close a watch, once a run.
func BenchmarkFollow(b *testing.B) {
	const lines = 10_000
	path := filepath.Join(b.TempDir(), "log")
	contents := strings.Repeat("127.0.0.1 GET /index.html 200 "+strings.Repeat("x", 50)+"\n", lines)
	if err := os.WriteFile(path, []byte(contents), 0o600); err != nil {
		b.Fatalf("write %s: got %v, want no error", path, err)
	}
	run := func(name string, read func() (int, error)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(contents)))
			b.ReportAllocs()
			for b.Loop() {
				if n, err := read(); n != lines || err != nil {
					b.Fatalf("%s: got %d lines, %v; want %d", name, n, err, lines)
				}
			}
		})
	}
	run("bufio.Scanner", func() (n int, err error) {
		file, err := os.Open(path)
		if err != nil {
			return 0, err
		}
		defer file.Close()
		for scanner := bufio.NewScanner(file); scanner.Scan(); n++ {
			sink = scanner.Text()
		}
		return n, nil
	})
	follow := operators.Take[system.Line](lines)(system.Follow(path, system.FollowOptions{PollOnly: true}))
	run("Follow", func() (n int, err error) {
		err = follow.ForEach(b.Context(), func(line system.Line) { sink = line.Text; n++ })
		return n, err
	})
}

var sink string
