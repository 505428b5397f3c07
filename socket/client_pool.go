package socket

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/fifo"
)

// PoolConfig says how a [Pool] works. Each field that is zero stands for its default.
type PoolConfig struct {
	// Connections limits the connections, with the ones that are being closed; default 16. The
	// pool makes one more when a request finds all of them busy.
	Connections int

	// InFlight limits the requests in flight of a connection; default 1. A server handles the
	// requests of a connection one after the other. With 1, no request waits behind a slow
	// one. With more, requests and answers share writes and reads.
	//
	// Leave it at 1 where handlers work or wait. Where they answer at once, use few connections
	// with many requests in flight. BenchmarkPool compares one connection that has all requests
	// in flight with the default: a request takes a third of the processor time with 16
	// callers, a fifth with 64 and 256, and the same with one. A server that is not of rxipc
	// always gets one request at a time.
	InFlight int

	// Idle is how long a connection without requests is kept; default 1 min. Negative: until
	// the pool is closed or the connection breaks.
	Idle time.Duration

	// Retry is how long the pool waits before it makes a failed or lost connection again, and
	// how often; by default 10 ms to 1 s, without end. A response restarts the count. Without
	// Delay and Times the pool waits for news of a server, as ConnectTo does, and connects at
	// once. A nil If retries failures that may pass: the server is not there, went away, or is
	// too slow.
	Retry operators.RetryPolicy
}

// Pool is a client for many requests at the same time. It has a limited number of connections to
// one name. It makes them when they are needed, and replaces broken ones. Its methods may be
// called from any goroutine.
//
// A request goes to a connection without requests, or to a new one, or, at the limit, to the one
// with the fewest requests. When all connections have InFlight requests, it waits, in the order
// of the calls. Only calls of Request wait, so the queue is as long as there are callers.
// Requests that get a place on a connection at the same time are sent in any order. A request
// that was given up keeps its place until its response has come. Messages of the server that
// answer no request are dropped.
type Pool struct {
	ipc    *IPC
	name   Name
	config PoolConfig
	keep   keeping
	ctx    context.Context // of the lines
	end    context.CancelCauseFunc
	joined sync.WaitGroup

	mu      sync.Mutex
	lines   []*line
	last    *poolConn         // to which a place was given back last
	waiting fifo.Queue[*call] // calls without a place, in the order in which they began
	spare   []*call           // calls that wait no more
	turns   uint64            // calls that have begun
	calls   int               // of these, not over
	down    error             // why the last line went down, until one is up
	closed  bool
	over    chan struct{} // closed when it is closed and no call is left
	stats   PoolStats

	settling *time.Timer // for connections that no call uses any more, see settle
	resting  bool        // it runs
}

// PoolStats has the present numbers of a pool, and what it counted since it was made.
type PoolStats struct {
	Connections int // that are up
	InFlight    int // requests given to them
	Waiting     int // requests not given to one

	Requests  uint64 // made
	Answered  uint64 // of these, with a response
	Failed    uint64 // of these, without one
	Retried   uint64 // times that a connection ended and gave back a request that was not handled
	Connected uint64 // connections made
	Lost      uint64 // connections broken
}

// Pool makes a pool of connections to a name. It connects at the first request; Close
// ends it.
func (ipc *IPC) Pool(name Name, config PoolConfig) *Pool {
	config.Connections = max(1, cmp.Or(config.Connections, 16))
	config.InFlight = min(max(1, config.InFlight), ipc.config.Window)
	config.Idle = cmp.Or(config.Idle, time.Minute)
	if config.Idle < 0 {
		config.Idle = math.MaxInt64
	}
	p := &Pool{ipc: ipc, name: name, config: config, keep: keepUp(config.Retry), over: make(chan struct{})}
	p.ctx, p.end = context.WithCancelCause(context.Background())
	p.settling = time.AfterFunc(time.Hour, p.settle)
	p.settling.Stop()
	return p
}

// Request sends a message and returns the response to it. It waits for a server to appear,
// and for its turn, until ctx ends. Then it fails with ctx's cause and the reason of the wait:
// ErrNoConnection if all connections were busy, otherwise the reason why there is none, such
// as ErrNotListening or ErrNoHandshake.
//
// A request that was certainly not handled is made again on another connection: it was not sent,
// or a server of rxipc left it unacknowledged when it closed the connection in an orderly way.
// So no request fails when a server ends, restarts or hands over.
//
// A request that may have been handled fails with a [*SendError] whose Doubtful is 1, after
// the death of a server for instance. The caller may make it again if the server may handle
// it twice. After Close a request fails with net.ErrClosed.
func (p *Pool) Request(ctx context.Context, m Message) fold.Attempt[Message] {
	a, err := p.ask(ctx, m, false)
	if err != nil {
		return fold.Fail[Message](p.failure(err))
	}
	return fold.Succeed(a.message)
}

// RequestView is Request for a response that is not kept, as [Process.RequestView] is. The
// connection is free for other calls while use runs.
func (p *Pool) RequestView(ctx context.Context, m Message, use func(View) error) error {
	a, err := p.ask(ctx, m, true)
	if err != nil {
		return p.failure(err)
	}
	return a.lendTo(use)
}

// ask makes a request on the goroutine of its caller, which writes and reads itself. The caller
// ends the loan of the answer, which has one only if lend is set.
func (p *Pool) ask(ctx context.Context, m Message, lend bool) (answer, error) {
	if err := cmp.Or(p.name.check(), m.check(p.ipc.config.MaxMessage)); err != nil {
		return answer{}, &SendError{Err: err}
	}
	if ctx.Err() != nil {
		return answer{}, &SendError{Err: context.Cause(ctx)}
	}
	turn, k, c, err := p.begin()
	for err == nil {
		if k == nil {
			if k, err = p.await(ctx, c); err != nil {
				return answer{}, p.fail(err)
			}
		}
		a, failure := k.process.ask(ctx, m, lend)
		if c, err = k.leave(turn, failure); c == nil {
			return a, err
		}
		k = nil
	}
	return answer{}, &SendError{Err: err}
}

// call is a request that waits for a place on a connection.
type call struct {
	turn  uint64         // its place among all calls
	err   error          // why it gets none
	given chan *poolConn // the place, or nil with err
}

// begin counts a call and gives it a place, or lets it wait if there is none.
func (p *Pool) begin() (turn uint64, k *poolConn, c *call, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, nil, nil, net.ErrClosed
	}
	p.calls++
	p.turns++
	p.stats.Requests++
	if p.waiting.Len() == 0 {
		if k = p.free(1); k != nil {
			k.enter()
			return p.turns, k, nil, nil
		}
	}
	return p.turns, nil, p.enqueue(p.turns), nil
}

// enqueue lets a call wait for its turn, mu held.
func (p *Pool) enqueue(turn uint64) (c *call) {
	if last := len(p.spare) - 1; last >= 0 {
		c, p.spare = p.spare[last], p.spare[:last]
	} else {
		c = &call{given: make(chan *poolConn, 1)}
	}
	c.turn = turn
	i, _ := p.position(turn)
	p.waiting.Insert(i, c)
	p.dispatch()
	return c
}

// position returns the index of the call with a turn among the waiting calls, or the index at which
// it would be inserted, mu held.
func (p *Pool) position(turn uint64) (i int, waits bool) {
	return slices.BinarySearchFunc(p.waiting.All(), turn, func(c *call, turn uint64) int { return cmp.Compare(c.turn, turn) })
}

// await waits for a place on a connection until ctx ends.
func (p *Pool) await(ctx context.Context, c *call) (k *poolConn, err error) {
	select {
	case k = <-c.given:
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if k == nil && c.err == nil {
		i, waits := p.position(c.turn)
		if waits {
			p.waiting.Remove(i)
			c.err = gaveUp(ctx, p.missing())
		} else {
			k = <-c.given // in the same moment; the request sees the end of ctx, too
		}
	}
	if c.err, err = nil, c.err; len(p.spare) < spareCalls {
		p.spare = append(p.spare, c)
	}
	return k, err
}

// spareCalls is how many calls a pool keeps to use them again.
const spareCalls = 64

// fail counts a call that got no place.
func (p *Pool) fail(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err = &SendError{Err: err}
	p.finish(err)
	return err
}

// finish counts a call that is over, mu held.
func (p *Pool) finish(err error) {
	p.calls--
	if err == nil {
		p.stats.Answered++
	} else {
		p.stats.Failed++
	}
	if p.closed && p.calls == 0 {
		close(p.over)
	}
}

// missing returns the reason why a call waits, mu held.
func (p *Pool) missing() error {
	up, trying, _ := p.count()
	switch {
	case up == 0 && p.down != nil:
		return p.down
	case up == 0 && trying > 0:
		return fmt.Errorf("%w: the pool connects, and the server has said nothing yet: it may be stopped or overloaded", ErrNoHandshake)
	}
	return fmt.Errorf("%w: it has %d of at most %d, and %d requests wait", ErrNoConnection,
		len(p.lines), p.config.Connections, p.waiting.Len()+1)
}

// dispatch gives places to waiting calls, first on connections without a call, and starts lines
// for the others. When there are as many lines as there may be, it gives places on busy connections
// as well, mu held.
func (p *Pool) dispatch() {
	if p.waiting.Len() == 0 {
		return
	}
	for p.give(1) {
	}
	up, trying, coming := p.count()
	reachable := up > 0 || p.down == nil || len(p.lines) == 0
	for reachable && trying < p.waiting.Len() && len(p.lines) < p.config.Connections && p.ctx.Err() == nil {
		p.start()
		trying, coming = trying+1, coming+1
	}
	for p.waiting.Len() > coming && p.give(math.MaxInt) {
	}
}

// count counts the lines that are up, that connect or will again, and that connect for the
// first time, mu held.
func (p *Pool) count() (up, trying, coming int) {
	for _, l := range p.lines {
		switch {
		case l.conn != nil && l.conn.up:
			up++
		case !l.leaving:
			trying++
		}
		if l.coming {
			coming++
		}
	}
	return up, trying, coming
}

// give gives a place to the first of the waiting calls, mu held. It reports whether it did.
func (p *Pool) give(most int) bool {
	if p.waiting.Len() == 0 {
		return false
	}
	k := p.free(most)
	if k == nil {
		return false
	}
	k.enter()
	c := p.waiting.All()[0]
	p.waiting.Drop(1)
	c.given <- k
	return true
}

// free returns the connection with the fewest calls, if it has fewer than most and may have one
// more, mu held. It prefers the connection that was used last.
func (p *Pool) free(most int) (free *poolConn) {
	if k := p.last; k != nil && k.up && k.load() == 0 {
		return k
	}
	for _, l := range p.lines {
		if k := l.conn; k != nil && k.up && k.load() < min(k.room, most) && (free == nil || k.load() < free.load()) {
			free = k
		}
	}
	return free
}

// start starts one more line, mu held.
func (p *Pool) start() {
	l := &line{pool: p, coming: true}
	p.lines = append(p.lines, l)
	p.joined.Go(func() {
		err := operators.Retry[struct{}](p.keep.policy)(l.session).Run(p.ctx)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.lines = slices.DeleteFunc(p.lines, func(other *line) bool { return other == l })
		switch {
		case err == nil:
			p.dispatch() // to another, that there was no place for
		case len(p.lines) == 0:
			p.failWaiting(err)
		}
	})
}

// failWaiting fails the waiting calls, since no line is left, mu held.
func (p *Pool) failWaiting(err error) {
	for _, c := range p.waiting.All() {
		c.err = err
		c.given <- nil
	}
	p.waiting.Drop(p.waiting.Len())
}

// Stats returns what the pool has counted.
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	stats := p.stats
	stats.Waiting = p.waiting.Len()
	for _, l := range p.lines {
		if l.conn == nil {
			continue
		}
		if l.conn.up {
			stats.Connections++
		}
		stats.InFlight += l.conn.load()
	}
	return stats
}

// Close refuses further requests and waits for the ones under way until ctx ends. Then these fail
// with net.ErrClosed. Close closes the connections in an orderly way, within [Config.Grace], and
// returns when all goroutines of the pool have ended. It fails with ctx's cause if ctx ended
// first. Closing twice is fine.
func (p *Pool) Close(ctx context.Context) fold.Attempt[struct{}] {
	p.mu.Lock()
	if !p.closed && p.calls == 0 {
		close(p.over)
	}
	p.closed = true
	p.mu.Unlock()
	var err error
	select {
	case <-p.over:
	case <-ctx.Done():
		err = &Error{Op: "close", Name: p.name.String(), Err: context.Cause(ctx)}
	}
	p.mu.Lock()
	p.end(net.ErrClosed) // no line is started from here on
	p.mu.Unlock()
	p.joined.Wait()
	p.settling.Stop()
	p.mu.Lock()
	p.failWaiting(net.ErrClosed)
	p.mu.Unlock()
	if err != nil {
		return fold.Fail[struct{}](err)
	}
	return fold.Succeed(struct{}{})
}

// String is the pool in a line: its name, and how many connections and requests it has.
func (p *Pool) String() string {
	if p == nil {
		return "no pool"
	}
	stats := p.Stats()
	return fmt.Sprintf("pool of %s, %d connections, %d requests in flight, %d waiting",
		p.name, stats.Connections, stats.InFlight, stats.Waiting)
}

// GoString is String.
func (p *Pool) GoString() string { return p.String() }

// LogValue is the pool as attributes of a log line: name, connections, in_flight and
// waiting.
func (p *Pool) LogValue() slog.Value {
	stats := p.Stats()
	return slog.GroupValue(slog.String("name", p.name.text), slog.Int("connections", stats.Connections),
		slog.Int("in_flight", stats.InFlight), slog.Int("waiting", stats.Waiting))
}

// failure makes the structured error of a request.
func (p *Pool) failure(err error) error {
	return &Error{Op: "request", Name: p.name.String(), Err: err}
}
