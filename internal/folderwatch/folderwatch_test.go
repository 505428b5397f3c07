//go:build unix

package folderwatch

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

const lookPause = 20 * time.Millisecond

// newWatch watches a folder, with the system's help or by looking.
func newWatch(dir string, byLooking bool) (watch *Watch, end func()) {
	watch = &Watch{Dir: dir, Look: lookPause}
	if byLooking {
		watch.end = watch.lookAround()
	}
	return watch, func() {
		if watch.end != nil {
			watch.end()
		}
	}
}

// awaitNews waits until a waiter is told something.
func awaitNews(t *testing.T, news <-chan struct{}, of string) {
	t.Helper()
	select {
	case <-news:
	case <-time.After(2 * time.Minute):
		t.Fatalf("nobody told of %s", of)
	}
}

func TestWatchGivesNewsOfAFileThatComes(t *testing.T) {
	for _, byLooking := range []bool{false, true} {
		base := t.TempDir()
		dir := filepath.Join(base, "made", "later")
		watch, end := newWatch(dir, byLooking)
		news, stop := watch.Add("x.sock")
		appear := func(what string, makeIt func() error) {
			t.Helper()
			if err := makeIt(); err != nil {
				t.Fatalf("making %s: %v", what, err)
			}
			awaitNews(t, news, what)
			for len(news) > 0 {
				<-news
			}
		}
		file := func() error { return os.WriteFile(filepath.Join(dir, "x.sock"), nil, 0o600) }
		folder := func() error { return os.MkdirAll(dir, 0o700) }
		appear("a folder with parents", folder)
		appear("a file", file)
		appear("a file that was made again", func() error {
			return errors.Join(os.Remove(filepath.Join(dir, "x.sock")), file())
		})
		appear("a file that was moved there", func() error {
			other := filepath.Join(base, "other")
			return errors.Join(os.WriteFile(other, nil, 0o600), os.Rename(other, filepath.Join(dir, "x.sock")))
		})
		appear("a folder that was made again", func() error { return errors.Join(os.RemoveAll(filepath.Dir(dir)), folder()) })
		appear("a file in it", file)
		appear("a folder in the place of another one", func() error {
			return errors.Join(os.Rename(dir, dir+".old"), folder(), file())
		})
		stop()
		end()
	}
}

func TestWatchIsShared(t *testing.T) {
	watch := &Watch{Dir: t.TempDir(), Look: lookPause}
	_, stopFirst := watch.Add("x.sock")
	_, stopSecond := watch.Add("y.sock")
	before := openDescriptors(t)
	var news []<-chan struct{}
	var stops []func()
	for range 100 {
		n, stop := watch.Add("x.sock")
		news, stops = append(news, n), append(stops, stop)
	}
	if after := openDescriptors(t); after > before {
		t.Errorf("100 more waiters opened %d descriptors, want none", after-before)
	}
	if err := os.WriteFile(filepath.Join(watch.Dir, "x.sock"), nil, 0o600); err != nil {
		t.Fatalf("making a file: %v", err)
	}
	for i := range news {
		awaitNews(t, news[i], "a file that all wait for")
		stops[i]()
	}
	stopFirst()
	if watch.end == nil || watch.Waiters() != 1 {
		t.Errorf("with one of 102 waiters left there are %d, and it is watched: %v", watch.Waiters(), watch.end != nil)
	}
	stopSecond()
	if watch.end != nil || watch.Waiters() > 0 {
		t.Errorf("after all were stopped there are %d waiters, and it is watched: %v", watch.Waiters(), watch.end != nil)
	}
	again, stop := watch.Add("x.sock")
	path := filepath.Join(watch.Dir, "x.sock")
	if err := errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o600)); err != nil {
		t.Fatalf("making a file again: %v", err)
	}
	awaitNews(t, again, "a file, to one that waits after others had")
	stop()
}

// openDescriptors counts those of this process, where the system has a folder of them.
func openDescriptors(t *testing.T) int {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Log("this system does not tell which descriptors are open: ", err)
	}
	return len(entries)
}

func TestWatchLeavesNoGoroutine(t *testing.T) {
	// A bubble ends when all that was started in it has ended.
	synctest.Test(t, func(t *testing.T) {
		watch := &Watch{Dir: filepath.Join(t.TempDir(), "missing"), Look: lookPause}
		for range 3 {
			_, stopOne := watch.Add("x.sock")
			_, stopOther := watch.Add("x.sock")
			stopOne()
			stopOther()
		}
		end := watch.lookAround()
		time.Sleep(time.Minute)
		end()
	})
}

func TestWatchNoticesAFolderInThePlaceOfAnother(t *testing.T) {
	base, old := t.TempDir(), time.Now().Add(-time.Hour)
	var folders []os.FileInfo
	for _, name := range []string{"one", "other"} {
		dir := filepath.Join(base, name)
		if err := errors.Join(os.Mkdir(dir, 0o700), os.Chtimes(dir, old, old)); err != nil {
			t.Fatalf("making an old folder: %v", err)
		}
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatalf("looking at a folder: %v", err)
		}
		folders = append(folders, info)
	}
	if changed(folders[0], folders[0]) {
		t.Error("a folder that is as old as before has changed, want not")
	}
	if !changed(folders[0], folders[1]) {
		t.Error("another folder, as old as the one before, has not changed, want that it has")
	}
}
