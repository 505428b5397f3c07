package socket

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// world is a server and its clients, which act at random. Each visit of a client is recorded
// and checked in the end.
type world struct {
	seed   uint64
	config Config
	kind   int // of server
	environment

	listener *memoryListener
	serving  context.Context
	end      context.CancelFunc
	served   chan []string
	meddled  bool           // with connections
	others   sync.WaitGroup // who does something beside the server and the clients

	mu       sync.Mutex
	stopped  bool // by somebody
	visits   []*visit
	bySocket map[net.Conn]*visit
}

// The kinds of server.
const (
	serverWith   = iota // a handler
	serverOfEach        // a pipeline for each connection
	serverOfAll         // one for all
	serverKinds
)

// environment is what a world needs of the system.
type environment struct {
	ends   func(*rand.Rand) (a, b net.Conn)
	sleep  func(time.Duration)
	limit  func(*rand.Rand) time.Duration // of an attempt
	enough time.Duration                  // what takes as long is stuck
	large  int                            // bytes of a large message
	grace  time.Duration
}

// virtualTime is the environment of worlds in a synctest bubble.
var virtualTime = environment{
	ends:   func(random *rand.Rand) (net.Conn, net.Conn) { return newPipe(50 + random.IntN(3000)) },
	sleep:  time.Sleep,
	limit:  func(random *rand.Rand) time.Duration { return time.Duration(random.IntN(60)) * time.Millisecond },
	enough: time.Hour,
	large:  30_000,
}

// visit is a connection of a client.
type visit struct {
	record
	*world
	number int
	cable  *cable
	next   atomic.Int32 // number of a message

	mu sync.Mutex // of record
}

// TestModelHoldsInRandomWorlds runs worlds. One of them is run again by its
// seed, the name of its test.
func TestModelHoldsInRandomWorlds(t *testing.T) {
	t.Parallel()
	for seed := range rounds(t, 15) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runWorld(t, seed, virtualTime)
			})
		})
	}
}

// rounds is the number of rounds of a random test: the usual number times RXIPC_ROUNDS. The usual
// number is small, so that all tests take little time.
func rounds(t *testing.T, usual uint64) uint64 {
	text, found := os.LookupEnv("RXIPC_ROUNDS")
	if !found {
		return usual
	}
	factor, err := strconv.ParseUint(text, 10, 32)
	if err != nil || factor == 0 {
		t.Fatalf("RXIPC_ROUNDS=%q is no factor above zero", text)
	}
	return usual * factor
}

func runWorld(t *testing.T, seed uint64, environment environment) {
	random := newRandom(seed)
	w := newWorld(t, seed, environment, random.IntN(serverKinds), Config{
		ServerConfig: ServerConfig{Dialect: Dialect(random.IntN(4) / 3), MaxHeld: 1 + random.IntN(5)},
		ClientConfig: ClientConfig{
			Window:      1 + random.IntN(30),
			WindowBytes: 1 + random.IntN(10_000),
			MaxUnread:   (random.IntN(4) / 3) * (1000 + random.IntN(50_000)),
		},
		Heartbeat: time.Duration(1+random.IntN(1000)) * time.Millisecond,
		Grace:     environment.grace,
	})
	w.meddled = true
	var clients sync.WaitGroup
	for range 1 + random.IntN(4) {
		own := rand.New(rand.NewPCG(seed, random.Uint64()))
		clients.Go(func() {
			for range 1 + own.IntN(3) {
				w.visit(own)
			}
		})
	}
	clients.Wait()
	w.check(t)
}

// newWorld makes a world whose server runs.
func newWorld(t *testing.T, seed uint64, environment environment, kind int, config Config) *world {
	w := &world{
		seed: seed, kind: kind, environment: environment, config: config,
		listener: newMemoryListener(), served: make(chan []string, 1), bySocket: map[net.Conn]*visit{},
	}
	w.serving, w.end = context.WithCancel(t.Context())
	go func() { w.served <- w.serve(t) }()
	return w
}

// check ends the server and checks all visits.
func (w *world) check(t *testing.T) {
	w.end()
	carry := <-w.served
	w.others.Wait()
	for _, v := range w.visits {
		v.cable.wait()
		v.conclude(carry)
		for _, wrong := range v.record.check() {
			t.Errorf("the record of client %02d breaks the model: %s", v.number, wrong)
		}
	}
}

// conclude completes the record.
func (v *visit) conclude(carry []string) {
	for _, id := range carry {
		if strings.HasPrefix(id, v.prefix()) {
			v.carry = append(v.carry, id)
		}
	}
	v.up, v.down = v.cable.up.delivered, v.cable.down.delivered
}

func (v *visit) prefix() string { return fmt.Sprintf("%02d.", v.number) }

// note changes the record.
func (v *visit) note(change func(*record)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change(&v.record)
}

// excuse says that something is done that may make calls fail.
func (v *visit) excuse() { v.note(func(r *record) { r.excused = true }) }

// stop ends the server.
func (w *world) stop() {
	w.mu.Lock()
	w.stopped = true
	for _, v := range w.visits {
		v.excuse()
	}
	w.mu.Unlock()
	w.end()
}

// serve runs the server and returns its carry, the ids of what it folded.
func (w *world) serve(t *testing.T) (carry []string) {
	connections := operators.Map(w.meet)(New(w.config).Accept(w.listener))
	if w.kind == serverWith {
		served := ServeConnections(connections, fold.ConcatSlices[[]string]()).With(w.serving, w.handle)
		carry, ok := Carry(served).Get()
		if !ok {
			t.Errorf("the server ended with %v, want a carry", served)
		}
		return carry
	}
	var mu sync.Mutex
	handle := func(x Exchange) bool {
		folded, more := w.exchange(x)
		mu.Lock()
		defer mu.Unlock()
		if folded {
			carry = append(carry, stepOf(x.Message).id)
		}
		return more
	}
	if w.kind == serverOfAll {
		Exchanges(connections).ForEach(w.serving, func(x Exchange) {
			if !handle(x) {
				x.Connection().Close()
			}
		})
		return carry
	}
	operators.MergeMap(func(c *Connection) stream.Observable[Exchange] {
		return func(ctx context.Context, _ func(Exchange) bool) error {
			c.Exchanges()(ctx, handle)
			return nil
		}
	})(connections).Run(w.serving)
	return carry
}

// of is the visit that a connection belongs to.
func (w *world) of(c *Connection) *visit {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bySocket[c.Conn()]
}

// meet has somebody meddle with a connection.
func (w *world) meet(c *Connection) *Connection {
	if !w.meddled {
		return c
	}
	v := w.of(c)
	random := rand.New(rand.NewPCG(w.seed, uint64(v.number)))
	w.others.Go(func() {
		for range random.IntN(5) {
			w.sleep(time.Duration(random.IntN(100)) * time.Millisecond)
			switch random.IntN(30) {
			case 0:
				v.obey(c, doClose)
			case 1:
				v.obey(c, doShut)
			case 2:
				v.obey(c, doDie)
			default:
				v.push(c, "", w.limit(random), random.IntN(w.large/10))
			}
		}
	})
	return c
}

// obey does to a connection what is asked for.
func (v *visit) obey(c *Connection, d action) {
	switch d {
	case doReject, doFinish, doKeep:
		v.excuse()
	case doClose:
		v.excuse()
		c.Close()
	case doShut:
		v.excuse()
		closeWrite(c.Conn())
	case doDie:
		v.excuse()
		c.Conn().Close()
	case doStop:
		v.world.stop()
	}
}

// push sends one message by itself, or several.
func (v *visit) push(c *Connection, asked string, limit time.Duration, size int) {
	p := push{for_: asked}
	for i := range 1 + size%3 {
		p.messages = append(p.messages, Text(fmt.Sprintf("push %s %d %d %s", v.prefix(), v.next.Add(1), i, strings.Repeat(".", size))))
	}
	at := 0
	v.note(func(r *record) { at, r.pushes = len(r.pushes), append(r.pushes, p) })
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	err := c.Send(ctx, p.messages...)
	v.note(func(r *record) {
		r.pushes[at].err = err
		if errors.Is(err, context.DeadlineExceeded) && limit == v.enough {
			r.stuck = append(r.stuck, err)
		}
	})
}

// begin begins to handle a message.
func (w *world) begin(c *Connection, m Message) (*visit, step) {
	v, k := w.of(c), stepOf(m)
	v.note(func(r *record) { r.handled = append(r.handled, k) })
	v.obey(c, k.action)
	switch k.action {
	case doPush:
		v.push(c, k.id, w.enough, k.size)
	case doAnswer:
		w.sleep(time.Duration(k.delay) * time.Millisecond)
	}
	return v, k
}

// handle is the handler of serverWith. It rejects by a panic.
func (w *world) handle(m Message, c Continuation[[]string], carry []string) Continuation[[]string] {
	_, k := w.begin(c.Connection(), m)
	c = c.Respond(k.answer()...).CarryWith(append(slices.Clip(carry), k.id))
	switch k.action {
	case doReject:
		panic("rejected")
	case doFinish:
		return c.Finish()
	case doStop:
		return c.Stop()
	}
	return c
}

// exchange is the handler of the other servers. It reports whether the message was
// folded, and whether to go on.
func (w *world) exchange(x Exchange) (folded, more bool) {
	v, k := w.begin(x.Connection(), x.Message)
	answer := k.answer()
	switch k.action {
	case doReject:
		x.Respond(answer...)
		x.Reject(nil)
		return false, true
	case doKeep:
		x.Hold()
		w.others.Go(func() {
			w.sleep(5 * time.Second)
			x.Connection().Close()
		})
	case doHold:
		now := min(1, len(answer))
		x.Respond(answer[:now]...)
		held := x.Hold()
		w.others.Go(func() {
			w.sleep(time.Duration(k.delay) * time.Millisecond)
			v.release(held, answer[now:])
		})
	default:
		x.Respond(answer...)
	}
	return true, k.action != doFinish
}

// release gives an answer that was held.
func (v *visit) release(held *Held, rest []Message) {
	ctx, cancel := context.WithTimeout(context.Background(), v.enough)
	defer cancel()
	if err := held.Respond(ctx, rest...); errors.Is(err, context.DeadlineExceeded) {
		v.note(func(r *record) { r.stuck = append(r.stuck, err) })
	}
}
