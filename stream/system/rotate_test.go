//go:build unix

package system_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
	"github.com/rxipc/rxipc/stream/system"
	"github.com/rxipc/rxipc/stream/text"
)

// contents are the files of a folder, without their common name.
func contents(t *testing.T, path string) map[string]string {
	t.Helper()
	found, err := filepath.Glob(path + "*")
	must(t, "list "+path+"*", err)
	files := make(map[string]string)
	for _, name := range found {
		b, err := os.ReadFile(name)
		must(t, "read "+name, err)
		files[strings.TrimPrefix(name, path)] = string(b)
	}
	return files
}

func expectFiles(t *testing.T, path string, want map[string]string) {
	t.Helper()
	if got := contents(t, path); !maps.Equal(got, want) {
		t.Errorf("the files are %q, want %q", got, want)
	}
}

func write(t *testing.T, f *system.RotatingFile, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if n, err := f.Write([]byte(line)); err != nil || n != len(line) {
			t.Fatalf("Write of %q: got %d, %v, want %d and no error", line, n, err, len(line))
		}
	}
}

func TestRotatingFileBySize(t *testing.T) {
	for _, sync := range []time.Duration{0, -1, time.Hour} {
		path := filepath.Join(t.TempDir(), "log")
		f, err := system.OpenRotating(path, system.Rotation{MaxSize: 6, Keep: 2, Sync: sync})
		must(t, "open "+path, err)
		write(t, f, "a\n", "bc\n", "d\n", "longer than that\n", "e\n", "f\n")
		must(t, "sync and close "+path, errors.Join(f.Sync(), f.Close()))
		expectFiles(t, path, map[string]string{"": "e\nf\n", ".1": "longer than that\n", ".2": "d\n"})
	}
}

func TestRotatingFileEndsATornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	must(t, "write "+path, os.WriteFile(path, []byte("a\nto"), 0o600))
	f, err := system.OpenRotating(path, system.Rotation{})
	must(t, "open "+path, err)
	write(t, f, "b\n")
	must(t, "close "+path, f.Close())
	expectFiles(t, path, map[string]string{"": "a\nto\nb\n"})
}

func TestRotatingFileByTheClock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	w := wall{}
	open := func() *system.RotatingFile {
		f, err := system.OpenRotatingBy(path, system.Rotation{At: system.Every(time.Hour)}, w.now)
		must(t, "open "+path, err)
		return f
	}
	w.ahead = time.Until(time.Now().Truncate(time.Hour).Add(10 * time.Minute)) // ten past
	f := open()
	write(t, f, "a\n", "b\n")
	w.ahead += 2 * time.Hour
	write(t, f, "c\n", "d\n")
	f.Close()
	expectFiles(t, path, map[string]string{"": "c\nd\n", ".1": "a\nb\n"})

	last := w.now()
	must(t, "set the time of "+path, os.Chtimes(path, last, last))
	f = open() // in the same hour
	write(t, f, "e\n")
	f.Close()
	expectFiles(t, path, map[string]string{"": "c\nd\ne\n", ".1": "a\nb\n"})

	w.ahead += time.Hour
	f = open() // in another
	write(t, f, "f\n")
	f.Close()
	expectFiles(t, path, map[string]string{"": "f\n", ".1": "c\nd\ne\n", ".2": "a\nb\n"})
}

// TestRotatingFileWithoutAFolder takes the folder away while a file is rotated.
func TestRotatingFileWithoutAFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "logs")
	path := filepath.Join(folder, "log")
	must(t, "make the folder", os.Mkdir(folder, 0o700))
	f, err := system.OpenRotating(path, system.Rotation{MaxSize: 2})
	must(t, "open "+path, err)
	write(t, f, "a\n")
	must(t, "remove the folder", os.RemoveAll(folder))
	for range 2 {
		if n, err := f.Write([]byte("b\n")); n != 0 || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Write without the folder: got %d, %v; want 0, fs.ErrNotExist", n, err)
		}
	}
	must(t, "sync without the folder", f.Sync())
	must(t, "make the folder again", os.Mkdir(folder, 0o700))
	write(t, f, "c\n")
	must(t, "close "+path, f.Close())
	expectFiles(t, path, map[string]string{"": "c\n"})
}

func TestRotatingFileThatIsClosed(t *testing.T) {
	f, err := system.OpenRotating(filepath.Join(t.TempDir(), "log"), system.Rotation{Sync: time.Nanosecond})
	must(t, "open a file that is rotated", err)
	write(t, f, "a\n")
	if err := f.Close(); err != nil {
		t.Errorf("close a file: got %v, want no error", err)
	}
	_, written := f.Write([]byte("b\n"))
	for name, err := range map[string]error{"Write": written, "Sync": f.Sync(), "Close": f.Close()} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s of a closed file: %v, want fs.ErrClosed", name, err)
		}
	}
	if _, err := system.OpenRotating(filepath.Join(t.TempDir(), "none", "log"), system.Rotation{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file in a folder that does not exist: %v, want fs.ErrNotExist", err)
	}
}

func TestAppendKeepsTheContract(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	op := system.Append(path, system.Rotation{MaxSize: 10, Sync: time.Second}, text.WriteLines)
	streamtest.CheckOperator(t, op, []string{"a", "b", "c"}, []string{"a", "b", "c"})
}

func TestAppendFailsWithItsFile(t *testing.T) {
	op := system.Append(filepath.Join(t.TempDir(), "none", "log"), system.Rotation{}, text.WriteLines)
	if got, err := op(stream.Just("a")).Collect(t.Context()); !errors.Is(err, fs.ErrNotExist) || len(got) > 0 {
		t.Errorf("a folder that does not exist: got %q, %v; want fs.ErrNotExist", got, err)
	}
}

// TestAppendAndFollow has one write and rotate what the other follows.
func TestAppendAndFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	synctest.Test(t, func(t *testing.T) {
		r := startTail(t, path, system.FollowOptions{})
		var want []string
		f, err := system.OpenRotating(path, system.Rotation{MaxSize: 50, Keep: 100})
		must(t, "open "+path, err)
		for n := range 300 {
			line := fmt.Sprint("line ", n)
			want = append(want, line)
			write(t, f, line+"\n")
			if n%4 == 0 { // at most one rotation between two looks
				time.Sleep(time.Second)
			}
		}
		must(t, "close "+path, f.Close())
		r.expect(want...)
		r.end()
	})
}
