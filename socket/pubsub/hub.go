package pubsub

import (
	"cmp"
	"container/list"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// Config configures a [Hub]. A zero field means its default.
type Config struct {
	// Buffer is how many messages wait for each subscriber, at most; default 1,024. A
	// subscriber may ask for fewer. BufferBytes limits the same in bytes of contents; default
	// 8 MiB. One message may wait in any case, and beside these as much as one write takes.
	Buffer      int
	BufferBytes int // see Buffer

	// Overflow is what happens with a message for which the buffer of a subscriber has no
	// room. A subscriber may ask for another one, but not for stream.Block.
	//
	//	stream.Block       Publish waits, up to Patience; the default
	//	stream.DropOldest  the oldest message that waits is dropped
	//	stream.DropNewest  the message is dropped
	//	stream.Fail        the subscriber is dropped
	Overflow stream.Overflow

	// Patience is how long Publish waits, at most, for a subscriber whose overflow is
	// stream.Block to take a message; default 10 s. Beyond it the subscriber is dropped. A
	// negative value disables the limit; that of socket.ServerConfig.WriteTimeout remains.
	Patience time.Duration

	// Retain is for how many topics the hub keeps the last message, which a new subscriber of
	// the topic gets first; default none. Beyond it the topic that was published longest ago
	// is forgotten. These messages do not count against a subscriber's buffer.
	Retain int

	// Dropped is called when messages for a subscriber are dropped, or the subscriber itself
	// is. It runs on a goroutine of Publish, or of the subscriber. By default nothing is called.
	Dropped func(Drop)
}

// Drop is a loss of messages for one subscriber.
type Drop struct {
	Connection *socket.Connection // of the subscriber
	Messages   int                // dropped now

	// Err is nil if the subscriber stays. Otherwise the hub drops it, and Err is a *SlowError.
	Err error
}

// Stats has the present numbers of a hub, and what it counted since it was made.
type Stats struct {
	Subscribers int // at present
	Waiting     int // messages in their buffers

	Published uint64 // messages
	Delivered uint64 // messages handed to the connections of subscribers
	Dropped   uint64 // messages that subscribers did not get because they were too slow
	Slow      uint64 // subscribers that were dropped
}

// Hub sends published messages to the subscribers of their topics. Its methods may be called
// from any goroutine. Subscribers get the messages of all publishers in the same order.
type Hub struct {
	ipc    *socket.IPC
	config Config

	mu          sync.Mutex
	subscribers map[*socket.Connection]*subscriber
	routes      map[string][]*subscriber // of topics published lately; made anew after a change
	retained    map[string]*list.Element // of kept, by topic
	kept        list.List                // of keptMessage, the one published last at the end
	stats       Stats
}

// keptMessage is the last message of a topic.
type keptMessage struct {
	topic   string
	message socket.Message
}

// maxRoutes is for how many topics the hub knows the subscribers without looking for them.
const maxRoutes = 1024

// NewHub makes a hub whose messages keep the limits of ipc. It has no goroutine, and nothing to
// close. A subscriber has a goroutine while it is sent something.
func NewHub(ipc *socket.IPC, config Config) *Hub {
	config.Buffer = max(1, cmp.Or(config.Buffer, 1024))
	config.BufferBytes = max(0, cmp.Or(config.BufferBytes, 8<<20))
	config.Patience = cmp.Or(config.Patience, 10*time.Second)
	return &Hub{
		ipc:         ipc,
		config:      config,
		subscribers: map[*socket.Connection]*subscriber{},
		routes:      map[string][]*subscriber{},
		retained:    map[string]*list.Element{},
	}
}

// Publish gives a message to all subscribers of the topic. It returns when the message is in
// their buffers, and waits for those that are full as [Config.Overflow] says. It fails, and
// gives the message to nobody, if the topic or message is invalid (socket.ErrInvalid,
// ErrReserved, ErrTooLarge), or with the cause of ctx if that ends first.
func (h *Hub) Publish(ctx context.Context, topic string, m socket.Message) error {
	published, err := WithTopic(topic, m)
	if err == nil {
		err = h.ipc.Check(published)
	}
	if err == nil {
		err = h.publish(ctx, topic, published)
	}
	if err != nil {
		return &socket.Error{Op: "publish", Name: topic, Err: err}
	}
	return nil
}

func (h *Hub) publish(ctx context.Context, topic string, m socket.Message) error {
	h.mu.Lock()
	drops, err := h.awaitRoom(ctx, topic)
	if err == nil {
		h.stats.Published++
		h.retain(topic, m)
		for _, s := range h.subscribersOf(topic) {
			if drop := s.offer(m); drop.Messages > 0 || drop.Err != nil {
				drops = append(drops, drop)
			}
		}
	}
	h.mu.Unlock()
	h.tell(drops)
	return err
}

// awaitRoom waits until each subscriber of the topic whose overflow is stream.Block has room, mu
// held before and after. It returns the subscribers that it dropped.
func (h *Hub) awaitRoom(ctx context.Context, topic string) (drops []Drop, err error) {
	for {
		subscribers := h.subscribersOf(topic)
		i := slices.IndexFunc(subscribers, func(s *subscriber) bool { return s.overflow == stream.Block && s.isFull() })
		switch {
		case ctx.Err() != nil:
			return drops, context.Cause(ctx)
		case i < 0:
			return drops, nil
		}
		full := subscribers[i]
		if full.awaitChange(ctx, h.config.Patience) {
			drops = append(drops, full.drop(fmt.Sprintf("it has read nothing for %v, %d messages waited",
				h.config.Patience, full.queue.Len())))
		}
	}
}

// tell calls the hook.
func (h *Hub) tell(drops []Drop) {
	if h.config.Dropped == nil {
		return
	}
	for _, drop := range drops {
		h.config.Dropped(drop)
	}
}

// subscribersOf returns the subscribers of a topic, mu held.
func (h *Hub) subscribersOf(topic string) []*subscriber {
	route, known := h.routes[topic]
	if known {
		return route
	}
	for _, s := range h.subscribers {
		if matchesAny(s.patterns, topic) {
			route = append(route, s)
		}
	}
	if len(h.routes) >= maxRoutes {
		clear(h.routes)
	}
	h.routes[topic] = route
	return route
}

// retain keeps the last message of a topic, mu held.
func (h *Hub) retain(topic string, m socket.Message) {
	if h.config.Retain <= 0 {
		return
	}
	if e := h.retained[topic]; e != nil {
		h.kept.Remove(e)
	} else if h.kept.Len() >= h.config.Retain {
		delete(h.retained, h.kept.Remove(h.kept.Front()).(keptMessage).topic)
	}
	h.retained[topic] = h.kept.PushBack(keptMessage{topic, m})
}

// Stats returns what the hub has counted.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	stats := h.stats
	stats.Subscribers = len(h.subscribers)
	for _, s := range h.subscribers {
		stats.Waiting += s.queue.Len()
	}
	return stats
}

// Flush waits until the connections of all present subscribers have taken what was published
// before. A program that ends calls it before it ends the run of Serve. It fails with ctx's
// cause.
func (h *Hub) Flush(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range slices.Collect(maps.Values(h.subscribers)) {
		for added := s.added; s.sent < added && !s.left && s.slow == nil; s.awaitChange(ctx, -1) {
			if ctx.Err() != nil {
				return &socket.Error{Op: "flush", Err: context.Cause(ctx)}
			}
		}
	}
	return nil
}
