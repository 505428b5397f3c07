package operators

import (
	"context"
	"sync"

	"github.com/rxipc/rxipc/stream"
)

// Multicast is a source that runs once for many, by way of a subject: subject makes a new
// one for each connection, a run of the source, and its kind says what a newcomer gets
// first. Nothing runs before [Connectable.Connect] or a subscriber of
// [Connectable.RefCount]. [Share] and [ShareReplay] are the usual ones ready-made.
//
// A newcomer belongs to the connection that is up or comes next. One whose source has
// completed still serves those who come for what its subject has for them (see
// [stream.Subject.Value]: a replay or async subject may, the others do not); one that
// failed or was cut serves nobody more.
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
	current *connection[T]  // the one that newcomers belong to, if it still serves
	before  <-chan struct{} // closed when the source's latest run has ended; nil before the first
}

// connection is one run of the source, from before it begins. What changes is guarded by
// the Connectable's mu.
type connection[T any] struct {
	subject func() *stream.Subject[T] // always the same one
	ended   chan struct{}             // closed when the run has ended

	holders int                // who want it up; begun with none, it is being cut
	cancel  context.CancelFunc // cuts it; nil before it is begun
	open    context.CancelFunc // ends its waiting for observers
	over    bool               // the source has ended, with err, or with a panic or Goexit
	err     error
	crashed bool
}

// Observe is the hot observable of those who take what comes and leave it to others to
// connect; capacity and overflow are as in [stream.Subject.Observe]. It ends as the
// source's run does, with [context.Canceled] if that was cut because nobody wants it up
// any more.
func (c *Connectable[T]) Observe(capacity int, overflow stream.Overflow) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		return c.joinable().subject().Observe(capacity, overflow)(ctx, yield)
	}
}

// Audience emits how many observe the connection that is up or comes next, those of
// RefCount too: see [stream.Subject.Audience].
func (c *Connectable[T]) Audience() stream.Observable[int] {
	return func(ctx context.Context, yield func(int) bool) error {
		return c.joinable().subject().Audience()(ctx, yield)
	}
}

// Connect begins a run of the source at once, unless one is up, and keeps it up until it
// has ended, or ctx does. The run is on a goroutine of its own, with the values of ctx,
// and is cut, and awaited, when the last has let go of it: of those who connected, and of
// the subscribers of RefCount. Connect returns the error that the run ended with, or the
// cause of ctx; a panic of the source's, or a runtime.Goexit, reaches its caller as that
// of an observer.
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

// RefCount is the hot observable of those who observe and want the source up as long as
// they do: it is begun, unless it is up, when observers are at least quorum, and cut, and
// awaited, before the last one's run returns. See [Share], which is RefCount with a quorum
// of one, for the rest; capacity and overflow are as in [stream.Subject.Observe].
//
// RxJava has the quorum too. Here subscribers often begin on goroutines of their own, in
// no order: who must not miss the first value is counted.
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

// hold calls use with a connection that it begins, if need be, and keeps up meanwhile.
// Without a quorum that begins at once, and is not one whose source has completed.
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
	if last { // nobody else would be told of a panic while it was cut
		conn.raise()
	}
	return err
}

// joinable is the connection of those who do not hold it.
func (c *Connectable[T]) joinable() *connection[T] {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.serving(false)
}

// serving is the connection that newcomers belong to, mu held; to run is one that has not
// ended.
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
		defer func() { c.end(conn, err, crashed) }() // who is told of the end may come again at once
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

// letGo counts a holder out. The last one cuts the connection, awaits its end, and is
// told so.
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

// raise panics, or exits, as the source did, if it did. The run must have ended.
func (conn *connection[T]) raise() {
	if conn.crashed {
		_ = conn.subject().Observe(1, stream.Block).Run(context.Background())
	}
}
