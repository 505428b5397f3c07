package pubsub

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/internal/fifo"
	"github.com/rxipc/rxipc/stream"
)

// subscriber is a connection with subscriptions. The hub's mu guards its fields.
type subscriber struct {
	hub        *Hub
	connection *socket.Connection
	patterns   []string
	overflow   stream.Overflow
	limit      int // messages that may wait

	queue    fifo.Queue[item]
	bytes    int // of the contents in queue
	retained int // items that a new subscription got first; they do not count against limit
	missing  int // messages dropped behind the last item of queue

	added, removed, sent uint64 // items: put into queue, taken out of it, gone to the connection or dropped

	sending   bool            // a goroutine sends; it looks into queue again before it ends
	senders   *sync.WaitGroup // of the run
	changed   chan struct{}   // closed at the next change; nil: nobody waits for one
	lastTaken time.Time       // when a sender took messages last, or the first one came
	slow      *SlowError      // why it is dropped
	left      bool            // the hub does not know it any more
}

// item is a message that waits.
type item struct {
	message socket.Message
	missing int // messages dropped before it
}

// A sender takes up to maxBatch messages of about maxBatchBytes, which leave in one write.
const (
	maxBatch      = 512
	maxBatchBytes = 64 << 10
)

// isFull reports whether there is no room for one more message.
func (s *subscriber) isFull() bool {
	n := s.queue.Len() - s.retained
	return n >= s.limit || n > 0 && s.bytes >= s.hub.config.BufferBytes
}

// offer adds a message, or what its overflow makes of it, and returns what was dropped.
func (s *subscriber) offer(m socket.Message) (d Drop) {
	d.Connection = s.connection
	switch full := s.isFull(); {
	case full && s.overflow == stream.Fail:
		return s.drop(fmt.Sprintf("its buffer is full, %d messages waited", s.queue.Len()))
	case full && s.overflow == stream.DropNewest:
		s.missing++
		d.Messages++
	default: // with stream.Block there is room
		for ; s.isFull(); d.Messages++ {
			s.dropOldest()
		}
		s.add(m)
	}
	s.hub.stats.Dropped += uint64(d.Messages)
	s.send()
	return d
}

// dropOldest drops the message that waits for the longest time.
func (s *subscriber) dropOldest() {
	missing := s.queue.All()[0].missing + 1
	s.remove(1)
	if s.queue.Len() > 0 {
		s.queue.All()[0].missing += missing
	} else {
		s.missing += missing
	}
}

func (s *subscriber) add(m socket.Message) {
	s.queue.Push(item{m, s.missing})
	s.added++
	s.bytes += m.Len()
	s.missing = 0
}

// addRetained adds the retained messages that match one of the patterns.
func (s *subscriber) addRetained(patterns []string) {
	for e := s.hub.kept.Front(); e != nil; e = e.Next() {
		kept := e.Value.(keptMessage)
		if matchesAny(patterns, kept.topic) {
			s.add(kept.message)
			s.retained++
			s.send()
		}
	}
}

// remove takes the first n items out of the queue.
func (s *subscriber) remove(n int) {
	for _, i := range s.queue.All()[:n] {
		s.bytes -= i.message.Len()
	}
	s.queue.Drop(n)
	s.removed += uint64(n)
	s.retained = max(0, s.retained-n)
}

// send starts a goroutine that sends, unless there is one.
func (s *subscriber) send() {
	if s.sending || s.left {
		return
	}
	s.sending = true
	s.lastTaken = time.Now()
	s.senders.Go(s.sendAll)
}

// sendAll sends what waits until nothing does.
func (s *subscriber) sendAll() {
	var batch []socket.Message
	for {
		var last bool
		if batch, last = s.take(batch[:0]); len(batch) == 0 {
			return
		}
		err := s.connection.Send(s.connection.Context(), batch...)
		if err != nil {
			s.failed(err)
			s.connection.Close()
			return
		}
		clear(batch)
		if last {
			s.connection.Close()
			s.leave()
			return
		}
	}
}

// take moves the next messages to batch. If there are none, the goroutine that sends ends. The
// last one says why the subscriber is dropped.
func (s *subscriber) take(batch []socket.Message) (_ []socket.Message, last bool) {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	defer s.change()
	s.lastTaken, s.sent = time.Now(), s.removed
	if s.slow != nil && !s.left {
		return append(batch, s.slow.notice()), true
	}
	n, bytes := 0, 0
	for _, i := range s.queue.All() {
		if n == maxBatch || bytes >= maxBatchBytes {
			break
		}
		if i.missing > 0 {
			batch = append(batch, droppedNotice(i.missing))
		}
		batch = append(batch, i.message)
		bytes += i.message.Len()
		n++
	}
	s.remove(n)
	h.stats.Delivered += uint64(n)
	if s.queue.Len() == 0 && s.missing > 0 {
		batch = append(batch, droppedNotice(s.missing))
		s.missing = 0
	}
	s.sending = len(batch) > 0
	return batch, false
}

// drop drops the subscriber for a reason, which it gets after what is being sent.
func (s *subscriber) drop(reason string) Drop {
	n := s.discard()
	s.slow = &SlowError{reason, s.missing}
	s.hub.stats.Dropped += uint64(n)
	s.hub.stats.Slow++
	clear(s.hub.routes)
	s.patterns = nil
	s.change()
	s.send()
	return Drop{Connection: s.connection, Messages: n, Err: s.slow}
}

// discard empties the queue and returns how many messages were in it.
func (s *subscriber) discard() int {
	n := s.queue.Len()
	for s.queue.Len() > 0 {
		s.dropOldest()
	}
	s.queue = fifo.Queue[item]{}
	return n
}

// ended says that the connection has ended. A goroutine that sends knows the reason better.
func (s *subscriber) ended() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if !s.sending {
		s.leaveLocked()
	}
}

// failed says that the connection took no more.
func (s *subscriber) failed(err error) {
	h := s.hub
	h.mu.Lock()
	var drops []Drop
	if errors.Is(err, socket.ErrTooSlow) && s.slow == nil && !s.left {
		drops = append(drops, s.drop("it has read nothing for the server's WriteTimeout"))
	}
	h.mu.Unlock()
	s.leave()
	h.tell(drops)
}

// leave makes the hub forget the subscriber.
func (s *subscriber) leave() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.leaveLocked()
}

// leaveLocked is leave with mu held.
func (s *subscriber) leaveLocked() {
	if s.left {
		return
	}
	h := s.hub
	s.left, s.sending = true, false
	s.discard()
	delete(h.subscribers, s.connection)
	clear(h.routes)
	s.change()
}

// change wakes the goroutines that wait for a change.
func (s *subscriber) change() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// awaitChange waits for a change or for the end of ctx, the hub's mu held before and after. It
// reports whether patience, if it is not negative, has passed since messages were taken.
func (s *subscriber) awaitChange(ctx context.Context, patience time.Duration) (late bool) {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	changed, taken := s.changed, s.lastTaken
	var timeout <-chan time.Time
	if patience >= 0 {
		timer := time.NewTimer(time.Until(taken.Add(patience)))
		defer timer.Stop()
		timeout = timer.C
	}
	s.hub.mu.Unlock()
	select {
	case <-changed:
	case <-ctx.Done():
	case <-timeout:
		late = true
	}
	s.hub.mu.Lock()
	return late && s.lastTaken.Equal(taken) && s.slow == nil && !s.left
}
