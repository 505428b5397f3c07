package socket

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/rxipc/rxipc/socket/internal/fifo"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// prefetcher runs an observable on a goroutine of its own and keeps its messages for a
// sendWindow. It reads as many ahead as the window allows, so that the window finds some when it
// opens.
type prefetcher struct {
	limit      int           // of messages that are read and not concluded
	spare      int           // free places at which a source that waits goes on: waking it is expensive
	limitBytes int           // of messages that are read and not taken
	room       chan struct{} // a token for a source that waits

	mu    sync.Mutex
	queue fifo.Queue[Message] // not taken
	bytes int                 // of their frames
	open  int                 // messages that are read and not concluded
	full  bool                // the source waits
	ended bool

	waiting *Process    // of a window that waits for a message, see notify
	rung    atomic.Bool // it has been woken
}

// ring wakes the window that waits, if one does, mu held.
func (f *prefetcher) ring() {
	if f.waiting != nil {
		f.rung.Store(true)
		f.waiting.wake()
		f.waiting = nil
	}
}

// woken reports whether ring has woken the window since notify.
func (f *prefetcher) woken() bool { return f.rung.Load() }

func newPrefetcher(config *Config) *prefetcher {
	return &prefetcher{
		limit:      2 * config.Window,
		spare:      (config.Window + 1) / 2,
		limitBytes: max(1, config.WindowBytes),
		room:       make(chan struct{}, 1),
	}
}

// push adds a message. It waits for room, and reports false if ctx ends first.
func (f *prefetcher) push(ctx context.Context, m Message) bool {
	f.mu.Lock()
	for f.open >= f.limit || f.bytes >= f.limitBytes {
		f.full = true
		f.mu.Unlock()
		select {
		case <-f.room:
		case <-ctx.Done():
			return false
		}
		f.mu.Lock()
	}
	f.open++
	f.bytes += wire.FrameSize(m.wire())
	f.queue.Push(m)
	f.ring()
	f.mu.Unlock()
	return true
}

// end says that the observable has ended.
func (f *prefetcher) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	f.ring()
}

// take is the takeFunc of the window.
func (f *prefetcher) take(room int, queue *fifo.Queue[Message]) (ended bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = nil
	room = min(room, f.queue.Len())
	taken := f.queue.All()[:room]
	for _, m := range taken {
		f.bytes -= wire.FrameSize(m.wire())
	}
	queue.Push(taken...)
	f.queue.Drop(room)
	f.makeRoom()
	return f.ended && f.queue.Len() == 0
}

// notify makes the prefetcher wake p, and woken return true, once there is a message to take or the
// source has ended. This holds until the next take. It reports false if there is one already.
func (f *prefetcher) notify(p *Process) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended || f.queue.Len() > 0 {
		return false
	}
	f.waiting = p
	f.rung.Store(false)
	return true
}

// wait waits for a message, or the end of the source. No message is in flight. It reads from the
// connection meanwhile, so that its end is noticed.
func (f *prefetcher) wait(ctx context.Context, p *Process) error {
	if !f.notify(p) {
		return nil
	}
	return p.await(ctx, p.config.MaxUnread, f.woken)
}

// conclude says that the first n messages in flight were delivered.
func (f *prefetcher) conclude(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open -= n
	f.makeRoom()
}

// makeRoom lets a source that waits go on if there is room, mu held.
func (f *prefetcher) makeRoom() {
	if f.full && f.limit-f.open >= f.spare && f.bytes <= f.limitBytes/2 {
		f.full = false
		f.room <- struct{}{}
	}
}
