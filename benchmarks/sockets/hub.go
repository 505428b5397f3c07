package sockets

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/rxipc/rxipc/benchmarks/measure"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/pubsub"
)

// subscribers is the number of subscribers of the hub.
const subscribers = 100

// hub is a server that publishes to its subscribers, which are all in the client's process.
var hub = peer{
	id:   "hub",
	name: fmt.Sprintf("rxipc, a hub with %d subscribers", subscribers),
	serve: func(place place, _ job, ready func()) error {
		ipc := rxipcAt(place, ready)
		h := pubsub.NewHub(ipc, pubsub.Config{Retain: 1})
		publish := func(topic string, m socket.Message) {
			if err := h.Publish(context.Background(), topic, m); err != nil {
				panic(err) // topics and messages are valid
			}
		}
		publish(endTopic, socket.Text("")) // tells a new subscriber that its subscription is in effect
		return h.Serve(socket.Exchanges(ipc.Listen(rxipcName))).ForEach(context.Background(), func(x socket.Exchange) {
			count, _ := x.MediaType().Parameter("count")
			n, err := strconv.Atoi(count)
			if err != nil {
				x.Reject(err)
				return
			}
			m := socket.NewMessage(socket.OctetStream(), x.Content())
			for range n {
				publish("t", m)
			}
			publish(endTopic, socket.Text(""))
		})
	},
	dial: func(ctx context.Context, place place, message []byte) (conn, error) {
		ipc := rxipcAt(place, func() {})
		process, err := ipc.ConnectTo(ctx, rxipcName).Get()
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithCancel(ctx)
		c := &hubConn{ctx: ctx, cancel: cancel, process: process, message: message, rounds: make(chan round, subscribers)}
		for range subscribers {
			c.all.Go(func() { c.subscribe(ipc) })
		}
		return c, c.await(0)
	},
}

// endTopic is the topic of the message after the last one of a push.
const endTopic = "end"

// hubConn is the subscribers, and the connection over which the hub is asked to publish.
type hubConn struct {
	ctx     context.Context
	cancel  func()
	process *socket.Process
	message []byte
	rounds  chan round
	all     sync.WaitGroup
}

// round is what a subscriber got in one push.
type round struct {
	messages int
	err      error
}

func (c *hubConn) subscribe(ipc *socket.IPC) {
	var got round
	err := pubsub.Subscribe(ipc, rxipcName)(c.ctx, func(e pubsub.Event) bool {
		switch {
		case e.Topic == endTopic:
			c.rounds <- got
			got = round{}
		case e.Message.Len() != len(c.message):
			got.err = fmt.Errorf("compare a message: got %d bytes, want %d", e.Message.Len(), len(c.message))
		default:
			got.messages++
		}
		return true
	})
	if c.ctx.Err() == nil {
		c.rounds <- round{err: err}
	}
}

// await waits until each subscriber has n messages.
func (c *hubConn) await(n int) (err error) {
	for range subscribers {
		got := <-c.rounds
		if got.err == nil && got.messages != n {
			got.err = fmt.Errorf("count the messages: a subscriber got %d, want %d", got.messages, n)
		}
		err = errors.Join(err, got.err)
	}
	return err
}

func (c *hubConn) push(n int) error {
	mediaType, err := socket.ParseMediaType(fmt.Sprint(socket.OctetStream(), "; count=", n))
	if err != nil {
		return err
	}
	if err := c.process.Send(c.ctx, socket.NewMessageBytes(mediaType, c.message)).Err(); err != nil {
		return err
	}
	return c.await(n)
}

func (c *hubConn) ask() ([]byte, error) { return nil, errors.ErrUnsupported }

func (c *hubConn) askAhead(int, int, func([]byte) error) error { return errors.ErrUnsupported }

func (c *hubConn) close() error {
	err := c.process.Close(c.ctx).Err()
	c.cancel()
	c.all.Wait()
	return err
}

// fanOut measures the rate of deliveries to subscribers, n in all.
func (b *bench) fanOut(_ context.Context, n int) (measure.Figures, error) {
	published := max(1, n/subscribers)
	figures, _, err := b.timed(published*subscribers, func() error { return b.conns[0].push(published) })
	return figures, err
}
