// Package folderwatch gives news of files in a folder. It knows nothing of what is in them, and
// each caller looks for itself what has changed.
//
// A [Watch] may be used from any goroutine. It has one lock, under which it starts the watching,
// and never calls out of the package while it holds that.
package folderwatch

import (
	"context"
	"io/fs"
	"os"
	"sync"
	"time"
)

// racyTime is the time after a change of a folder in which another change may have left
// the same modification time.
const racyTime = 100 * time.Millisecond

// Watch gives news of files in a folder. On Linux the system reports them (inotify). Elsewhere,
// and where inotify fails, one goroutine looks whether the folder has changed, if Look says so. A
// Watch without waiters costs nothing. The fields are not to be changed once there was a waiter.
type Watch struct {
	Dir    string        // need not exist
	Writes bool          // also news of files that are written to, or removed; not by looking
	Look   time.Duration // between two looks; 0: nobody looks where the system gives no news

	mu      sync.Mutex
	waiters map[*waiter]struct{}
	end     func() // ends the watching and returns when it has ended; nil: it has not begun
}

// waiter waits for a file.
type waiter struct {
	file string        // empty: any
	news chan struct{} // has a value when there is news
}

// Add waits for news of a file, or of any file if that is empty: news has a value when the file
// may have appeared or changed since the last one. The caller calls stop in the end. The last
// stop returns when nothing watches the folder any more.
func (w *Watch) Add(file string) (news <-chan struct{}, stop func()) {
	one := &waiter{file: file, news: make(chan struct{}, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiters == nil {
		w.waiters = map[*waiter]struct{}{}
	}
	w.waiters[one] = struct{}{}
	if w.end == nil {
		w.end = w.start()
	}
	return one.news, func() { w.remove(one) }
}

// remove ends the waiting, and with the last waiter the watching.
func (w *Watch) remove(one *waiter) {
	w.mu.Lock()
	delete(w.waiters, one)
	var end func()
	if len(w.waiters) == 0 {
		end, w.end = w.end, nil
	}
	w.mu.Unlock()
	if end != nil {
		end()
	}
}

// Waiters returns the number of waiters.
func (w *Watch) Waiters() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.waiters)
}

// tell gives news to the waiters for a file, or to all of them if file is empty.
func (w *Watch) tell(file string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.waiters {
		if file != "" && one.file != "" && file != one.file {
			continue
		}
		select {
		case one.news <- struct{}{}:
		default: // it has not taken the last news yet
		}
	}
}

// look looks regularly whether the folder has changed, until ctx ends.
func (w *Watch) look(ctx context.Context) {
	var before fs.FileInfo
	ticker := time.NewTicker(w.Look)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		now, err := os.Stat(w.Dir)
		if err != nil {
			now = nil
		}
		if changed(before, now) {
			w.tell("")
		}
		before = now
	}
}

// changed reports whether a folder may have other files than before; nil means that it does
// not exist.
func changed(before, now fs.FileInfo) bool {
	switch {
	case now == nil:
		return false
	case before == nil || !os.SameFile(before, now) || !now.ModTime().Equal(before.ModTime()):
		return true
	}
	return time.Since(now.ModTime()) < racyTime
}

// lookAround starts look, if anybody is to look, and returns a function that ends it.
func (w *Watch) lookAround() (end func()) {
	if w.Look == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var looking sync.WaitGroup
	looking.Go(func() { w.look(ctx) })
	return func() { cancel(); looking.Wait() }
}
