package unixsock

import (
	"context"
	"io/fs"
	"os"
	"sync"
	"time"
)

const (
	// lookPause is the time between two looks at a folder, where the system gives no news.
	lookPause = 20 * time.Millisecond

	// racyTime is the time after a change of a folder in which another change may have left
	// the same modification time.
	racyTime = 100 * time.Millisecond
)

// FolderWatch gives news of files in a folder. On Linux the system reports new files
// (inotify). Elsewhere, and where inotify fails, one goroutine looks whether the folder has
// changed. A FolderWatch without waiters costs nothing. All methods may be called from any
// goroutine.
type FolderWatch struct {
	Dir string // need not exist; not to be changed once there was a waiter

	mu      sync.Mutex
	waiters map[*waiter]struct{}
	end     func() // ends the watching and returns when it has ended; nil: it has not begun
}

// waiter waits for a file.
type waiter struct {
	file string
	news chan struct{} // has a value when there is news
}

// Add waits for news of a file: news has a value when the file may have appeared since the
// last one. The caller calls stop in the end. The last stop returns when nothing watches the
// folder any more.
func (f *FolderWatch) Add(file string) (news <-chan struct{}, stop func()) {
	w := &waiter{file: file, news: make(chan struct{}, 1)}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiters == nil {
		f.waiters = map[*waiter]struct{}{}
	}
	f.waiters[w] = struct{}{}
	if f.end == nil {
		f.end = f.start()
	}
	return w.news, func() { f.remove(w) }
}

// remove ends the waiting, and with the last waiter the watching.
func (f *FolderWatch) remove(w *waiter) {
	f.mu.Lock()
	delete(f.waiters, w)
	var end func()
	if len(f.waiters) == 0 {
		end, f.end = f.end, nil
	}
	f.mu.Unlock()
	if end != nil {
		end()
	}
}

// Waiters returns the number of waiters.
func (f *FolderWatch) Waiters() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.waiters)
}

// tell gives news to the waiters for a file, or to all of them if file is empty.
func (f *FolderWatch) tell(file string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.waiters {
		if file != "" && file != w.file {
			continue
		}
		select {
		case w.news <- struct{}{}:
		default: // it has not taken the last news yet
		}
	}
}

// look looks regularly whether the folder has changed, until ctx ends.
func (f *FolderWatch) look(ctx context.Context) {
	var before fs.FileInfo
	ticker := time.NewTicker(lookPause)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		now, err := os.Stat(f.Dir)
		if err != nil {
			now = nil
		}
		if changed(before, now) {
			f.tell("")
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

// lookAround starts look, and returns a function that ends it.
func (f *FolderWatch) lookAround() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var looking sync.WaitGroup
	looking.Go(func() { f.look(ctx) })
	return func() { cancel(); looking.Wait() }
}
