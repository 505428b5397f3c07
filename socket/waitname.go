package socket

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"time"
)

const (
	// quietPause is how long a client waits for news of a name before it looks for itself,
	// in case the news got lost.
	quietPause = 5 * time.Second

	// lookPause is how long the folder is left alone between two looks where the system
	// tells no news of it, and racyTime how long after a change of it another one may
	// have left the same time behind.
	lookPause = 20 * time.Millisecond
	racyTime  = 100 * time.Millisecond
)

// watcher is a Transport that tells when a name may have become reachable, so that a
// client that waits for it need not ask all the time.
type watcher interface {
	// watchName watches for news of a name until the waiter is stopped.
	watchName(Name) *nameWaiter
}

// nameWaiter is one that waits for a file in a folder.
type nameWaiter struct {
	watch *folderWatch
	file  string
	news  chan struct{} // has one when there is something new
}

// tell says that there is something new.
func (w *nameWaiter) tell() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// folderWatch watches one folder for all who wait for a file there: on Linux the system
// tells of new files (inotify), elsewhere one goroutine looks whether the folder changed. It
// costs nothing while nobody waits.
type folderWatch struct {
	dir string

	mu      sync.Mutex
	waiters map[*nameWaiter]struct{}
	end     func() // ends the watching, and returns when it has; nil: it is not watched
}

// add makes a waiter for a file. The folder need not exist yet.
func (f *folderWatch) add(file string) *nameWaiter {
	w := &nameWaiter{watch: f, file: file, news: make(chan struct{}, 1)}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiters == nil {
		f.waiters = map[*nameWaiter]struct{}{}
	}
	f.waiters[w] = struct{}{}
	if f.end == nil {
		f.end = f.start()
	}
	return w
}

// stop ends the waiting. With the last waiter the watching has ended, too.
func (w *nameWaiter) stop() {
	f := w.watch
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

// tell tells those who wait for a file, or all of them if it is empty.
func (f *folderWatch) tell(file string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.waiters {
		if file == "" || file == w.file {
			w.tell()
		}
	}
}

// look looks again and again whether the folder has changed, until ctx ends.
func (f *folderWatch) look(ctx context.Context) {
	var before fs.FileInfo
	for sleep(ctx, lookPause) == nil {
		now, err := os.Stat(f.dir)
		if err != nil {
			now = nil
		}
		if changed(before, now) {
			f.tell("")
		}
		before = now
	}
}

// changed reports whether a folder may have other files than before; nil is one that does
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

// lookAround starts look, and returns what ends it.
func (f *folderWatch) lookAround() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var looking sync.WaitGroup
	looking.Go(func() { f.look(ctx) })
	return func() { cancel(); looking.Wait() }
}

// patience is how a client waits between two tries to connect: from 1 ms to 50 ms, twice
// as long each time. For a name without a server it waits quietPause instead of 50 ms, if the
// transport tells when there is one.
type patience struct {
	transport Transport
	name      Name
	pause     time.Duration
	waiter    *nameWaiter
}

// isTold reports whether the transport tells when there is a server, after a try that failed.
func (p *patience) isTold(err error) bool {
	_, told := p.transport.(watcher)
	return told && tellsNews(err)
}

// rest waits after a try that failed, or until ctx ends.
func (p *patience) rest(ctx context.Context, err error) error {
	told := p.isTold(err)
	if told && p.waiter == nil {
		p.waiter = p.transport.(watcher).watchName(p.name)
		return context.Cause(ctx) // what came before is no news
	}
	var news <-chan struct{}
	if p.waiter != nil {
		news = p.waiter.news
	}
	pause := min(max(2*p.pause, firstPause), longestPause)
	if p.pause = pause; told && pause == longestPause {
		pause = quietPause
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-news:
		p.pause = 0 // it may not listen yet
	case <-ctx.Done():
	}
	return context.Cause(ctx)
}

// stop ends the waiting.
func (p *patience) stop() {
	if p.waiter != nil {
		p.waiter.stop()
	}
}

// tellsNews reports whether a server that is there after this failure to connect makes a
// file. Systems other than Linux also refuse a connection when the queue is full.
func tellsNews(err error) bool {
	return errors.Is(err, ErrNotListening) && (errors.Is(err, fs.ErrNotExist) || runtime.GOOS == "linux")
}
