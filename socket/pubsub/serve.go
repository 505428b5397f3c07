package pubsub

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// maxPatterns limits the patterns of one connection.
const maxPatterns = 1000

// Serve makes the clients of a server subscribers: it handles their subscriptions, and emits all
// other exchanges. So a hub shares a name with other handlers.
//
//	hub := pubsub.NewHub(ipc, pubsub.Config{})
//	err := hub.Serve(socket.Exchanges(ipc.Listen(name))).Run(ctx)
//
// A server publishes what its clients send if the pipeline behind Serve calls [Split] and
// [Hub.Publish], as in the example.
//
// A subscription is acknowledged when it is in effect: the subscriber gets all messages that
// are published from then on. An invalid one is rejected, with [socket.ErrInvalid] for the log.
// The subscriptions end with their connection, and with the run. Messages that wait then are
// lost, see [Hub.Flush]. A hub may have several runs of Serve at the same time.
func (h *Hub) Serve(exchanges stream.Observable[socket.Exchange]) stream.Observable[socket.Exchange] {
	if exchanges == nil {
		panic("pubsub: Hub.Serve of a nil observable")
	}
	return func(ctx context.Context, yield func(socket.Exchange) bool) error {
		var senders sync.WaitGroup
		defer h.endRun(&senders)
		return exchanges(ctx, func(x socket.Exchange) bool {
			if kindOf(x.Message) != kindSubscribe {
				return yield(x)
			}
			if err := h.subscribe(x, &senders); err != nil {
				x.Reject(err)
			}
			return true
		})
	}
}

// subscribe adds the subscriptions of a request, and answers it.
func (h *Hub) subscribe(x socket.Exchange, senders *sync.WaitGroup) error {
	request, err := requestOf(x.Message)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	c := x.Connection()
	s, known := h.subscribers[c]
	if !known {
		s = &subscriber{hub: h, connection: c, senders: senders}
	}
	if s.slow != nil { // its connection is about to close
		return s.slow
	}
	if n := len(s.patterns) + len(request.patterns); n > maxPatterns {
		return fmt.Errorf("%w: %d patterns of one connection, the limit is %d", socket.ErrInvalid, n, maxPatterns)
	}
	if err := x.Respond(); err != nil {
		return err
	}
	s.overflow = cmp.Or(request.overflow, h.config.Overflow)
	s.limit = min(cmp.Or(request.buffer, h.config.Buffer), h.config.Buffer)
	s.patterns = append(s.patterns, request.patterns...)
	s.addRetained(request.patterns)
	clear(h.routes)
	if !known {
		h.subscribers[c] = s
		context.AfterFunc(c.Context(), s.ended)
	}
	return nil
}

// endRun ends the subscriptions of a run, and waits for the goroutines that it has started.
func (h *Hub) endRun(senders *sync.WaitGroup) {
	h.mu.Lock()
	for _, s := range h.subscribers {
		if s.senders == senders {
			s.leaveLocked()
		}
	}
	h.mu.Unlock()
	senders.Wait()
}
