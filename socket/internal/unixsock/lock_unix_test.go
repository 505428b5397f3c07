//go:build unix

package unixsock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLockOfAnOlderServerIsRespected(t *testing.T) {
	o := Options{Dir: shortDir(t)}
	older, err := os.OpenFile(filepath.Join(o.Dir, "counter.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	must(t, "making the lock of an older server", err)
	must(t, "locking it", tryLock(older))
	if _, err := New(o).Listen(t.Context(), counter); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "counter.lock") {
		t.Errorf("listening beside an older server that has no socket yet: %v, want ErrInUse and its lock", err)
	}
	must(t, "closing the lock, as the end of the older server does", older.Close())
	mustListen(t, o, counter)
	again, err := os.OpenFile(filepath.Join(o.Dir, "counter.lock"), os.O_RDWR, 0)
	must(t, "opening the older lock", err)
	defer again.Close()
	if err := tryLock(again); err != nil {
		t.Errorf("locking the older lock while a server listens: %v, want that it is free", err)
	}
}

func TestLockInThePlaceOfAnOlderOneIsNoObstacle(t *testing.T) {
	for what, makeIt := range map[string]func(path string) error{
		"a folder":        func(path string) error { return os.Mkdir(path, 0o700) },
		"a link":          func(path string) error { return os.Symlink("elsewhere", path) },
		"a lock not held": func(path string) error { return os.WriteFile(path, nil, 0o600) },
	} {
		u := Options{Dir: shortDir(t)}
		if err := makeIt(filepath.Join(u.Dir, "counter.lock")); err != nil {
			t.Fatalf("making %s: %v", what, err)
		}
		if listener, err := New(u).Listen(t.Context(), counter); err != nil {
			t.Errorf("listening beside %s called like an older lock: %v", what, err)
		} else {
			listener.Close()
		}
	}
}

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
