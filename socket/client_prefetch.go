package socket

import (
	"context"
	"sync"
	"sync/atomic"

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
	queue fifo[Message] // not taken
	bytes int           // of their frames
	open  int           // messages that are read and not concluded
	full  bool          // the source waits
	ended bool
	wakeup
}

// wakeup wakes the Process of a sendWindow. Its owner's mutex guards it, other than woken.
type wakeup struct {
	waiter *Process
	rung   atomic.Bool
}

// set makes the next ring wake p; nil: none.
func (w *wakeup) set(p *Process) {
	w.waiter = p
	w.rung.Store(false)
}

// ring wakes the Process that waits, if one does.
func (w *wakeup) ring() {
	if w.waiter != nil {
		w.rung.Store(true)
		w.waiter.wake()
		w.waiter = nil
	}
}

// woken reports whether ring has woken the Process since set.
func (w *wakeup) woken() bool { return w.rung.Load() }

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
	f.queue.push(m)
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

func (f *prefetcher) take(room int, queue *fifo[Message]) (ended bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.set(nil)
	room = min(room, f.queue.len())
	taken := f.queue.all()[:room]
	for _, m := range taken {
		f.bytes -= wire.FrameSize(m.wire())
	}
	queue.push(taken...)
	f.queue.drop(room)
	f.makeRoom()
	return f.ended && f.queue.len() == 0
}

func (f *prefetcher) notify(p *Process) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended || f.queue.len() > 0 {
		return false
	}
	f.set(p)
	return true
}

// wait reads from the connection meanwhile, so that its end is noticed.
func (f *prefetcher) wait(ctx context.Context, p *Process) error {
	if !f.notify(p) {
		return nil
	}
	return p.await(ctx, p.config.MaxUnread, f.woken)
}

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
