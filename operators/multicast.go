package operators

import (
	"context"
	"sync"

	"github.com/rxipc/rxipc/stream"
)

// Multicast shares one run of a source among many observers. Such a run is called a
// connection, and the function subject makes the subject through which it emits. The kind
// of the subject decides what a new observer gets first. The source does not run before
// [Connectable.Connect] or a subscriber of [Connectable.RefCount]. [Share] and
// [ShareReplay] are the usual cases.
//
// A new observer belongs to the connection that is up, or to the next one. A connection
// whose source has completed still serves new observers if its subject has a value for them
// (see [stream.Subject.Value]), as a replay or async subject may. A connection that failed
// or was cut serves no new observers.
func Multicast[T any](source stream.Observable[T], subject func() *stream.Subject[T]) *Connectable[T] {
	mustHave("Multicast", "observable", source != nil)
	mustHave("Multicast", "function", subject != nil)
	return &Connectable[T]{source: source, subject: subject}
}

// Connectable is what [Multicast] makes. Its methods may be called from any goroutine.
type Connectable[T any] struct {
	source  stream.Observable[T]
	subject func() *stream.Subject[T]

	mu      sync.Mutex
	current *connection[T]  // the one that new observers belong to, if it still serves
	before  <-chan struct{} // closed when the source's latest run has ended; nil before the first
}

// connection is a run of the source, which may not have begun yet. The mu of the
// Connectable guards the fields that change.
type connection[T any] struct {
	subject func() *stream.Subject[T] // always the same one
	ended   chan struct{}             // closed when the run has ended

	holders int                // observers and callers of Connect that keep it up; if there are none after it has begun, it is being cut
	cancel  context.CancelFunc // cuts it; nil before it is begun
	open    context.CancelFunc // ends its waiting for observers
	over    bool               // the source has ended, with err, or with a panic or Goexit
	err     error
	crashed bool
}

// Observe returns a hot observable that does not connect: it waits for a connection that
// others begin. capacity and overflow are as in [stream.Subject.Observe]. A run of it ends
// as the run of the source does. If the connection was cut because nothing keeps it up any
// more, it ends with [context.Canceled].
func (c *Connectable[T]) Observe(capacity int, overflow stream.Overflow) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		return c.joinable().subject().Observe(capacity, overflow)(ctx, yield)
	}
}

// Audience emits how many observers the connection has that is up or comes next, including
// those of RefCount: see [stream.Subject.Audience].
func (c *Connectable[T]) Audience() stream.Observable[int] {
	return func(ctx context.Context, yield func(int) bool) error {
		return c.joinable().subject().Audience()(ctx, yield)
	}
}

// Connect begins a run of the source at once, unless one is up. It keeps the run up until
// the run ends or ctx ends. The run has a goroutine of its own and the values of ctx. It is
// cut and awaited when no Connect and no subscriber of RefCount keeps it up any more.
// Connect returns the error that the run ended with, or the cause of ctx. A panic or
// runtime.Goexit of the source reaches the caller of Connect, as it reaches observers.
func (c *Connectable[T]) Connect(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return c.hold(ctx, 0, func(conn *connection[T]) error {
		select {
		case <-conn.ended:
			conn.raise()
			return conn.err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}

// RefCount returns a hot observable whose runs keep the source up. If the source is not up,
// it begins when there are at least quorum observers. It is cut and awaited before the run
// of the last observer returns. capacity and overflow are as in [stream.Subject.Observe].
// [Share] is RefCount with a quorum of one; its documentation has the rest.
//
// RxJava has the quorum too. Here, subscribers often begin on goroutines of their own, in
// no order. With a quorum, none of that many subscribers misses the first value.
func (c *Connectable[T]) RefCount(quorum, capacity int, overflow stream.Overflow) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return c.hold(ctx, max(1, quorum), func(conn *connection[T]) error {
			return conn.subject().Observe(capacity, overflow)(ctx, yield)
		})
	}
}

// hold calls use with a connection, and keeps the connection up meanwhile. If need be it
// begins one: at once without a quorum, and then not one whose source has completed.
func (c *Connectable[T]) hold(ctx context.Context, quorum int, use func(*connection[T]) error) error {
	c.mu.Lock()
	conn := c.serving(quorum == 0)
	conn.holders++
	c.mu.Unlock()
	last := false
	err := func() error {
		defer func() { last = c.letGo(conn) }() // also when use panics
		c.begin(ctx, conn, quorum)
		return use(conn)
	}()
	if last { // a panic of a connection that was cut reaches nobody else
		conn.raise()
	}
	return err
}

// joinable returns the connection for an observer that does not keep it up.
func (c *Connectable[T]) joinable() *connection[T] {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.serving(false)
}

// serving returns, mu held, the connection that new observers belong to. If run is true, it
// is one whose source has not ended.
func (c *Connectable[T]) serving(run bool) *connection[T] {
	if c.current == nil || !c.current.serves(run) {
		c.current = &connection[T]{subject: sync.OnceValue(c.subject), ended: make(chan struct{})}
	}
	return c.current
}

func (conn *connection[T]) serves(run bool) bool {
	if conn.over {
		return !run && conn.subject().Value().IsJust()
	}
	return conn.cancel == nil || conn.holders > 0
}

// begin starts the run, unless it has been, with the values of ctx.
func (c *Connectable[T]) begin(ctx context.Context, conn *connection[T], quorum int) {
	conn.subject() // made here, where a panic is its caller's
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn.cancel == nil {
		ctx, conn.cancel = context.WithCancel(context.WithoutCancel(ctx))
		var opening context.Context
		opening, conn.open = context.WithCancel(ctx)
		go c.run(ctx, opening, conn, quorum, c.before)
		c.before = conn.ended
	}
	if quorum == 0 {
		conn.open()
	}
}

// run waits for the end of the run before and for so many observers, and feeds the
// subject.
func (c *Connectable[T]) run(ctx, opening context.Context, conn *connection[T], quorum int, before <-chan struct{}) {
	defer close(conn.ended)
	defer func() { _ = recover() }() // the subject has told all observers of it
	if before != nil {
		<-before
	}
	_ = conn.subject().Audience()(opening, func(n int) bool { return n < quorum })
	_ = conn.subject().Feed(ctx, func(ctx context.Context, yield func(T) bool) (err error) {
		crashed := true
		defer func() { c.end(conn, err, crashed) }() // an observer that receives the end may come again at once
		// A source that looks only at yield is cut by it.
		err = c.source(ctx, func(v T) bool { return ctx.Err() == nil && yield(v) })
		crashed = false
		return err
	})
}

func (c *Connectable[T]) end(conn *connection[T], err error, crashed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn.over, conn.err, conn.crashed = true, err, crashed
	if c.current == conn && (err != nil || crashed) {
		c.current = nil
	}
}

// letGo removes a holder. The last holder cuts the connection and awaits its end; then
// letGo returns true.
func (c *Connectable[T]) letGo(conn *connection[T]) (last bool) {
	c.mu.Lock()
	conn.holders--
	last = conn.holders == 0 && conn.cancel != nil
	c.mu.Unlock()
	if last {
		conn.cancel()
		<-conn.ended
	}
	return last
}

// raise repeats a panic or runtime.Goexit of the source, if there was one. The run must
// have ended.
func (conn *connection[T]) raise() {
	if conn.crashed {
		_ = conn.subject().Observe(1, stream.Block).Run(context.Background())
	}
}
