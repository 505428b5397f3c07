package folderwatch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWatchHasTheSystemWatchOneFolderAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "later")
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Skip("this system watches no more folders: ", err)
	}
	n := &inotify{watch: &Watch{Dir: dir, Look: lookPause}, file: os.NewFile(uintptr(fd), "inotify")}
	defer n.file.Close()
	for _, made := range []string{"", filepath.Dir(dir), dir} {
		if err := os.MkdirAll(made, 0o700); made != "" && err != nil {
			t.Fatal("making a folder: ", err)
		}
		if err := n.arm(); err != nil {
			t.Fatalf("watching for %s when there is %q: %v", dir, made, err)
		}
		info, err := os.ReadFile(fmt.Sprint("/proc/self/fdinfo/", fd))
		if err != nil {
			t.Skip("this system does not tell what is watched: ", err)
		}
		if watched := strings.Count(string(info), "inotify wd:"); watched != 1 {
			t.Errorf("%d folders are watched when there is %q, want 1", watched, made)
		}
	}
}

func TestWatchOfWritesGivesNewsOfFilesThatChange(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x")
	watch := &Watch{Dir: dir, Writes: true}
	other, stopOther := watch.Add("y")
	news, stop := watch.Add("x")
	everything, stopAll := watch.Add("")
	for _, change := range []struct {
		what string
		do   func() error
	}{
		{"a file that is made", func() error { return os.WriteFile(file, nil, 0o600) }},
		{"a file that is written to", func() error { return os.WriteFile(file, []byte("content"), 0o600) }},
		{"a file that is moved", func() error { return os.Rename(file, file+".1") }},
		{"a file that is moved back", func() error { return os.Rename(file+".1", file) }},
		{"a file that is removed", func() error { return os.Remove(file) }},
	} {
		if err := change.do(); err != nil {
			t.Fatalf("making %s: %v", change.what, err)
		}
		awaitNews(t, news, change.what)
		awaitNews(t, everything, change.what+", to one that waits for any file")
	}
	if len(other) > 0 {
		t.Error("a waiter for another file got news, want none")
	}
	stopAll()
	stopOther()
	stop()
}

func TestWatchWithoutWritesGivesNoNewsOfThem(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err != nil {
		t.Fatalf("making a file: %v", err)
	}
	watch := &Watch{Dir: dir}
	written, stopWritten := watch.Add("x")
	made, stopMade := watch.Add("y")
	if err := os.WriteFile(filepath.Join(dir, "x"), []byte("content"), 0o600); err != nil {
		t.Fatalf("writing to a file: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "y"), nil, 0o600); err != nil {
		t.Fatalf("making another file: %v", err)
	}
	awaitNews(t, made, "a file that is made after another was written to")
	if len(written) > 0 {
		t.Error("a waiter for a file that was written to got news, want none")
	}
	stopWritten()
	stopMade()
}
