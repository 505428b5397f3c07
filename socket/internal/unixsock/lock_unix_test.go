//go:build unix

package unixsock

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLockBeginsWithADot(t *testing.T) {
	u := Options{Dir: shortDir(t)}
	mustListen(t, u, counter)
	entries, err := os.ReadDir(u.Dir)
	if err != nil {
		t.Fatal("listing the folder: ", err)
	}
	var listed []string // by those who take each file that is not hidden for a process
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") {
			listed = append(listed, entry.Name())
		}
	}
	if want := []string{"counter.sock"}; !slices.Equal(listed, want) {
		t.Errorf("the files that are not hidden are %q, want %q", listed, want)
	}
}

func TestLockThatWasRemovedBeforeItIsHeldIsNotTheLock(t *testing.T) {
	u := Options{Dir: shortDir(t)}
	path := filepath.Join(u.Dir, "counter.sock")
	first, err := New(u).acquireLock(path)
	if err != nil {
		t.Fatal("locking: ", err)
	}
	defer first.release()
	remove(t, lockPath(path))
	if first.isAt(lockPath(path)) {
		t.Error("a lock is taken for the one at its path, which was removed")
	}
	second, err := New(u).acquireLock(path)
	if err != nil {
		t.Fatal("locking after the lock was removed: ", err)
	}
	defer second.release()
	if first.isAt(lockPath(path)) || !second.isAt(lockPath(path)) {
		t.Error("the lock at the path is not the second one's")
	}
}

func TestLockSaysOnlyWhoHoldsIt(t *testing.T) {
	u := Options{Dir: shortDir(t)}
	path := filepath.Join(u.Dir, "counter.sock")
	if err := os.WriteFile(lockPath(path), []byte(strings.Repeat("a former process\n", 100)), 0o600); err != nil {
		t.Fatal("writing a lock: ", err)
	}
	lock, err := New(u).acquireLock(path)
	if err != nil {
		t.Fatal("locking: ", err)
	}
	defer lock.release()
	want := fmt.Sprintf("%d %s\n", os.Getpid(), filepath.Base(os.Args[0]))
	if got, err := os.ReadFile(lockPath(path)); string(got) != want {
		t.Errorf("a lock that said more before says %q, %v; want %q", got, err, want)
	}
}

func TestLockThatSaysNonsenseIsHeldByAnotherServer(t *testing.T) {
	for _, text := range []string{"", "\n", "7", "x y\n", "-1 a\n", "0 a\n", "99999999999 a\n", strings.Repeat("1", 300)} {
		path := filepath.Join(shortDir(t), "lock")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal("writing a lock: ", err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal("opening a lock: ", err)
		}
		if got := signature(file); got != "another server" {
			t.Errorf("a lock that says %q is held by %q, want another server", text, got)
		}
		file.Close()
	}
	if got := processText(7, "a\x1b[31m"); strings.ContainsRune(got, 0x1b) {
		t.Errorf("a command is shown as %q, want nothing that a terminal obeys", got)
	}
}
