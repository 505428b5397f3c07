package sender

import (
	"context"
	"sync"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/internal/fifo"
	"github.com/rxipc/rxipc/stream"
)

// backlog has the messages that are not concluded, in order. One goroutine pushes, one at a time
// reads, one concludes.
type backlog struct {
	mu       sync.Mutex
	storage  storage
	done     uint64        // messages that are concluded
	read     uint64        // messages that were read, since rewind
	end      uint64        // messages that were pushed
	finished bool          // nothing more is pushed
	changed  chan struct{} // closed at the next change; nil: nobody waits for one
}

// storage keeps the messages of a backlog. They have numbers, one after the other.
type storage interface {
	// fits reports whether there is room for one more message. It fails with
	// socket.ErrTooLarge if there never is.
	fits(m socket.Message) (bool, error)

	// put adds a message.
	put(m socket.Message) error

	// get returns the message of a number. Numbers ascend but for the first one after a rewind.
	get(number uint64) (socket.Message, error)

	// drop forgets the messages below a number.
	drop(number uint64) error

	close() error
}

// push adds a message. It waits for room, or does what else overflow says.
func (b *backlog) push(ctx context.Context, m socket.Message, overflow stream.Overflow) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		fits, err := b.storage.fits(m)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		case fits:
			if err := b.storage.put(m); err != nil {
				return err
			}
			b.end++
			b.change()
			return nil
		case overflow == stream.Fail:
			return stream.ErrOverflow
		case overflow == stream.DropNewest:
			stream.Dropping(ctx)(1)
			return nil
		}
		if err := b.wait(ctx); err != nil {
			return err
		}
	}
}

// finish says that nothing more is pushed.
func (b *backlog) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.finished = true
	b.change()
}

// rewind makes unread emit from the first message that is not concluded.
func (b *backlog) rewind() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read = b.done
}

// unread emits the messages that were not read, and those that come, until nothing more is pushed.
func (b *backlog) unread(ctx context.Context, yield func(socket.Message) bool) error {
	for {
		m, ok, err := b.next(ctx)
		if err != nil || !ok || !yield(m) {
			return err
		}
	}
}

func (b *backlog) next(ctx context.Context) (m socket.Message, ok bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.read == b.end && !b.finished {
		if err := b.wait(ctx); err != nil {
			return m, false, err
		}
	}
	if b.read == b.end {
		return m, false, nil
	}
	if m, err = b.storage.get(b.read); err == nil {
		b.read++
	}
	return m, err == nil, err
}

// first returns the first message that is not concluded, after a rewind.
func (b *backlog) first() (socket.Message, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.storage.get(b.done)
}

// conclude forgets the first message.
func (b *backlog) conclude() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done++
	b.read = max(b.read, b.done)
	b.change()
	return b.storage.drop(b.done)
}

// awaitFirst waits until there is a message, or none will come.
func (b *backlog) awaitFirst(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.done == b.end && !b.finished {
		if err := b.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// len returns how many messages are not concluded.
func (b *backlog) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return int(b.end - b.done)
}

// isOver reports whether all messages are concluded and none will come.
func (b *backlog) isOver() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.finished && b.done == b.end
}

// wait waits for a change, mu held before and after.
func (b *backlog) wait(ctx context.Context) error {
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	changed := b.changed
	b.mu.Unlock()
	defer b.mu.Lock()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// change wakes the goroutines that wait, mu held.
func (b *backlog) change() {
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// memory is a storage in memory.
type memory struct {
	limit, limitBytes int
	messages          fifo.Queue[socket.Message]
	bytes             int
	dropped           uint64
}

func (s *memory) fits(socket.Message) (bool, error) {
	return s.messages.Len() < s.limit && (s.messages.Len() == 0 || s.bytes < s.limitBytes), nil
}

func (s *memory) put(m socket.Message) error {
	s.messages.Push(m)
	s.bytes += m.Len()
	return nil
}

func (s *memory) get(number uint64) (socket.Message, error) {
	return s.messages.All()[number-s.dropped], nil
}

func (s *memory) drop(number uint64) error {
	n := int(number - s.dropped)
	for _, m := range s.messages.All()[:n] {
		s.bytes -= m.Len()
	}
	s.messages.Drop(n)
	s.dropped = number
	return nil
}

func (s *memory) close() error { return nil }
