//go:build unix

package system_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/stream/streamtest"
	"github.com/rxipc/rxipc/stream/system"
	"github.com/rxipc/rxipc/stream/text"
)

var errCause = errors.New("why the context ended")

// appendTo appends to a file, which it makes if need be.
func appendTo(t *testing.T, path, contents string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(contents)
		err = errors.Join(err, f.Close())
	}
	must(t, fmt.Sprintf("append %q to %s", contents, path), err)
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	must(t, "rename "+from+" to "+to, os.Rename(from, to))
}

// tail is a run of Follow in a bubble.
type tail struct {
	t      *testing.T
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	lines []system.Line
	seen  int
	over  bool
	err   error
}

func startTail(t *testing.T, path string, options system.FollowOptions) *tail {
	options.PollOnly = true
	ctx, cancel := context.WithCancelCause(t.Context())
	r := &tail{t: t, cancel: cancel}
	go func() {
		err := system.Follow(path, options)(ctx, func(line system.Line) bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.lines = append(r.lines, line)
			return true
		})
		r.mu.Lock()
		defer r.mu.Unlock()
		r.err, r.over = err, true
	}()
	return r
}

// expect waits until the file has been looked at, and compares what came.
func (r *tail) expect(want ...string) {
	r.t.Helper()
	time.Sleep(time.Second) // virtual
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	var got []string
	for _, line := range r.lines[r.seen:] {
		got = append(got, line.Text)
	}
	r.seen = len(r.lines)
	if !slices.Equal(got, want) {
		r.t.Fatalf("Follow emitted %q, want %q; ended %v, %v", got, want, r.over, r.err)
	}
}

// end cancels the run.
func (r *tail) end() {
	r.t.Helper()
	r.cancel(errCause)
	synctest.Wait()
	if !r.over || r.err != errCause {
		r.t.Errorf("cancel a run that waits: ended %v, got %v; want %v", r.over, r.err, errCause)
	}
}

// followed tests with a file in a bubble.
func followed(t *testing.T, test func(t *testing.T, path string)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app.log")
	synctest.Test(t, func(t *testing.T) { test(t, path) })
}

// tailed tests a run of Follow that has the file from its beginning on.
func tailed(t *testing.T, options system.FollowOptions, contents string, test func(t *testing.T, path string, r *tail)) {
	t.Helper()
	followed(t, func(t *testing.T, path string) {
		appendTo(t, path, contents)
		r := startTail(t, path, options)
		test(t, path, r)
		r.end()
	})
}

func TestFollowEmitsWhatIsAppended(t *testing.T) {
	tailed(t, system.FollowOptions{}, "a\nb", func(t *testing.T, path string, r *tail) {
		r.expect("a")
		appendTo(t, path, "c\r")
		r.expect()
		appendTo(t, path, "\n\nd\n")
		r.expect("bc", "", "d")
	})
}

func TestFollowWaitsForTheFileAndItsFolder(t *testing.T) {
	followed(t, func(t *testing.T, path string) {
		path = filepath.Join(path, "sub", "app.log")
		r := startTail(t, path, system.FollowOptions{From: system.End})
		r.expect()
		must(t, "make the folder", os.MkdirAll(filepath.Dir(path), 0o700))
		r.expect()
		appendTo(t, path, "a\n")
		r.expect("a")
		r.end()
	})
}

func TestFollowFromTheEnd(t *testing.T) {
	tailed(t, system.FollowOptions{From: system.End}, "old\n", func(t *testing.T, path string, r *tail) {
		r.expect()
		appendTo(t, path, "new\n")
		r.expect("new")
	})
}

func TestFollowGoesOnWhenTheFileIsRenamed(t *testing.T) {
	tailed(t, system.FollowOptions{}, "a\n", func(t *testing.T, path string, r *tail) {
		r.expect("a")
		rename(t, path, path+".1")
		appendTo(t, path+".1", "b\n") // the writer does not know yet
		r.expect("b")
		appendTo(t, path, "")
		appendTo(t, path+".1", "c\nlast") // nor now
		r.expect("c")
		appendTo(t, path, "d\n")
		r.expect("last", "d")
		appendTo(t, path+".1", "lost\n") // the file was left
		appendTo(t, path, "e\n")
		r.expect("e")
	})
}

func TestFollowGoesOnWhenTheFileIsTruncated(t *testing.T) {
	tailed(t, system.FollowOptions{}, "a\nb\nlast", func(t *testing.T, path string, r *tail) {
		r.expect("a", "b")
		must(t, "truncate "+path, os.Truncate(path, 0))
		r.expect("last")
		appendTo(t, path, "c\n")
		r.expect("c")
	})
}

// age sets the time of a file to so many hours ago.
func age(t *testing.T, path string, hours int) {
	t.Helper()
	then := time.Now().Add(-time.Duration(hours) * time.Hour)
	must(t, "set the time of "+path, os.Chtimes(path, then, then))
}

func TestFollowReadsWhatWasRotatedMeanwhile(t *testing.T) {
	followed(t, func(t *testing.T, path string) {
		appendTo(t, path, "a\n")
		appendTo(t, path+".9", "older\n")
		appendTo(t, path+".state", "not a log\n")
		age(t, path+".9", 9)
		r := startTail(t, path, system.FollowOptions{})
		r.expect("a")
		rename(t, path, path+".3")
		age(t, path+".3", 3)
		appendTo(t, path+".2", "b\nunfinished")
		age(t, path+".2", 2)
		appendTo(t, path+"-20261127", "c\n")
		age(t, path+"-20261127", 1)
		appendTo(t, path+".4.gz", "compressed\n")
		age(t, path+".4.gz", 1)
		r.expect("b", "unfinished", "c")
		appendTo(t, path, "d\n")
		r.expect("d")
		r.end()
	})
}

func TestFollowGoesOnAtAPosition(t *testing.T) {
	followed(t, func(t *testing.T, path string) {
		appendTo(t, path, "a\nb\nc\n")
		r := startTail(t, path, system.FollowOptions{})
		r.expect("a", "b", "c")
		r.end()
		after := r.lines[1].Next
		resumed := func(want ...string) {
			t.Helper()
			r := startTail(t, path, system.FollowOptions{From: after})
			r.expect(want...)
			r.end()
		}
		resumed("c")
		rename(t, path, path+".1")
		age(t, path+".1", 1)
		resumed("c") // path does not exist
		appendTo(t, path, "d\n")
		resumed("c", "d")
		must(t, "remove "+path+".1", os.Remove(path+".1"))
		resumed("d") // that file is gone
		after = system.Position{Offset: 1000}
		resumed("d")
	})
}

func TestFollowGoesOnAtThePositionOfATruncatedFile(t *testing.T) {
	followed(t, func(t *testing.T, path string) {
		appendTo(t, path, "abc\ndef\n")
		r := startTail(t, path, system.FollowOptions{})
		r.expect("abc", "def")
		r.end()
		for _, c := range []struct{ contents, want string }{{"x\n", "x"}, {"longer than before\n", "longer than before"}} {
			must(t, "write "+path, os.WriteFile(path, []byte(c.contents), 0o600))
			r := startTail(t, path, system.FollowOptions{From: r.lines[1].Next})
			r.expect(c.want)
			r.end()
		}
	})
}

func TestFollowLinesOverTheLimit(t *testing.T) {
	followed(t, func(t *testing.T, path string) {
		appendTo(t, path, "abc\nabcdef")
		var skipped []int64
		failing := startTail(t, path, system.FollowOptions{Limit: 3})
		skipping := startTail(t, path, system.FollowOptions{Limit: 3, Skip: func(err *text.Error) { skipped = append(skipped, err.Offset) }})
		failing.expect("abc")
		if !failing.over || !errors.Is(failing.err, text.ErrTooLong) || !strings.HasPrefix(failing.err.Error(), path+": text: line 2, at byte 4: ") {
			t.Errorf("follow a line over the limit: ended %v, %v; want an ErrTooLong that names file and line", failing.over, failing.err)
		}
		appendTo(t, path, "gh\nabc\n")
		skipping.expect("abc", "abc")
		if !slices.Equal(skipped, []int64{4}) {
			t.Errorf("follow lines over the limit with Skip: skipped lines at %v, want 4", skipped)
		}
		skipping.end()
	})
}

func TestFollowOfWhatIsNoFile(t *testing.T) {
	folder := t.TempDir()
	pipe := filepath.Join(folder, "pipe")
	must(t, "make the pipe "+pipe, syscall.Mkfifo(pipe, 0o600))
	for _, path := range []string{folder, pipe} {
		var failed *fs.PathError
		if err := system.Follow(path, system.FollowOptions{}).Run(t.Context()); !errors.As(err, &failed) || failed.Path != path {
			t.Errorf("Follow of %s: got %v, want a PathError that names it", path, err)
		}
	}
	for _, path := range []string{filepath.Join(pipe, "x")} {
		if err := system.Follow(path, system.FollowOptions{}).Run(t.Context()); !errors.Is(err, syscall.ENOTDIR) {
			t.Errorf("Follow of %s: got %v, want ENOTDIR", path, err)
		}
	}
}

func TestFollowKeepsTheContract(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	appendTo(t, path, "a\nb\nc\n")
	info, err := os.Stat(path)
	must(t, "look at "+path, err)
	stat := info.Sys().(*syscall.Stat_t)
	var want []system.Line
	for i, line := range []string{"a", "b", "c"} {
		want = append(want, system.Line{Text: line, Next: system.Position{
			Device: uint64(stat.Dev), File: uint64(stat.Ino), Offset: int64(2*i + 2)}})
	}
	source := system.Follow(path, system.FollowOptions{PollOnly: true})
	streamtest.Check(t, source, want, streamtest.Endless())
}

// TestFollowLosesAndRepeatsNothing writes, renames and truncates at random, between looks.
func TestFollowLosesAndRepeatsNothing(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			followed(t, func(t *testing.T, path string) { followAtRandom(t, path, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func followAtRandom(t *testing.T, path string, random *rand.Rand) {
	appendTo(t, path, "")
	r := startTail(t, path, system.FollowOptions{})
	r.expect()
	var want []string
	n := 0
	for step := range 60 {
		switch random.IntN(6) {
		case 0:
			r.expect(want...) // read before the truncation
			want = nil
			os.Truncate(path, 0)
			r.expect() // a file that grew again is taken for the same
		case 1, 2:
			if info, err := os.Stat(path); err == nil && info.Size() > 0 { // else it has no time of its own
				old := fmt.Sprintf("%s.%d", path, 100-step)
				rename(t, path, old)
				age(t, old, 100-step)
			}
		default:
			for range random.IntN(4) {
				n++
				want = append(want, fmt.Sprint("line ", n))
				appendTo(t, path, want[len(want)-1]+"\n")
			}
		}
		if random.IntN(3) == 0 {
			r.expect(want...)
			want = nil
		}
	}
	appendTo(t, path, "end\n")
	r.expect(append(want, "end")...)
	r.end()
}

func TestIsRotated(t *testing.T) {
	for name, want := range map[string]bool{
		"app.log.1": true, "app.log-20261127": true, "app-2026-11-27T10-00-00.000.log": true, "app.log.2026-11-27_10:00": true,
		"app.log": false, "app.log.state": false, "app.log.1.gz": false, "app.log1": false, "app-errors.log": false, "app.log.": false, "other.log.1": false,
	} {
		if got := system.IsRotated("app.log", name); got != want {
			t.Errorf("isRotated of app.log and %s: got %v, want %v", name, got, want)
		}
	}
}
