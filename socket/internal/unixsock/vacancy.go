package unixsock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	// firstTry and lastTry bound the pauses between tries after news of a name in use. The
	// system gives news of a server that was killed a moment before it frees the lock.
	firstTry = time.Millisecond
	lastTry  = 64 * time.Millisecond

	// quietTry is the time between two tries without news: of a server without a lock that was
	// killed, or on a system that gives no news of a killed server.
	quietTry = 5 * time.Second
)

// ListenWhenFree is Listen that waits, until ctx ends, while the name is in use. It then fails with
// the cause of ctx and the reason of the last try.
func (p *Place) ListenWhenFree(ctx context.Context, name string) (*Listener, error) {
	listener, err := p.Listen(ctx, name)
	if !errors.Is(err, ErrInUse) {
		return listener, err
	}
	lock := lockPath(filepath.Join(p.dir, name+socketSuffix))
	socketNews, stop := p.departures.Add(name + socketSuffix)
	defer stop()
	lockNews, stop := p.departures.Add(filepath.Base(lock))
	defer stop()
	for pause := p.quiet; ; {
		held := isHeld(lock)
		if !held {
			if listener, err = p.Listen(ctx, name); !errors.Is(err, ErrInUse) {
				return listener, err
			}
			held = errors.Is(err, errHeld)
		}
		freed := lockNews
		if !held { // a server without a lock has the name, and the news are of this call's own lock
			freed = nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-socketNews:
			pause = firstTry
		case <-freed:
			pause = firstTry
		case <-timer.C:
			if pause *= 2; pause > lastTry {
				pause = p.quiet
			}
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// isHeld reports whether another holds a lock. It opens the file for reading only, since the close
// of a file that was open for writing is news to everybody who waits for the lock. If the lock is
// free it is held for a moment, so the caller takes it next.
func isHeld(path string) bool {
	file, err := os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return false // Listen finds out
	}
	defer file.Close()
	err = tryLock(file)
	if err == nil {
		unlock(file)
	}
	return isLocked(err)
}
