package journal_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rxipc/rxipc/socket/nats/journal"
)

// TestAppendToAFullDiskLosesNothing has a disk of 4 MiB in memory. Only root may mount one.
func TestAppendToAFullDiskLosesNothing(t *testing.T) {
	disk := t.TempDir()
	if err := unix.Mount("none", disk, "tmpfs", 0, "size=4m"); errors.Is(err, os.ErrPermission) {
		t.Skip("this user may not mount a disk")
	} else if err != nil {
		t.Fatalf("mount a disk: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, 0); err != nil {
			t.Errorf("unmount the disk: %v", err)
		}
	})
	folder := filepath.Join(disk, "journal")
	j := opened(t, folder, journal.Config{Timeout: time.Second})
	stored := fills(t, j)
	closed(t, j)
	if err := unix.Mount("none", disk, "tmpfs", unix.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatalf("make room: %v", err)
	}
	j = opened(t, folder, journal.Config{})
	if last, err := j.Last(t.Context()); last < stored || err != nil {
		t.Errorf("last message: got %d, %v; want at least %d, those that were appended", last, err, stored)
	}
	appended(t, j, texts(1, 1)...)
	closed(t, j)
}
