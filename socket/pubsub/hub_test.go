package pubsub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/pubsub"
	"github.com/rxipc/rxipc/socket/sockettest"
	"github.com/rxipc/rxipc/stream"
)

var name = socket.MustParseName("news")

// world is a hub in a bubble, on a network in memory.
type world struct {
	t   *testing.T
	ipc *socket.IPC
	hub *pubsub.Hub
	end func() // of the hub's server; returns when it has ended

	mu    sync.Mutex
	drops []pubsub.Drop
}

// inWorld runs a test in a bubble. Connections hold few bytes, so that a subscriber that does not
// read fills its buffer at the hub soon.
func inWorld(t *testing.T, config pubsub.Config, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := sockettest.NewNetwork()
		network.Buffer = 200
		w := &world{t: t, ipc: socket.New(socket.Config{Transport: network})}
		config.Dropped = func(d pubsub.Drop) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.drops = append(w.drops, d)
		}
		w.serve(config)
		f(w)
		w.end()
		if stats := w.hub.Stats(); stats.Subscribers != 0 || stats.Waiting != 0 {
			t.Errorf("end the hub: it has %+v, want no subscriber and nothing that waits", stats)
		}
	})
}

// serve starts a hub.
func (w *world) serve(config pubsub.Config) {
	w.hub = pubsub.NewHub(w.ipc, config)
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error)
	go func() { ended <- w.hub.Serve(socket.Exchanges(w.ipc.Listen(name))).Run(ctx) }()
	w.end = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			w.t.Errorf("end the hub: got %v, want context.Canceled", err)
		}
	})
	synctest.Wait()
}

func (w *world) publish(topic string, contents ...string) {
	w.t.Helper()
	for _, content := range contents {
		if err := w.hub.Publish(w.t.Context(), topic, socket.Text(content)); err != nil {
			w.t.Errorf("publish %q under %s: got %v, want no error", content, topic, err)
		}
	}
}

// reader is a subscriber that reads while it has leave to.
type reader struct {
	w      *world
	got    []string
	err    error
	drops  stream.Drops
	leave  chan struct{} // one token an event
	cancel context.CancelFunc
	ended  chan struct{}
}

// subscribe starts a subscriber and waits until it is subscribed.
func (w *world) subscribe(s pubsub.Subscription) *reader {
	w.t.Helper()
	before := w.hub.Stats().Subscribers
	r := &reader{w: w, leave: make(chan struct{}, 1000), ended: make(chan struct{})}
	ctx, cancel := context.WithCancel(w.t.Context())
	r.cancel = cancel
	go func() {
		defer close(r.ended)
		r.err = s.Events(w.ipc, name)(stream.WithDrops(ctx, &r.drops), func(e pubsub.Event) bool {
			text := fmt.Sprintf("%s=%s", e.Topic, e.Message.Content())
			if e.Missing > 0 {
				text = fmt.Sprintf("-%d %s", e.Missing, text)
			}
			r.got = append(r.got, text)
			select {
			case <-r.leave:
				return true
			case <-ctx.Done():
				return false
			}
		})
	}()
	synctest.Wait()
	if after := w.hub.Stats().Subscribers; after != before+1 {
		w.t.Fatalf("subscribe: the hub has %d subscribers, want %d", after, before+1)
	}
	return r
}

// grant lets the subscriber read all.
func (r *reader) grant() {
	for range cap(r.leave) {
		r.leave <- struct{}{}
	}
}

// read lets the subscriber read all, and waits until it has read what there is.
func (r *reader) read() *reader {
	r.grant()
	synctest.Wait()
	return r
}

// expect compares what came with the lines.
func (r *reader) expect(want ...string) {
	r.w.t.Helper()
	synctest.Wait()
	if !slices.Equal(r.got, want) {
		r.w.t.Errorf("subscribe: got %q, want %q", r.got, want)
	}
}

func (r *reader) stop() {
	r.cancel()
	<-r.ended
}

func TestHubSendsToTheSubscribersOfATopic(t *testing.T) {
	inWorld(t, pubsub.Config{}, func(w *world) {
		all := w.subscribe(pubsub.Subscription{}).read()
		paid := w.subscribe(pubsub.Subscription{Topics: []string{"orders.*.paid", "alarms.>"}}).read()
		w.publish("orders.eu.paid", "1")
		w.publish("orders.eu.open", "2")
		w.publish("alarms.fire", "3", "4")
		w.publish("other", "5")
		all.expect("orders.eu.paid=1", "orders.eu.open=2", "alarms.fire=3", "alarms.fire=4", "other=5")
		paid.expect("orders.eu.paid=1", "alarms.fire=3", "alarms.fire=4")
		paid.stop()
		synctest.Wait()
		w.publish("alarms.fire", "6")
		synctest.Wait()
		all.stop()
		synctest.Wait() // the hub has noticed that
		if stats, want := w.hub.Stats(), (pubsub.Stats{Published: 6, Delivered: 9}); stats != want {
			w.t.Errorf("after all have left: the stats are %+v, want %+v", stats, want)
		}
	})
}

func TestHubRetainsTheLastMessagesOfTopics(t *testing.T) {
	inWorld(t, pubsub.Config{Retain: 2, Buffer: 1, Overflow: stream.Fail}, func(w *world) {
		w.publish("a", "1")
		w.publish("b", "2")
		w.publish("a", "3")
		w.publish("c", "4") // b was published longest ago
		late := w.subscribe(pubsub.Subscription{}).read()
		late.expect("a=3", "c=4")
		only := w.subscribe(pubsub.Subscription{Topics: []string{"c"}}).read()
		only.expect("c=4")
		late.stop()
		only.stop()
	})
}

// slow subscribes one that takes the first message and reads no further, and publishes some until
// its buffer of three has no room for the last two.
func (w *world) slow(overflow stream.Overflow) *reader {
	slow := w.subscribe(pubsub.Subscription{Overflow: overflow, Buffer: 3})
	w.publish("t", "first")
	synctest.Wait()
	filler := strings.Repeat("x", 1000) // more than the connection holds
	w.publish("t", filler)
	synctest.Wait()
	w.publish("t", "1", "2", "3", "4", "5")
	slow.expect("t=first")
	return slow
}

func TestHubDropsWhatASlowSubscriberWants(t *testing.T) {
	filler := "t=" + strings.Repeat("x", 1000)
	for _, test := range []struct {
		overflow stream.Overflow
		want     []string
	}{
		{stream.DropOldest, []string{"t=first", filler, "-2 t=3", "t=4", "t=5", "t=6"}},
		{stream.DropNewest, []string{"t=first", filler, "t=1", "t=2", "t=3", "-2 t=6"}},
	} {
		inWorld(t, pubsub.Config{}, func(w *world) {
			other := w.subscribe(pubsub.Subscription{}).read()
			slow := w.slow(test.overflow)
			other.expect("t=first", filler, "t=1", "t=2", "t=3", "t=4", "t=5")
			if stats := w.hub.Stats(); stats.Dropped != 2 || stats.Waiting != 3 || len(w.drops) != 2 || w.drops[0].Messages != 1 || w.drops[0].Err != nil {
				w.t.Errorf("overflow %v: the stats are %+v and the hook got %+v, want 2 dropped one by one", test.overflow, stats, w.drops)
			}
			slow.read()
			w.publish("t", "6")
			slow.expect(test.want...)
			if slow.drops.Total() != 2 {
				w.t.Errorf("overflow %v: the subscriber counts %d drops, want 2", test.overflow, slow.drops.Total())
			}
			slow.stop()
			other.stop()
		})
	}
}

func TestHubDropsASubscriberWhoseBufferIsFull(t *testing.T) {
	inWorld(t, pubsub.Config{}, func(w *world) {
		slow := w.slow(stream.Fail)
		if stats := w.hub.Stats(); stats.Slow != 1 || stats.Dropped != 3 || stats.Waiting != 0 {
			w.t.Errorf("drop a subscriber: the stats are %+v, want 1 slow, 3 dropped and none waiting", stats)
		}
		slow.read()
		<-slow.ended
		slow.expect("t=first", "t="+strings.Repeat("x", 1000))
		isSlow(w.t, slow.err, "its buffer is full, 3 messages waited", 3)
		if len(w.drops) != 1 || w.drops[0].Messages != 3 {
			w.t.Fatalf("drop a subscriber: the hook got %+v, want one drop of 3", w.drops)
		}
		isSlow(w.t, w.drops[0].Err, "its buffer is full, 3 messages waited", 3)
	})
}

// isSlow fails the test unless err is a SlowError with a reason and a number.
func isSlow(t *testing.T, err error, reason string, missing int) {
	t.Helper()
	var slow *pubsub.SlowError
	if !errors.As(err, &slow) || slow.Reason != reason || slow.Missing != missing || !errors.Is(err, socket.ErrTooSlow) {
		t.Errorf("drop a slow subscriber: got the error %v, want a SlowError with %q and %d", err, reason, missing)
	}
}

func TestHubWaitsForASubscriberThatBlocksAndThenDropsIt(t *testing.T) {
	inWorld(t, pubsub.Config{Patience: 5 * time.Second}, func(w *world) {
		other := w.subscribe(pubsub.Subscription{}).read()
		start := time.Now()
		slow := w.slow(stream.Block) // the first of 4 and 5 waits, then it is dropped
		if waited := time.Since(start); waited != 5*time.Second {
			w.t.Errorf("publish to a full subscriber: it took %v, want 5 s", waited)
		}
		w.publish("t", "6")
		other.expect("t=first", "t="+strings.Repeat("x", 1000), "t=1", "t=2", "t=3", "t=4", "t=5", "t=6")
		slow.read()
		<-slow.ended
		isSlow(w.t, slow.err, "it has read nothing for 5s, 3 messages waited", 3)
		other.stop()
	})
}

func TestHubGoesOnWhenASubscriberReadsAgain(t *testing.T) {
	inWorld(t, pubsub.Config{Patience: -1, Buffer: 1}, func(w *world) {
		slow := w.subscribe(pubsub.Subscription{})
		var want []string
		time.AfterFunc(20*time.Second, slow.grant)
		start := time.Now()
		for i := range 500 {
			want = append(want, fmt.Sprint("t=", i))
			w.publish("t", fmt.Sprint(i))
		}
		if waited := time.Since(start); waited < 20*time.Second {
			w.t.Errorf("publish to a subscriber that does not read: it took %v, want 20 s", waited)
		}
		slow.expect(want...)
		slow.stop()
	})
}

func TestHubGivesUpPublishingWithItsContext(t *testing.T) {
	inWorld(t, pubsub.Config{Patience: -1, Buffer: 1}, func(w *world) {
		slow := w.subscribe(pubsub.Subscription{})
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
		defer cancel()
		var err error
		published := 0
		for ; err == nil; published++ {
			err = w.hub.Publish(ctx, "t", socket.Text("some text"))
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			w.t.Errorf("publish until the context ends: got %v, want DeadlineExceeded", err)
		}
		if err := w.hub.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			w.t.Errorf("flush until the context ends: got %v, want DeadlineExceeded", err)
		}
		slow.read()
		if len(slow.got) != published-1 {
			w.t.Errorf("read: got %d messages, want the %d before the failed one", len(slow.got), published-1)
		}
		slow.stop()
	})
}

// A subscriber that reads nothing loses its connection after the server's WriteTimeout.
func TestHubEndsASubscriberThatReadsNothing(t *testing.T) {
	inWorld(t, pubsub.Config{}, func(w *world) {
		slow := w.subscribe(pubsub.Subscription{Overflow: stream.DropOldest, Buffer: 3})
		w.publish("t", "first", strings.Repeat("x", 1000), "2")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if stats := w.hub.Stats(); stats.Subscribers != 0 || stats.Slow != 1 || len(w.drops) != 1 {
			w.t.Errorf("two minutes later: the stats are %+v and the hook got %+v, want one slow subscriber", stats, w.drops)
		}
		slow.stop()
	})
}

func TestHubFlushesWhatWasPublished(t *testing.T) {
	inWorld(t, pubsub.Config{}, func(w *world) {
		r := w.subscribe(pubsub.Subscription{Once: true}).read()
		for i := range 200 {
			w.publish("t", fmt.Sprint(i))
		}
		if err := w.hub.Flush(w.t.Context()); err != nil {
			w.t.Errorf("flush: got %v, want no error", err)
		}
		w.end()
		<-r.ended
		if len(r.got) != 200 || r.err != nil {
			w.t.Errorf("flush and end: the subscriber got %d messages and %v, want 200 and no error", len(r.got), r.err)
		}
	})
}

func TestHubRefusesInvalidMessages(t *testing.T) {
	inWorld(t, pubsub.Config{}, func(w *world) {
		for _, test := range []struct {
			topic string
			m     socket.Message
			want  error
		}{
			{"a b", socket.Text(""), socket.ErrInvalid},
			{"a", socket.Message{}, socket.ErrInvalid},
			{"a", socket.Text("innmind/ipc:ack"), socket.ErrReserved},
			{"a", socket.Text(strings.Repeat("x", 17<<20)), socket.ErrTooLarge},
		} {
			if err := w.hub.Publish(w.t.Context(), test.topic, test.m); !errors.Is(err, test.want) {
				w.t.Errorf("publish %v under %q: got %v, want %v", test.m, test.topic, err, test.want)
			}
		}
		p, err := w.ipc.ConnectTo(w.t.Context(), name).Get()
		if err != nil {
			w.t.Fatalf("connect: got %v", err)
		}
		defer p.Close(w.t.Context())
		request := socket.NewMessage(socket.MustParseMediaType("text/plain; pubsub=subscribe"), "a..b")
		if err := p.Send(w.t.Context(), request).Err(); !errors.Is(err, socket.ErrRejected) {
			w.t.Errorf("subscribe to an invalid pattern: got %v, want ErrRejected", err)
		}
	})
}

func TestHubGivesAllSubscribersTheSameOrder(t *testing.T) {
	inWorld(t, pubsub.Config{Buffer: 5}, func(w *world) {
		a, b := w.subscribe(pubsub.Subscription{}).read(), w.subscribe(pubsub.Subscription{}).read()
		var publishers sync.WaitGroup
		for p := range 5 {
			publishers.Go(func() {
				for i := range 50 {
					w.publish("t", fmt.Sprint(p, ":", i))
				}
			})
		}
		publishers.Wait()
		synctest.Wait()
		if !slices.Equal(a.got, b.got) || len(a.got) != 250 {
			w.t.Errorf("publish from 5 goroutines: two subscribers got %d and %d messages, want the same 250 in one order", len(a.got), len(b.got))
		}
		a.stop()
		b.stop()
	})
}

// A hub shares its name with another handler, and publishes what clients send.
func TestHubEmitsOtherExchanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ipc := socket.New(socket.Config{Transport: sockettest.NewNetwork()})
		hub := pubsub.NewHub(ipc, pubsub.Config{Retain: 1})
		ctx, cancel := context.WithCancel(t.Context())
		served := operators.MapErr(func(x socket.Exchange) (socket.Exchange, error) {
			topic, m, ok := pubsub.Split(x.Message)
			if !ok {
				return x, x.Respond(socket.Text("re: " + x.Content()))
			}
			return x, hub.Publish(ctx, topic, m)
		})(hub.Serve(socket.Exchanges(ipc.Listen(name)))).Subscribe(ctx, stream.Observer[socket.Exchange]{})
		p, err := ipc.ConnectTo(ctx, name).Get()
		if err != nil {
			t.Fatalf("connect: got %v", err)
		}
		published, err := pubsub.WithTopic("a.b", socket.Text("1"))
		if err == nil {
			err = p.Send(ctx, published).Err()
		}
		if err != nil {
			t.Errorf("publish from a client: got %v, want no error", err)
		}
		if answer, err := p.Request(ctx, socket.Text("hello")).Get(); answer != socket.Text("re: hello") {
			t.Errorf("request beside the hub: got %v, %v, want re: hello", answer, err)
		}
		e, err := pubsub.Subscribe(ipc, name, "a.>").First(ctx).Get()
		if want := (pubsub.Event{Topic: "a.b", Message: socket.Text("1")}); e != want || err != nil {
			t.Errorf("subscribe: got %+v, %v, want %+v", e, err, want)
		}
		p.Close(ctx)
		cancel()
		served.Wait()
	})
}
