package socket

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"time"
)

// quietPause is the longest time between two tries of a client that waits for news of a name,
// in case the news got lost.
const quietPause = 5 * time.Second

// watcher is a Transport that gives news of names, so that a client need not try all the time.
type watcher interface {
	// watchName returns a channel that has a value when the name may have become reachable.
	// The caller calls stop in the end.
	watchName(Name) (news <-chan struct{}, stop func())
}

// patience is how a client waits between two tries to connect: from 1 ms to 50 ms, twice
// as long each time. For a name without a server it waits quietPause instead of 50 ms, if the
// transport tells when there is one.
type patience struct {
	transport Transport
	name      Name
	pause     time.Duration
	news      <-chan struct{} // of the name; nil: the client does not wait for news
	forget    func()          // stops the news
}

// isTold reports whether the transport will give news of a server, after a try that failed.
func (p *patience) isTold(err error) bool {
	_, told := p.transport.(watcher)
	return told && tellsNews(err)
}

// rest waits after a try that failed, or until ctx ends.
func (p *patience) rest(ctx context.Context, err error) error {
	told := p.isTold(err)
	if told && p.news == nil {
		p.news, p.forget = p.transport.(watcher).watchName(p.name)
		return context.Cause(ctx) // the name may have become reachable before
	}
	pause := min(max(2*p.pause, firstPause), longestPause)
	if p.pause = pause; told && pause == longestPause {
		pause = quietPause
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.news:
		p.pause = 0 // it may not listen yet
	case <-ctx.Done():
	}
	return context.Cause(ctx)
}

// stop ends the waiting.
func (p *patience) stop() {
	if p.forget != nil {
		p.forget()
	}
}

// tellsNews reports whether a server that starts after this failure to connect will make a
// file. Systems other than Linux also refuse a connection when the queue is full.
func tellsNews(err error) bool {
	return errors.Is(err, ErrNotListening) && (errors.Is(err, fs.ErrNotExist) || runtime.GOOS == "linux")
}

const (
	// firstPause and longestPause bound how long a client waits before it looks for
	// a server again; the pause doubles from one to the other.
	firstPause   = time.Millisecond
	longestPause = 50 * time.Millisecond
)
