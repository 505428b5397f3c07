//go:build unix

package system_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream/streamtest"
	"github.com/rxipc/rxipc/stream/system"
)

func TestChangesOfAFolder(t *testing.T) {
	folder := t.TempDir()
	a, b := filepath.Join(folder, "a"), filepath.Join(folder, "b")
	appendTo(t, b, "1")
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var got []string
		over := make(chan error, 1)
		go func() {
			over <- system.Changes(folder, system.ChangesOptions{PollOnly: true}).ForEach(t.Context(), func(c system.Change) {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, c.Name+" "+c.Kind.String())
			})
		}()
		expect := func(want ...string) {
			t.Helper()
			time.Sleep(time.Second)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(got, want) {
				t.Fatalf("Changes emitted %q, want %q", got, want)
			}
			got = nil
		}
		expect()
		appendTo(t, b, "2")
		appendTo(t, a, "")
		expect("a created", "b modified")
		rename(t, a, b)
		expect("a removed", "b modified")
		must(t, "change the mode of "+b, os.Chmod(b, 0o400))
		expect("b modified")
		appendTo(t, a, "comes and goes")
		os.Remove(a)
		expect()
		os.RemoveAll(folder)
		expect("b removed")
		if err := <-over; !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Changes of a folder that was removed: got %v, want fs.ErrNotExist", err)
		}
	})
	if err := system.Changes(folder, system.ChangesOptions{}).Run(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Changes of a folder that does not exist: got %v, want fs.ErrNotExist", err)
	}
}

func TestChangesOfAFolderThatCannotBeReadAnyMore(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "folder")
	must(t, "make the folder", os.Mkdir(folder, 0o700))
	appendTo(t, filepath.Join(folder, "a"), "")
	synctest.Test(t, func(t *testing.T) {
		seen := func(c system.Change) bool {
			if c.Kind != system.Created {
				t.Errorf("Changes of a folder that cannot be read: got %s %v, want no change", c.Name, c.Kind)
				return true
			}
			rename(t, folder, folder+" moved")
			must(t, "make a link to itself", os.Symlink(folder, folder))
			return true
		}
		err := system.Changes(folder, system.ChangesOptions{Existing: true, PollOnly: true})(t.Context(), seen)
		if !errors.Is(err, syscall.ELOOP) {
			t.Errorf("Changes of a folder that cannot be read: got %v, want ELOOP", err)
		}
	})
}

func TestChangesKeepTheContract(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"a", "b", "c"} {
		appendTo(t, filepath.Join(folder, name), name)
	}
	names := operators.Map(func(c system.Change) string { return c.Name })
	source := system.Changes(folder, system.ChangesOptions{Existing: true, PollOnly: true})
	streamtest.Check(t, names(source), []string{"a", "b", "c"}, streamtest.Endless())
}
