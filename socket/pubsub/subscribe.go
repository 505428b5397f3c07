package pubsub

import (
	"context"
	"fmt"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// Event is a published message, as a subscriber gets it.
type Event struct {
	Topic   string         // under which it was published
	Message socket.Message // as it was given to Publish

	// Missing is how many messages the hub has dropped between the event before and this one,
	// because the subscriber was too slow. What was published while there was no connection
	// is not in it, see [Subscription.Lost].
	Missing int
}

// Subscription says what a subscriber wants, and how. The zero Subscription wants all topics.
type Subscription struct {
	// Topics are patterns: see the package's doc. None stands for all topics.
	Topics []string

	// Overflow is what the hub does with a message for which there is no room in the buffer of
	// this subscriber: stream.DropOldest, DropNewest or Fail. Zero leaves it to
	// [Config.Overflow].
	Overflow stream.Overflow

	// Buffer is how many messages wait at the hub for this subscriber; zero is
	// [Config.Buffer], which is the most.
	Buffer int

	// Lost is called when a connection is lost and the run is to connect again, with the reason,
	// on the goroutine of the run. What is published until it has subscribed again is missed.
	Lost func(error)

	// Retry says how long a run waits before it connects again: see socket.FollowConfig.
	Retry operators.RetryPolicy

	// Once makes a run end with its connection. It completes if the hub closes that in an
	// orderly way, and fails otherwise. It waits for the hub to appear in any case.
	Once bool
}

// Subscribe emits what a hub publishes under topics that match one of the patterns, or under all
// topics without a pattern: the [Subscription.Events] of a Subscription with these Topics.
//
//	events := pubsub.Subscribe(ipc, name, "orders.*.paid")
//	err := events.ForEach(ctx, func(e pubsub.Event) { fmt.Println(e.Topic, e.Message.Content()) })
func Subscribe(ipc *socket.IPC, name socket.Name, patterns ...string) stream.Observable[Event] {
	return Subscription{Topics: patterns}.Events(ipc, name)
}

// Events emits what the hub of a name publishes for the subscription. It waits for the hub, and
// subscribes again when the connection was lost, as socket.IPC.Follow does, which says when it
// fails. A slow yield lets messages wait at the hub, where Overflow and Buffer are applied.
// What the hub drops counts in the stream.Drops of the run, too.
//
// When the hub drops this subscriber because it is too slow, the run fails with a [*SlowError],
// which has the hub's reason. It fails with socket.ErrInvalid if a
// pattern is invalid.
func (s Subscription) Events(ipc *socket.IPC, name socket.Name) stream.Observable[Event] {
	messages := s.messages(ipc, name)
	return func(ctx context.Context, yield func(Event) bool) error {
		if err := s.check(); err != nil {
			return &socket.Error{Op: "subscribe", Name: name.String(), Err: err}
		}
		r := receiver{known: map[socket.MediaType]known{}, drop: stream.Dropping(ctx)}
		err := messages(ctx, func(m socket.Message) bool {
			e, ok := r.event(m)
			return r.ended == nil && (!ok || yield(e))
		})
		if r.ended != nil {
			return &socket.Error{Op: "subscribe", Name: name.String(), Err: r.ended}
		}
		return err
	}
}

// check returns an error if the subscription is invalid.
func (s Subscription) check() error {
	for _, pattern := range s.Topics {
		if err := checkPattern(pattern); err != nil {
			return err
		}
	}
	if s.Buffer < 0 {
		return fmt.Errorf("%w: a buffer of %d messages", socket.ErrInvalid, s.Buffer)
	}
	return nil
}

// messages emits what the hub sends.
func (s Subscription) messages(ipc *socket.IPC, name socket.Name) stream.Observable[socket.Message] {
	request := request{s.Topics, s.Overflow, s.Buffer}.message()
	if !s.Once {
		return ipc.Follow(name, socket.FollowConfig{Subscribe: socket.Subscribe(request), Lost: s.Lost, Retry: s.Retry})
	}
	return func(ctx context.Context, yield func(socket.Message) bool) error {
		p, err := ipc.ConnectTo(ctx, name).Get()
		if err != nil {
			return err
		}
		defer p.Close(context.WithoutCancel(ctx))
		if err := p.Send(ctx, request).Err(); err != nil {
			return err
		}
		return p.Messages()(ctx, yield)
	}
}

// SlowError says that a hub dropped a subscriber because it was too slow. It wraps
// socket.ErrTooSlow.
type SlowError struct {
	Reason  string // of the hub
	Missing int    // messages that waited and were dropped, since the last one that was sent
}

// Error returns the reason and the number.
func (e *SlowError) Error() string {
	return fmt.Sprintf("the hub dropped a subscriber that is too slow: %s; %d messages are missing", e.Reason, e.Missing)
}

// Unwrap returns socket.ErrTooSlow.
func (e *SlowError) Unwrap() error { return socket.ErrTooSlow }

// receiver makes events of messages.
type receiver struct {
	known   map[socket.MediaType]known // seen lately
	missing int                        // messages, before the next event
	drop    func(int)                  // counts in the Drops of the run
	ended   *SlowError                 // why the hub ended the subscription
}

// known is what a media type says.
type known struct {
	topic string
	bare  socket.MediaType
	ok    bool
}

// maxKnown is how many media types a receiver knows at most.
const maxKnown = 1024

// event returns the event of a message, if it is one.
func (r *receiver) event(m socket.Message) (e Event, ok bool) {
	k, seen := r.known[m.MediaType()]
	if !seen {
		k.topic, k.bare, k.ok = splitMediaType(m.MediaType())
		if len(r.known) >= maxKnown {
			clear(r.known)
		}
		r.known[m.MediaType()] = k
	}
	if k.ok {
		e = Event{k.topic, socket.NewMessage(k.bare, m.Content()), r.missing}
		r.missing = 0
		return e, true
	}
	switch kindOf(m) {
	case kindEnded:
		r.ended = &SlowError{m.Content(), r.missing + countOf(m)}
		r.drop(countOf(m))
	case kindDropped:
		r.missing += countOf(m)
		r.drop(countOf(m))
	}
	return Event{}, false
}
