package system_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/system"
)

// descriptors are the files that this process has open.
func descriptors(t *testing.T) (open []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	must(t, "list the open files", err)
	for _, entry := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil {
			open = append(open, target)
		}
	}
	slices.Sort(open)
	return open
}

// received waits for a value: long, as a loaded machine needs it.
func received[T any](t *testing.T, values <-chan T) T {
	t.Helper()
	select {
	case v := <-values:
		return v
	case <-time.After(2 * time.Minute):
		t.Fatal("wait for a value: got none in two minutes, want one")
		panic("unreachable")
	}
}

// TestFollowIsToldOfChanges polls so rarely that the test would never end.
func TestFollowIsToldOfChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	before := descriptors(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	subscribed := make(chan struct{})
	watched := stream.OnSubscribed(ctx, func() { close(subscribed) })
	lines, wait := system.Follow(path, system.FollowOptions{Poll: 1000 * time.Hour}).Channel(watched, 0)
	received(t, subscribed)
	appendTo(t, path, "a\n")
	if line := received(t, lines); line.Text != "a" {
		t.Fatalf("a file that was made: got %q, want a", line.Text)
	}
	appendTo(t, path, "b\n")
	if line := received(t, lines); line.Text != "b" {
		t.Fatalf("a line that was appended: got %q, want b", line.Text)
	}
	rename(t, path, path+".1")
	appendTo(t, path, "c\n")
	if line := received(t, lines); line.Text != "c" {
		t.Fatalf("a file that was rotated: got %q, want c", line.Text)
	}
	cancel(errCause)
	if err := wait(); err != errCause {
		t.Errorf("a run that was cancelled: %v, want %v", err, errCause)
	}
	if after := descriptors(t); !slices.Equal(before, after) {
		t.Errorf("open descriptors after the run: got %q, want those before it, %q", after, before)
	}
}

func TestChangesAreTold(t *testing.T) {
	folder := t.TempDir()
	before := descriptors(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	subscribed := make(chan struct{})
	watched := stream.OnSubscribed(ctx, func() { close(subscribed) })
	found, wait := system.Changes(folder, system.ChangesOptions{Poll: 1000 * time.Hour}).Channel(watched, 0)
	received(t, subscribed)
	appendTo(t, filepath.Join(folder, "a"), "contents")
	if c := received(t, found); c.Name != "a" || c.Kind != system.Created {
		t.Fatalf("a file that was made: got %v %v, want a created", c.Name, c.Kind)
	}
	must(t, "make the folder b", os.Mkdir(filepath.Join(folder, "b"), 0o700))
	for c := range found { // a may have been seen before it had contents
		if c.Name == "b" && c.Kind == system.Created {
			break
		}
	}
	cancel(errCause)
	if err := wait(); err != errCause {
		t.Errorf("a run that was cancelled: %v, want %v", err, errCause)
	}
	if after := descriptors(t); !slices.Equal(before, after) {
		t.Errorf("open descriptors after the run: got %q, want those before it, %q", after, before)
	}
}

// TestFollowIsToldOfAFolderThatIsMadeLater polls so rarely that the test would never end.
func TestFollowIsToldOfAFolderThatIsMadeLater(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "made", "later")
	ctx, cancel := context.WithCancelCause(t.Context())
	subscribed := make(chan struct{})
	watched := stream.OnSubscribed(ctx, func() { close(subscribed) })
	lines, wait := system.Follow(filepath.Join(folder, "app.log"), system.FollowOptions{Poll: 1000 * time.Hour}).Channel(watched, 0)
	received(t, subscribed)
	must(t, "make the folder", os.MkdirAll(folder, 0o700))
	appendTo(t, filepath.Join(folder, "app.log"), "a\n")
	if line := received(t, lines); line.Text != "a" {
		t.Errorf("a file in a folder that was made later: got %q, want a", line.Text)
	}
	cancel(errCause)
	if err := wait(); err != errCause {
		t.Errorf("a run that was cancelled: %v, want %v", err, errCause)
	}
}
