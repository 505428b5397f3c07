package sockets

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"time"

	"github.com/rxipc/rxipc/benchmarks/measure"
	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// The names of the figures per idle connection.
const (
	heapEach = "heap and stacks, each"
	rssEach  = "resident, each"
)

// heartbeat is the interval of heartbeats. A turn must take longer than that.
const heartbeat = time.Second

// roomy is rxipc without its limit of 10,000 connections, at which the measured connection would
// have to wait.
var roomy = peer{
	id:   "rxipc roomy",
	name: rxIPC.name,
	serve: func(place place, _ job, ready func()) error {
		ipc := socket.New(socket.Config{
			Dir:          place.dir,
			ServerConfig: socket.ServerConfig{MaxConnections: -1, Listening: func(socket.Name) { ready() }},
			Heartbeat:    heartbeat,
		})
		return socket.Serve(ipc, rxipcName, fold.Sum[int]()).
			With(context.Background(), func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
				return c.Respond(m).CarryWith(count + 1)
			}).Err()
	},
	dial: rxIPC.dial,
	hold: holdRxipc,
}

// besideIdle measures one client's requests while the server holds idle connections of others.
func besideIdle() measure.Group {
	group := measure.Group{
		Title: "Beside idle connections",
		About: `Requests of one client, one after the other, while another process holds that many idle connections
to the server. Each idle connection has completed the handshake and made one request. Idle connections to
rxipc get and answer a heartbeat a second during the measurement; the others have no heartbeats.
Ratios are to the same server without idle connections. The figures "each" are what one idle connection
adds to the server's process after a garbage collection: heap and stacks in use, and resident memory.`,
		Axis:      "idle connections",
		Reference: "0",
		Metrics: []measure.Metric{
			{Name: p50, Unit: measure.Seconds},
			{Name: p99, Unit: measure.Seconds},
			{Name: rate, Unit: measure.PerSecond, Higher: true},
			{Name: heapEach, Unit: measure.Bytes, Partial: true},
			{Name: rssEach, Unit: measure.Bytes, Partial: true},
		},
		Goals: []measure.Goal{
			{Contender: roomy.title(), Metric: p50, Work: "10000", Ratio: true, Bound: 2},
			{Contender: roomy.title(), Metric: heapEach, Work: "10000", Bound: 6 << 10},
			{Contender: roomy.title(), Metric: rssEach, Work: "10000", Bound: 6 << 10},
		},
	}
	for _, count := range []int{0, 100, 1000, 10_000} {
		work := measure.Work{Name: fmt.Sprint(count), X: float64(count), N: 20_000, QuickN: 10, Whole: true, MaxRounds: 5, Slow: count > 100}
		for _, p := range []peer{bare, roomy, netRPC} {
			work.Contenders = append(work.Contenders, p.besideIdle(count))
		}
		group.Works = append(group.Works, work)
	}
	return group
}

// besideIdle returns a contender whose turns have a server of their own, so that its heartbeats do
// not affect the turns of others.
func (p peer) besideIdle(count int) measure.Contender {
	return measure.Contender{Name: p.title(), Start: func(context.Context) (measure.Session, error) {
		return measure.Session{Run: func(ctx context.Context, n int) (figures measure.Figures, err error) {
			b, err := newBench(ctx, p, setup{size: 32, conns: 1})
			if err != nil {
				return nil, err
			}
			defer func() { err = errors.Join(err, b.stop()) }()
			if _, err := b.oneByOne(ctx, max(1, n/10)); err != nil { // warms up
				return nil, err
			}
			if count == 0 {
				return b.oneByOne(ctx, n)
			}
			return b.besideIdle(n, count)
		}}, nil
	}}
}

// besideIdle measures at least n requests while another process holds idle connections, and the
// server's memory for each of those.
func (b *bench) besideIdle(n, count int) (figures measure.Figures, err error) {
	if err := allowDescriptors(count); err != nil {
		return nil, err
	}
	before, err := b.server.usage(askSettled)
	if err != nil {
		return nil, err
	}
	holder, err := startChild(assignment{Peer: b.id, Dir: b.server.dir, Idle: count})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, holder.stop()) }()
	if b.hold == nil {
		figures, err = b.requests(n, 0)
	} else {
		figures, err = b.requestsBesideHeartbeats(holder, n, count)
	}
	if err != nil {
		return nil, err
	}
	after, err := b.server.usage(askSettled)
	figures[heapEach] = (float64(after.Heap) - float64(before.Heap)) / float64(count)
	figures[rssEach] = (float64(after.Resident) - float64(before.Resident)) / float64(count)
	return figures, err
}

// requestsBesideHeartbeats measures requests for as long as heartbeats need, which may be late by an
// eighth of their interval. It fails unless each idle connection got one.
func (b *bench) requestsBesideHeartbeats(holder *child, n, count int) (measure.Figures, error) {
	before, err := holder.usage(askUsage)
	if err != nil {
		return nil, err
	}
	figures, err := b.requests(n, 2*heartbeat)
	if err != nil {
		return nil, err
	}
	after, err := holder.usage(askUsage)
	if came := after.since(before).Messages; err == nil && came < uint64(count) {
		err = fmt.Errorf("measure beside idle connections: %d heartbeats arrived on %d connections, want at least one on each", came, count)
	}
	return figures, err
}

// holdIdle opens connections to a server, makes a request on each, and holds them until
// one fails.
func holdIdle(p peer, place place, count int, ready func()) error {
	hold := p.hold
	if hold == nil {
		hold = p.holdSilent
	}
	failed := make(chan error)
	for range count {
		wait, err := hold(context.Background(), place, messageOf(32))
		if err != nil {
			return err
		}
		go func() { failed <- wait() }()
	}
	ready()
	return <-failed
}

// holdSilent is hold for a peer that sends nothing to an idle connection.
func (p peer) holdSilent(ctx context.Context, place place, message []byte) (wait func() error, err error) {
	b := &bench{peer: p, message: message}
	c, err := p.dial(ctx, place, message)
	if err == nil {
		err = b.ask(c)
	}
	return func() error {
		<-ctx.Done()
		return c.close()
	}, err
}

// holdRxipc implements the protocol without rxipc's client, to use little of the machine.
func holdRxipc(ctx context.Context, place place, message []byte) (wait func() error, err error) {
	place.path = filepath.Join(place.dir, rxipcName.String()+".sock")
	wire, err := connectTo(ctx, place)
	if err != nil {
		return nil, err
	}
	c := &handmade{wire, bufio.NewReaderSize(wire, 128)}
	request := frameOf(socket.OctetStream().String(), string(message))
	if err := c.awaitFrame(control("connection.start")); err != nil {
		return nil, err
	}
	if _, err := wire.Write(slices.Concat(control("connection.start-ok"), request)); err != nil {
		return nil, err
	}
	if err := errors.Join(c.awaitFrame(control("ack")), c.awaitFrame(request)); err != nil {
		return nil, err
	}
	return func() error { return c.awaitFrame(nil) }, nil
}

// handmade is a connection to rxipc without its client.
type handmade struct {
	net.Conn
	reader *bufio.Reader
}

var heartbeatFrame = control("heartbeat")

// control returns a control frame of the protocol.
func control(what string) []byte { return frameOf("text/plain", "innmind/ipc:"+what) }

func frameOf(mediaType, content string) []byte {
	frame := binary.BigEndian.AppendUint16(nil, uint16(len(mediaType)))
	frame = append(frame, mediaType...)
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(content)))
	frame = append(frame, content...)
	return append(frame, 0xce)
}

// awaitFrame counts and answers heartbeats until the wanted frame arrives, or, without a wanted
// frame, until the connection ends. Any other frame is an error.
func (c *handmade) awaitFrame(want []byte) error {
	for {
		frame, err := c.frame()
		switch {
		case err != nil:
			return err
		case bytes.Equal(frame, want):
			return nil
		case !bytes.Equal(frame, heartbeatFrame):
			return fmt.Errorf("wait for a frame: got %q, want %q", frame, want)
		}
		received.messages.Add(1)
		if _, err := c.Write(heartbeatFrame); err != nil {
			return err
		}
	}
}

// frame reads a frame, which is valid until the next call.
func (c *handmade) frame() ([]byte, error) {
	head, err := c.reader.Peek(2)
	if err != nil {
		return nil, err
	}
	size := 2 + int(binary.BigEndian.Uint16(head)) + 4
	if head, err = c.reader.Peek(size); err != nil {
		return nil, err
	}
	size += int(binary.BigEndian.Uint32(head[size-4:])) + 1
	frame, err := c.reader.Peek(size)
	if err == nil {
		_, err = c.reader.Discard(size)
	}
	return frame, err
}
