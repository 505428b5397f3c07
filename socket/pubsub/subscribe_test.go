package pubsub_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/pubsub"
	"github.com/rxipc/rxipc/socket/sockettest"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

func TestSubscribeGoesOnAcrossRestartsOfTheHub(t *testing.T) {
	inWorld(t, pubsub.Config{}, func(w *world) {
		var lost []error
		r := w.subscribe(pubsub.Subscription{Topics: []string{"a"}, Lost: func(err error) { lost = append(lost, err) }}).read()
		w.publish("a", "1")
		synctest.Wait()
		w.end()
		w.serve(pubsub.Config{})
		time.Sleep(time.Minute)
		w.publish("a", "2")
		w.publish("b", "3")
		r.expect("a=1", "a=2")
		if len(lost) != 1 || !errors.Is(lost[0], socket.ErrShutdown) {
			w.t.Errorf("restart the hub: Lost got %v, want one ErrShutdown", lost)
		}
		r.stop()
	})
}

func TestSubscribeOnceEndsWithTheHub(t *testing.T) {
	inWorld(t, pubsub.Config{}, func(w *world) {
		r := w.subscribe(pubsub.Subscription{Once: true}).read()
		w.publish("a", "1")
		synctest.Wait()
		w.end()
		<-r.ended
		r.expect("a=1")
		if r.err != nil {
			w.t.Errorf("end the hub: the subscriber ended with %v, want no error", r.err)
		}
	})
}

func TestSubscribeOnceWaitsForTheHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ipc := socket.New(socket.Config{Transport: sockettest.NewNetwork()})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := pubsub.Subscription{Once: true}.Events(ipc, name).Run(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, socket.ErrNotListening) {
			t.Errorf("subscribe without a hub: got %v, want DeadlineExceeded and ErrNotListening", err)
		}
	})
}

func TestSubscribeRefusesInvalidSubscriptions(t *testing.T) {
	ipc := socket.New(socket.Config{Transport: sockettest.NewNetwork()})
	for _, s := range []pubsub.Subscription{{Topics: []string{"a", "a..b"}}, {Buffer: -1}} {
		if err := s.Events(ipc, name).Run(t.Context()); !errors.Is(err, socket.ErrInvalid) {
			t.Errorf("subscribe with %+v: got %v, want ErrInvalid", s, err)
		}
	}
}

// publishing is an observable whose runs have a network and a hub of their own. The hub retains
// three messages.
func publishing(subscribe func(*socket.IPC) stream.Observable[pubsub.Event]) stream.Observable[pubsub.Event] {
	return func(ctx context.Context, yield func(pubsub.Event) bool) error {
		ipc := socket.New(socket.Config{Transport: sockettest.NewNetwork()})
		hub := pubsub.NewHub(ipc, pubsub.Config{Retain: 3})
		for _, topic := range []string{"a", "b", "c"} {
			if err := hub.Publish(context.WithoutCancel(ctx), topic, socket.Text("last")); err != nil {
				return err
			}
		}
		serving, end := context.WithCancel(context.WithoutCancel(ctx))
		served := hub.Serve(socket.Exchanges(ipc.Listen(name))).Subscribe(serving, stream.Observer[socket.Exchange]{})
		defer served.Wait()
		defer end()
		return subscribe(ipc)(ctx, yield)
	}
}

var lastEvents = []pubsub.Event{
	{Topic: "a", Message: socket.Text("last")}, {Topic: "b", Message: socket.Text("last")}, {Topic: "c", Message: socket.Text("last")},
}

func TestSubscribeKeepsTheContract(t *testing.T) {
	streamtest.Check(t, publishing(func(ipc *socket.IPC) stream.Observable[pubsub.Event] {
		return pubsub.Subscribe(ipc, name)
	}), lastEvents, streamtest.Endless())
}

func TestSubscribeOnceKeepsTheContract(t *testing.T) {
	streamtest.Check(t, publishing(func(ipc *socket.IPC) stream.Observable[pubsub.Event] {
		return pubsub.Subscription{Once: true}.Events(ipc, name)
	}), lastEvents, streamtest.Endless())
}

// Each run serves a client that subscribes and then sends three messages, which Serve emits.
func TestServeKeepsTheContract(t *testing.T) {
	served := func(ctx context.Context, yield func(string) bool) error {
		ipc := socket.New(socket.Config{Transport: sockettest.NewNetwork(), Log: slog.New(slog.DiscardHandler)}) // yield panics on purpose
		hub := pubsub.NewHub(ipc, pubsub.Config{})
		clients, leave := context.WithCancel(context.WithoutCancel(ctx))
		left := make(chan struct{})
		defer func() { leave(); <-left }()
		go func() {
			defer close(left)
			p, err := ipc.ConnectTo(clients, name).Get()
			if err != nil {
				return
			}
			defer p.Close(context.WithoutCancel(ctx))
			subscribe := socket.NewMessage(socket.MustParseMediaType("text/plain; pubsub=subscribe"), ">")
			p.Send(clients, subscribe, socket.Text("1"), socket.Text("2"), socket.Text("3"))
			p.Messages().Run(clients)
		}()
		contents := operators.Map(func(x socket.Exchange) string { return x.Content() })
		return contents(hub.Serve(socket.Exchanges(ipc.Listen(name))))(ctx, yield)
	}
	streamtest.Check(t, served, []string{"1", "2", "3"}, streamtest.Endless())
}

// The bytes of PROTOCOL.md: a client of innmind/ipc subscribes, and is told what it misses.
func TestHubSpeaksToOtherClients(t *testing.T) {
	typed := func(parameters, content string) sockettest.Event {
		return sockettest.Message(socket.NewMessage(socket.MustParseMediaType("text/plain; "+parameters), content))
	}
	events := map[rune]sockettest.Event{
		's': typed("pubsub=subscribe, overflow=drop-oldest, buffer=1", "orders.*.paid\nalarms.>"),
		'u': typed("pubsub=subscribe", "no pattern"),
		'p': typed("topic=orders.eu.paid", "17"),
		'f': typed("topic=alarms.fire", "hot"),
	}
	sockettest.Run(t, func(b *sockettest.Bench) {
		b.Client(name, "s-----", events).ExpectWire("(<+)-p-f---", events)
		b.Client(name, "-----u", events).ExpectWire("<----(:|)", events)
		ipc := b.IPC()
		hub := pubsub.NewHub(ipc, pubsub.Config{})
		streamtest.Expect(b.Bench, hub.Serve(socket.Exchanges(ipc.Listen(name))), "---------!")
		at := func(frame int, topic, content string) {
			time.AfterFunc(time.Duration(frame)*time.Millisecond, func() { hub.Publish(b.Context(), topic, socket.Text(content)) })
		}
		at(2, "orders.eu.paid", "17")
		at(3, "orders.eu.open", "18")
		at(4, "alarms.fire", "hot")
	})
}
