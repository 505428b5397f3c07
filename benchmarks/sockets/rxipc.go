package sockets

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// rxIPC is rxipc with a handler function, its most common use.
var rxIPC = peer{
	id:   "rxipc",
	name: "rxipc",
	serve: func(place place, job job, ready func()) error {
		return socket.Serve(rxipcAt(place, ready), rxipcName, fold.Sum[int]()).
			With(context.Background(), func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
				if job.Count {
					add(&received, m.Content())
					return c.CarryWith(count + 1)
				}
				return c.Respond(m).CarryWith(count + 1)
			}).Err()
	},
	dial: dialRxipc,
}

// lent is rxipc with handlers that keep no message.
var lent = peer{
	id:   "lent",
	name: "rxipc, lent",
	serve: func(place place, job job, ready func()) error {
		return socket.Serve(rxipcAt(place, ready), rxipcName, fold.Sum[int]()).
			WithViews(context.Background(), func(v socket.View, c socket.Continuation[int], count int) socket.Continuation[int] {
				if job.Count {
					add(&received, v.Bytes())
					return c.CarryWith(count + 1)
				}
				return c.RespondView(v).CarryWith(count + 1)
			}).Err()
	},
	dial: func(ctx context.Context, place place, message []byte) (conn, error) {
		c, err := dialRxipc(ctx, place, message)
		if err != nil {
			return nil, err
		}
		return lentConn{c.(*rxipcConn)}, nil
	},
}

// seldom is rxipc in processes with less frequent garbage collections. A program that only echoes
// has a tiny heap, so that Go collects after every 4 MiB.
var seldom = func() peer {
	p := rxIPC
	p.name, p.gogc = "rxipc, GOGC=800", 800
	return p
}()

// pipeline is rxipc with one state for all clients: a pipeline of operators.
var pipeline = peer{
	id:   "pipeline",
	name: "rxipc, a pipeline",
	serve: func(place place, job job, ready func()) error {
		exchanges := socket.Exchanges(rxipcAt(place, ready).Listen(rxipcName))
		for i := range job.Operators {
			exchanges = someOperators[i%len(someOperators)](exchanges)
		}
		return exchanges.ForEach(context.Background(), func(x socket.Exchange) {
			if err := x.Respond(x.Message); err != nil {
				panic(err) // a received message can be sent back
			}
		})
	},
	dial: dialRxipc,
}

var rxipcName = socket.MustParseName("bench")

func rxipcAt(place place, ready func()) *socket.IPC {
	return socket.New(socket.Config{Dir: place.dir, ServerConfig: socket.ServerConfig{Listening: func(socket.Name) { ready() }}})
}

// someOperators are typical stages of a server. Each passes all exchanges.
var someOperators = []stream.Operator[socket.Exchange, socket.Exchange]{
	operators.Map(func(x socket.Exchange) socket.Exchange { return x }),
	operators.Filter(func(x socket.Exchange) bool { return x.Len() > 0 }),
	operators.Tap(func(x socket.Exchange) { add(&received, x.Content()) }),
	operators.TakeWhile(func(x socket.Exchange) bool { return !x.MediaType().IsZero() }),
	operators.MapErr(func(x socket.Exchange) (socket.Exchange, error) { return x, nil }),
}

func dialRxipc(ctx context.Context, place place, message []byte) (conn, error) {
	process, err := rxipcAt(place, func() {}).ConnectTo(ctx, rxipcName).Get()
	if err != nil {
		return nil, err
	}
	return &rxipcConn{ctx: ctx, process: process, message: socket.NewMessageBytes(socket.OctetStream(), message)}, nil
}

type rxipcConn struct {
	ctx     context.Context
	process *socket.Process
	message socket.Message
	batch   []socket.Message // pushBatch copies of the message, made at the first push
}

// pushBatch is the number of messages per call of Send.
const pushBatch = 16 << 10

func (c *rxipcConn) ask() ([]byte, error) {
	if err := c.process.Send(c.ctx, c.message).Err(); err != nil {
		return nil, err
	}
	return c.wait()
}

func (c *rxipcConn) wait() ([]byte, error) {
	answer, err := c.process.Wait(c.ctx).Get()
	if err != nil {
		return nil, err
	}
	return view(answer.Content()), nil
}

// lentConn is a rxipcConn that keeps no response of single requests.
type lentConn struct{ *rxipcConn }

func (c lentConn) askLent(use func([]byte) error) error {
	return c.process.RequestView(c.ctx, c.message, func(v socket.View) error { return use(v.Bytes()) })
}

// view returns a text as bytes without a copy, for reading only. A user of Content does not copy
// either.
func view(text string) []byte { return unsafe.Slice(unsafe.StringData(text), len(text)) }

// inOrder is rxipc whose requests in flight are a stream.
var inOrder = func() peer {
	p := rxIPC
	p.name = "rxipc, RequestAll"
	p.dial = func(ctx context.Context, place place, message []byte) (conn, error) {
		config := socket.Config{Dir: place.dir, ClientConfig: socket.ClientConfig{Window: windowWidth}}
		process, err := socket.New(config).ConnectTo(ctx, rxipcName).Get()
		if err != nil {
			return nil, err
		}
		return streamConn{&rxipcConn{ctx: ctx, process: process, message: socket.NewMessageBytes(socket.OctetStream(), message)}}, nil
	}
	return p
}()

// streamConn is a rxipcConn that makes a stream of requests.
type streamConn struct{ *rxipcConn }

func (c streamConn) askAhead(n, _ int, got func([]byte) error) error {
	for answer, err := range c.process.RequestAll(stream.Just(c.messages(n)...)).Seq(c.ctx) {
		if err == nil {
			err = got(view(answer.Content()))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// askAhead sends a window of requests, waits for their responses, which arrive in order, and sends
// the next window.
func (c *rxipcConn) askAhead(n, window int, got func([]byte) error) error {
	for n > 0 {
		ahead := c.messages(min(n, window))
		if err := c.process.Send(c.ctx, ahead...).Err(); err != nil {
			return err
		}
		for range ahead {
			answer, err := c.wait()
			if err == nil {
				err = got(answer)
			}
			if err != nil {
				return err
			}
		}
		n -= len(ahead)
	}
	return nil
}

func (c *rxipcConn) push(n int) error {
	for n > 0 {
		some := c.messages(min(n, pushBatch))
		if err := c.process.Send(c.ctx, some...).Err(); err != nil {
			return err
		}
		n -= len(some)
	}
	return nil
}

func (c *rxipcConn) messages(n int) []socket.Message {
	for len(c.batch) < n {
		c.batch = append(c.batch, c.message)
	}
	return c.batch[:n]
}

func (c *rxipcConn) close() error {
	if err := c.process.Close(c.ctx).Err(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}
