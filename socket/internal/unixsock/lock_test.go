package unixsock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// On every system a lock excludes other processes, and they can read the name of its holder.
func TestLockNamesItsHolder(t *testing.T) {
	place := New(Options{Dir: t.TempDir()})
	path := filepath.Join(place.dir, "counter"+socketSuffix)
	lock, err := place.acquireLock(path)
	if err != nil {
		t.Fatal("locking: ", err)
	}
	_, err = place.acquireLock(path)
	want := fmt.Sprintf("name already in use: process %d (%s), this one, holds %s", os.Getpid(), filepath.Base(os.Args[0]), lockPath(path))
	if !errors.Is(err, ErrInUse) || err.Error() != want {
		t.Errorf("locking a second time: %v, want %s", err, want)
	}
	if err := lock.release(); err != nil {
		t.Error("unlocking: ", err)
	}
	again, err := place.acquireLock(path)
	if err != nil {
		t.Fatal("locking after unlocking: ", err)
	}
	if err := again.release(); err != nil {
		t.Error("unlocking: ", err)
	}
}
