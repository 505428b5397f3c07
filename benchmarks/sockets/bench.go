package sockets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/rxipc/rxipc/benchmarks/measure"
)

// bench is a started peer: its server process and connections to it.
type bench struct {
	peer
	server  *server
	message []byte
	conns   []conn
}

// setup configures a measurement.
type setup struct {
	kind  kind
	job   job
	size  int // of the message, in bytes
	conns int // opened before the measurement
}

// measurement does a work n times, like measure.Session.Run.
type measurement = func(b *bench, ctx context.Context, n int) (measure.Figures, error)

// contender returns a contender that measures the peer with run.
func (p peer) contender(s setup, run measurement) measure.Contender {
	return measure.Contender{Name: p.title(), Note: p.note[s.kind], Start: func(ctx context.Context) (measure.Session, error) {
		b, err := newBench(ctx, p, s)
		if err != nil {
			return measure.Session{}, err
		}
		return measure.Session{
			Run: func(ctx context.Context, n int) (measure.Figures, error) {
				if p.gogc > 0 {
					defer debug.SetGCPercent(debug.SetGCPercent(p.gogc))
				}
				return run(b, ctx, n)
			},
			Stop: b.stop,
		}, nil
	}}
}

func newBench(ctx context.Context, p peer, s setup) (*bench, error) {
	if err := allowDescriptors(s.conns); err != nil {
		return nil, err
	}
	server, err := startServer(p, s.job)
	if err != nil {
		return nil, err
	}
	b := &bench{peer: p, server: server, message: messageOf(s.size)}
	if b.conns, err = b.connect(ctx, s.conns); err != nil {
		return nil, errors.Join(err, b.stop())
	}
	return b, nil
}

// messageOf returns a message of size bytes, the same at each call.
func messageOf(size int) []byte {
	message := make([]byte, size)
	rand.NewChaCha8([32]byte{}).Read(message)
	return message
}

// connect opens connections.
func (b *bench) connect(ctx context.Context, n int) (conns []conn, err error) {
	for range n {
		c, err := b.dial(ctx, b.server.place, b.message)
		if err != nil {
			return conns, err
		}
		conns = append(conns, c)
	}
	return conns, nil
}

func closeAll(conns []conn) (err error) {
	for _, c := range conns {
		err = errors.Join(err, c.close())
	}
	return err
}

func (b *bench) stop() error { return errors.Join(closeAll(b.conns), b.server.stop()) }

// check compares a response with the request.
func (b *bench) check(answer []byte) error {
	if !bytes.Equal(answer, b.message) {
		return fmt.Errorf("compare the response: got %d bytes that differ from the request of %d", len(answer), len(b.message))
	}
	return nil
}

func (b *bench) ask(c conn) error { return request(c, b.check) }

// oneByOne measures requests one after the other: the time of each, and the usage of both sides. The
// time does not include the comparison of the response.
func (b *bench) oneByOne(_ context.Context, n int) (measure.Figures, error) {
	return b.requests(n, 0)
}

// requests is oneByOne with n requests, and more until at least the given time has passed.
func (b *bench) requests(n int, least time.Duration) (measure.Figures, error) {
	c := b.conns[0]
	times := make([]float64, 0, n)
	client, server, err := b.used(func() error {
		var start time.Time
		use := func(answer []byte) error {
			times = append(times, time.Since(start).Seconds())
			return b.check(answer)
		}
		for begin := time.Now(); len(times) < n || time.Since(begin) < least; {
			start = time.Now()
			if err := request(c, use); err != nil {
				return err
			}
		}
		return nil
	})
	each := float64(len(times))
	return measure.Figures{
		p50:               measure.Percentile(times, 0.5),
		p99:               measure.Percentile(times, 0.99),
		rate:              each / sum(times),
		clientAllocations: float64(client.Allocations) / each,
		serverAllocations: float64(server.Allocations) / each,
		clientCPU:         client.CPU.Seconds() / each,
		serverCPU:         server.CPU.Seconds() / each,
	}, err
}

func sum(values []float64) (total float64) {
	for _, value := range values {
		total += value
	}
	return total
}

// used does work and returns the usage of client and server, with the number of messages that the
// server has received.
func (b *bench) used(work func() error) (client, server usage, err error) {
	serverBefore, err := b.server.usage(askUsage)
	if err != nil {
		return client, server, err
	}
	clientBefore, err := use()
	if err != nil {
		return client, server, err
	}
	if err := work(); err != nil {
		return client, server, err
	}
	clientAfter, err := use()
	if err != nil {
		return client, server, err
	}
	serverAfter, err := b.server.usage(askUsage)
	return clientAfter.since(clientBefore), serverAfter.since(serverBefore), err
}

// since returns the difference of two usages.
func (u usage) since(before usage) usage {
	return usage{
		Allocations: u.Allocations - before.Allocations,
		CPU:         u.CPU - before.CPU,
		Messages:    u.Messages - before.Messages,
		Last:        u.Last,
		Changes:     u.Changes, // not a difference: the first message counts as a change
	}
}

// inFlight measures the rate of requests with a window of them in flight.
func (b *bench) inFlight(_ context.Context, n int) (measure.Figures, error) {
	figures, _, err := b.timed(n, func() error { return b.conns[0].askAhead(n, windowWidth, b.check) })
	return figures, err
}

// timed does work n times and returns its rate, the processor time of both sides for each, and the
// server's usage.
func (b *bench) timed(n int, work func() error) (figures measure.Figures, server usage, err error) {
	var elapsed time.Duration
	client, server, err := b.used(func() error {
		start := time.Now()
		defer func() { elapsed = time.Since(start) }()
		return work()
	})
	return measure.Figures{
		rate:      float64(n) / elapsed.Seconds(),
		clientCPU: client.CPU.Seconds() / float64(n),
		serverCPU: server.CPU.Seconds() / float64(n),
	}, server, err
}

// manyConnections measures the rate of n requests in total, with one in flight on each
// connection.
func (b *bench) manyConnections(_ context.Context, n int) (measure.Figures, error) {
	return b.askAll(b.conns, n)
}

func (b *bench) askAll(conns []conn, n int) (measure.Figures, error) {
	share := max(1, n/len(conns))
	figures, _, err := b.timed(share*len(conns), func() (err error) {
		failed := make(chan error)
		for _, c := range conns {
			go func() {
				for range share {
					if err := b.ask(c); err != nil {
						failed <- err
						return
					}
				}
				failed <- nil
			}()
		}
		for range conns {
			err = errors.Join(err, <-failed)
		}
		return err
	})
	return figures, err
}

// oneWay measures the rate of messages that the server counts.
func (b *bench) oneWay(_ context.Context, n int) (measure.Figures, error) {
	figures, server, err := b.timed(n, func() error { return b.conns[0].push(n) })
	if err != nil {
		return nil, err
	}
	want := usage{Messages: uint64(n), Last: markOf(b.message), Changes: 1}
	got := usage{Messages: server.Messages, Last: server.Last, Changes: server.Changes}
	if got != want {
		return nil, fmt.Errorf("compare the messages: the server received %d of %d; some of them differ: %v",
			got.Messages, want.Messages, got.Last != want.Last || got.Changes != want.Changes)
	}
	return figures, nil
}

// reconnect measures the rate of connecting, making a request and closing.
func (b *bench) reconnect(ctx context.Context, n int) (measure.Figures, error) {
	figures, _, err := b.timed(n, func() error {
		for range n {
			c, err := b.dial(ctx, b.server.place, b.message)
			if err != nil {
				return err
			}
			if err := errors.Join(b.ask(c), c.close()); err != nil {
				return err
			}
		}
		return nil
	})
	return figures, err
}

// idleFor is the time that connections are idle before their memory is measured. A quick run has
// fewer connections and does not wait that long.
const idleFor = 3 * time.Second

// idle measures the server's memory for each of n idle connections that have made a request.
func (b *bench) idle(ctx context.Context, n int) (measure.Figures, error) {
	if err := allowDescriptors(n); err != nil {
		return nil, err
	}
	before, err := b.server.usage(askSettled)
	if err != nil {
		return nil, err
	}
	conns, err := b.connect(ctx, n)
	for _, c := range conns {
		err = errors.Join(err, b.ask(c))
	}
	var after usage
	if err == nil {
		time.Sleep(idleFor * time.Duration(n) / idleConnections)
		after, err = b.server.usage(askSettled)
	}
	return measure.Figures{
		heap: (float64(after.Heap) - float64(before.Heap)) / float64(n),
		rss:  (float64(after.Resident) - float64(before.Resident)) / float64(n),
	}, errors.Join(err, closeAll(conns))
}
