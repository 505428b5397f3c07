package stream

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// DefaultBuffer is the capacity of a buffer between goroutines that nobody chose.
const DefaultBuffer = 128

// Gather makes one observable of several that run at the same time, each on a
// goroutine of its own, while yield stays on the caller's. start, there too,
// gives the run its first producers with [Group.Go]; producers may add more.
// Values of one producer stay in order, and producers with values take turns.
//
// The run completes when all producers have. It fails when the first of them
// does, after what had been handed over by then; the others are cancelled. At
// most capacity values of each producer wait (at least one may); a producer that
// has one more waits for room. Producers run ahead of yield, so their context says
// [Buffering].
//
// A producer's panic or runtime.Goexit ends the run and then reaches its caller,
// the panic as a [*PanicError], since the stack it happened on is gone.
func Gather[T any](capacity int, start func(*Group[T])) Observable[T] {
	mustHave("Gather", "function", start != nil)
	return func(ctx context.Context, yield func(T) bool) error {
		run, inner := enter(ctx, "Gather")
		g := newGroup[T](inner, capacity)
		if run == nil {
			return g.run(start, func() error { return g.deliver(ctx, yield) })
		}
		g.fills = new(fills[T])
		run.Fills(g.fill)
		return ending(run, ctx, func() error { return g.run(start, func() error { return g.deliver(ctx, yield) }) })
	}
}

// Group holds the producers of one run of [Gather].
type Group[T any] struct {
	capacity    int
	ctx         context.Context
	cancel      context.CancelFunc
	stopped     atomic.Bool   // producers may push no more
	yieldsFirst bool          // the consumer calls Gosched before it waits: a batch is cheaper than a wake-up
	wake        chan struct{} // one token for an idle consumer

	alarm   *Alarm      // used by the consumer alone; nil if it waits for producers only
	onAlarm func() bool // called by the consumer when alarm rings
	drained bool        // all producers have ended, all values are taken, and the alarm was looked at since

	watched      bool   // the context has an OnSubscribed
	onSubscribed func() // called by the consumer, once; nil afterwards

	watcher UnicastWatcher // of a Unicast; may be nil
	fills   *fills[T]      // the queues, if the run is followed; nil otherwise

	_ cacheLine // every push reads the fields above

	producers    sync.WaitGroup
	mu           sync.Mutex
	listed       []*spscQueue[T] // queues with values that the consumer has not seen yet
	idle         bool            // the consumer waits for wake
	running      int             // producers that have not ended; start counts as one
	unsubscribed int             // producers that are not subscribed, if watched
	ended        bool            // nothing more will come; err says why
	err          error
	repanic      func() // repeats a producer's panic or Goexit on the caller's goroutine; nil if there was none
}

func newGroup[T any](ctx context.Context, capacity int) *Group[T] {
	g := new(Group[T])
	g.init(ctx, capacity)
	return g
}

func (g *Group[T]) init(ctx context.Context, capacity int) {
	g.capacity, g.running, g.wake = max(1, capacity), 1, make(chan struct{}, 1)
	if Buffering(ctx) == "" { // a stage made of it may have said its own name
		ctx = WithBuffering(ctx, "Gather")
	}
	g.ctx, g.cancel = context.WithCancel(ctx)
	g.onSubscribed = subscribedFunc(ctx)
	g.watched = g.onSubscribed != nil
}

// Go starts a producer. Its context ends with the run. start may call Go, and so may a
// producer, until they return. Any other goroutine may call it as long as some producer
// has certainly not returned.
func (g *Group[T]) Go(producer Observable[T]) { g.GoThen(producer, nil) }

// GoThen is Go, and calls then when the producer has completed and the consumer has taken
// its last value. A limit on the number of producers that counts down in then also limits
// the values that wait. then is called on the consumer's goroutine and must not block. A
// run that ends before does not call it.
func (g *Group[T]) GoThen(producer Observable[T], then func()) {
	mustHave("Group.Go", "producer", producer != nil)
	p := &producerRun[T]{group: g, producer: producer, onDrained: then}
	g.mu.Lock()
	g.running++
	if g.watched {
		g.unsubscribed++
		p.subscribed = sync.OnceFunc(g.producerSubscribed)
	}
	g.mu.Unlock()
	g.producers.Add(1)
	go p.run()
}

// producerSubscribed counts a producer that is subscribed, has pushed a value, or has ended.
func (g *Group[T]) producerSubscribed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.unsubscribed--; g.unsubscribed == 0 {
		g.wakeConsumer()
	}
}

// producerRun is the run of a producer. There may be very many, most of which wait and
// have pushed nothing: those have no queue, and little on their stacks.
type producerRun[T any] struct {
	group     *Group[T]
	producer  Observable[T]
	onDrained func()        // see GoThen
	queue     *spscQueue[T] // nil before the first value
	returned  bool
	err       error

	subscribed func() // nil unless the group is watched
}

func (p *producerRun[T]) run() {
	defer p.end()
	ctx := p.group.ctx
	if p.subscribed != nil {
		ctx = OnSubscribed(ctx, p.subscribed)
	}
	p.err = p.producer(ctx, func(v T) bool {
		q := p.queue
		if q == nil {
			return p.pushFirst(v)
		}
		return q.push(v)
	})
	p.returned = true
}

// pushFirst pushes the first value.
func (p *producerRun[T]) pushFirst(v T) bool {
	more := p.makeQueue().push(v)
	if p.subscribed != nil {
		p.subscribed()
	}
	return more
}

// makeQueue makes the queue when there is something to put into it.
func (p *producerRun[T]) makeQueue() *spscQueue[T] {
	p.queue = &spscQueue[T]{onDrained: p.onDrained}
	p.queue.init(p.group)
	if p.group.fills != nil {
		p.group.fills.add(p.queue)
	}
	return p.queue
}

// end is deferred by run.
func (p *producerRun[T]) end() {
	defer p.group.producers.Done()
	switch {
	case !p.returned:
		p.group.producerPanicked(recover())
	case p.err == nil && p.onDrained != nil:
		if p.queue == nil {
			p.makeQueue()
		}
		p.queue.finish()
	}
	if p.group.fills != nil && p.queue != nil {
		p.group.fills.end(p.queue)
	}
	p.group.producerEnded(p.err)
	if p.subscribed != nil {
		p.subscribed()
	}
}

// producerPanicked keeps the first panic, or Goexit, for the run's caller.
func (g *Group[T]) producerPanicked(value any) {
	repanic := repanicOf(value)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.repanic == nil {
		g.repanic = repanic
	}
	g.end(nil)
}

// producerEnded notes that a producer has ended. The first failure, or the end of the last
// producer, ends the run.
func (g *Group[T]) producerEnded(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	if err != nil || g.running == 0 {
		g.end(err)
	}
}

// end notes, mu held, that nothing more will come; only the first call counts.
func (g *Group[T]) end(err error) {
	if g.ended {
		return
	}
	g.ended, g.err = true, err
	g.stopped.Store(true)
	g.cancel()
	g.wakeConsumer()
}

// enlist tells the consumer of a queue that has values now.
func (g *Group[T]) enlist(q *spscQueue[T]) {
	if !q.listed.CompareAndSwap(false, true) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listed = append(g.listed, q)
	g.wakeConsumer()
}

// wakeConsumer wakes an idle consumer, mu held.
func (g *Group[T]) wakeConsumer() {
	if g.idle {
		g.idle = false
		g.wake <- struct{}{} // does not block: the consumer took the last token before it set idle
	}
}

// run starts the producers, delivers their values and waits for their end.
func (g *Group[T]) run(start func(*Group[T]), deliver func() error) error {
	defer g.stop() // also when start or yield panics
	start(g)
	g.producerEnded(nil)
	err := deliver()
	g.stop()
	if g.repanic != nil {
		g.repanic()
	}
	return err
}

// stop cancels all producers and waits until they have ended.
func (g *Group[T]) stop() {
	g.stopped.Store(true)
	g.cancel()
	g.producers.Wait()
}

// deliver yields what the producers push, in rounds of one batch for each queue.
func (g *Group[T]) deliver(ctx context.Context, yield func(T) bool) error {
	var round, next []*spscQueue[T]
	for {
		round, next = g.await(ctx, next), round[:0]
		if len(round) == 0 && !g.alarm.hasFired() {
			return g.outcome(ctx)
		}
		for _, q := range round {
			more, err := q.deliver(ctx, yield)
			switch {
			case err == errUnwanted:
				return nil
			case err != nil:
				return context.Cause(ctx)
			case more:
				next = append(next, q)
			}
		}
		clear(round) // forget the queues of producers that have ended
		if g.alarm.takeFired() {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !g.onAlarm() {
				return nil
			}
			runtime.Gosched() // an alarm that is always due leaves a producer its turn
		}
	}
}

// await adds the newly listed queues to the next round. If the round is empty it waits for
// a queue or for the alarm. An empty round, with no alarm, is the end of the run.
func (g *Group[T]) await(ctx context.Context, round []*spscQueue[T]) []*spscQueue[T] {
	g.alarm.poll() // before the list is read: values that wait already come first
	if g.yieldsFirst && len(round) == 0 {
		runtime.Gosched()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(round)+len(g.listed) == 0 && !g.ended && !g.alarm.hasFired() {
		if g.onSubscribed != nil && g.unsubscribed == 0 {
			g.mu.Unlock()
			g.onSubscribed()
			g.mu.Lock()
			g.onSubscribed = nil
			continue
		}
		alarmed := false
		g.idle = true
		g.mu.Unlock()
		if g.watcher != nil {
			g.watcher.ConsumerWaits(ctx)
		}
		select {
		case <-g.wake:
		case <-ctx.Done():
		case <-g.alarm.c():
			g.alarm.timerFired()
			alarmed = true
		}
		g.mu.Lock()
		if ctx.Err() != nil {
			return nil
		}
		if alarmed {
			g.cancelIdle()
		}
	}
	round = append(round, g.listed...)
	clear(g.listed)
	g.listed = g.listed[:0]
	if g.alarm != nil && g.ended && len(round) == 0 {
		if g.drained { // an alarm that is always due would put the end off for ever
			g.alarm.Stop()
		}
		g.drained = true
	}
	return round
}

// cancelIdle takes back that the consumer is idle, mu held.
func (g *Group[T]) cancelIdle() {
	if !g.idle {
		<-g.wake // it was woken in the same moment
	}
	g.idle = false
}

// outcome returns how the run ended when there is nothing more to deliver. Producers may all
// have returned nil because their values were rejected when ctx ended: that is no
// completion.
func (g *Group[T]) outcome(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return g.err
}
