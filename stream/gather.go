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
		g := newGroup[T](ctx, capacity)
		return g.run(start, func() error { return g.deliver(ctx, yield) })
	}
}

// Group holds the producers of one run of [Gather].
type Group[T any] struct {
	capacity int
	ctx      context.Context
	cancel   context.CancelFunc
	over     atomic.Bool   // nobody may push any more
	patient  bool          // the consumer lets others run before it waits: a batch is cheaper than a wake-up
	wake     chan struct{} // one token for an idle consumer

	alarm *Alarm      // the consumer's own; nil if it waits for producers alone
	ring  func() bool // what the consumer calls when alarm rings
	spent bool        // all producers have ended, all they made is taken, and the alarm had its chance to ring

	watched bool   // somebody waits until the run is subscribed: see OnSubscribed
	tell    func() // what the consumer calls then; nil once it has, or if nobody waits

	watcher UnicastWatcher // nil if nobody asked

	_ cacheLine // every push reads what is above

	joined  sync.WaitGroup
	mu      sync.Mutex
	listed  []*lane[T] // lanes with values that the consumer has not seen yet
	idle    bool       // the consumer waits for wake
	running int        // producers that have not ended; start counts as one
	pending int        // producers that are not subscribed, if watched
	ended   bool       // nothing more will come; err says why
	err     error
	crash   func() // what a producer that panicked or exited left to be done
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
	g.tell = whenSubscribed(ctx)
	g.watched = g.tell != nil
}

// Go starts a producer. Its context ends with the run. Go may be called by start
// and by producers, until they return; and by anybody else while it is certain that a
// producer has not returned: one that watches for what others are to be started for.
func (g *Group[T]) Go(producer Observable[T]) { g.GoThen(producer, nil) }

// GoThen is Go, and calls then when the producer has completed and the consumer
// has taken its last value: what limits how many producers there are, so limits
// what waits too. then is called on the consumer's goroutine and must not block;
// a run that ends before does not call it.
func (g *Group[T]) GoThen(producer Observable[T], then func()) {
	mustHave("Group.Go", "producer", producer != nil)
	p := &production[T]{group: g, producer: producer, then: then}
	g.mu.Lock()
	g.running++
	if g.watched {
		g.pending++
		p.subscribed = sync.OnceFunc(g.subscribed)
	}
	g.mu.Unlock()
	g.joined.Add(1)
	go p.run()
}

// subscribed counts a producer that is subscribed, has pushed a value, or has ended.
func (g *Group[T]) subscribed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pending--; g.pending == 0 {
		g.rouse()
	}
}

// production is the run of a producer. There may be very many, most of which wait and
// have pushed nothing: those have no lane, and little on their stacks.
type production[T any] struct {
	group    *Group[T]
	producer Observable[T]
	then     func()   // see GoThen
	lane     *lane[T] // nil before the first value
	returned bool
	err      error

	subscribed func() // nil if nobody waits for it
}

func (p *production[T]) run() {
	defer p.end()
	ctx := p.group.ctx
	if p.subscribed != nil {
		ctx = OnSubscribed(ctx, p.subscribed)
	}
	p.err = p.producer(ctx, func(v T) bool {
		l := p.lane
		if l == nil {
			return p.first(v)
		}
		return l.push(v)
	})
	p.returned = true
}

// first pushes the first value.
func (p *production[T]) first(v T) bool {
	more := p.open().push(v)
	if p.subscribed != nil {
		p.subscribed()
	}
	return more
}

// open makes the lane.
func (p *production[T]) open() *lane[T] {
	p.lane = &lane[T]{then: p.then}
	p.lane.init(p.group)
	return p.lane
}

// end is deferred by run.
func (p *production[T]) end() {
	defer p.group.joined.Done()
	switch {
	case !p.returned:
		p.group.crashed(recover())
	case p.err == nil && p.then != nil:
		if p.lane == nil {
			p.open()
		}
		p.lane.finish()
	}
	p.group.leave(p.err)
	if p.subscribed != nil {
		p.subscribed()
	}
}

// crashed keeps the first panic, or Goexit, for the run's caller.
func (g *Group[T]) crashed(value any) {
	crash := crashOf(value)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.crash == nil {
		g.crash = crash
	}
	g.end(nil)
}

// leave counts a producer out. The first failure, or the last one to leave, ends
// the run.
func (g *Group[T]) leave(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	if err != nil || g.running == 0 {
		g.end(err)
	}
}

// end says, mu held, that nothing more will come; only the first call counts.
func (g *Group[T]) end(err error) {
	if g.ended {
		return
	}
	g.ended, g.err = true, err
	g.over.Store(true)
	g.cancel()
	g.rouse()
}

// list tells the consumer of a lane that has got values.
func (g *Group[T]) list(l *lane[T]) {
	if !l.listed.CompareAndSwap(false, true) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listed = append(g.listed, l)
	g.rouse()
}

// rouse wakes an idle consumer, mu held.
func (g *Group[T]) rouse() {
	if g.idle {
		g.idle = false
		g.wake <- struct{}{} // has room: idle is set anew only by who took the last token
	}
}

// run starts the producers, delivers what they make and waits for their end.
func (g *Group[T]) run(start func(*Group[T]), deliver func() error) error {
	defer g.join() // also when start or yield panics
	start(g)
	g.leave(nil)
	err := deliver()
	g.join()
	if g.crash != nil {
		g.crash()
	}
	return err
}

// join ends all producers and waits until they have ended.
func (g *Group[T]) join() {
	g.over.Store(true)
	g.cancel()
	g.joined.Wait()
}

// deliver yields what the producers push, in rounds of a batch a lane.
func (g *Group[T]) deliver(ctx context.Context, yield func(T) bool) error {
	var round, next []*lane[T]
	for {
		round, next = g.await(ctx, next), round[:0]
		if len(round) == 0 && !g.alarm.rang() {
			return g.outcome(ctx)
		}
		for _, l := range round {
			more, err := l.deliver(ctx, yield)
			switch {
			case err == errUnwanted:
				return nil
			case err != nil:
				return context.Cause(ctx)
			case more:
				next = append(next, l)
			}
		}
		clear(round) // an ended producer's lane is not kept by its place here
		if g.alarm.take() {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !g.ring() {
				return nil
			}
			runtime.Gosched() // an alarm that is always due leaves a producer its turn
		}
	}
}

// await adds the newly listed lanes to those of the next round, and waits for one
// if there is none, or for the alarm: none even so is the end of the run.
func (g *Group[T]) await(ctx context.Context, round []*lane[T]) []*lane[T] {
	g.alarm.poll() // now: what waits already comes before it
	if g.patient && len(round) == 0 {
		runtime.Gosched()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(round)+len(g.listed) == 0 && !g.ended && !g.alarm.rang() {
		if g.tell != nil && g.pending == 0 {
			g.mu.Unlock()
			g.tell()
			g.mu.Lock()
			g.tell = nil
			continue
		}
		alarmed := false
		g.idle = true
		g.mu.Unlock()
		if g.watcher != nil {
			g.watcher.ReaderWaits(ctx)
		}
		select {
		case <-g.wake:
		case <-ctx.Done():
		case <-g.alarm.c():
			g.alarm.wentOff()
			alarmed = true
		}
		g.mu.Lock()
		if ctx.Err() != nil {
			return nil
		}
		if alarmed {
			g.stayAwake()
		}
	}
	round = append(round, g.listed...)
	clear(g.listed)
	g.listed = g.listed[:0]
	if g.alarm != nil && g.ended && len(round) == 0 {
		if g.spent { // an alarm that is always due would put the end off for ever
			g.alarm.Stop()
		}
		g.spent = true
	}
	return round
}

// stayAwake takes back that the consumer is idle, mu held.
func (g *Group[T]) stayAwake() {
	if !g.idle {
		<-g.wake // it was roused in the same moment
	}
	g.idle = false
}

// outcome is what a run returns that found nothing more to deliver. Producers that
// all returned nil may have done so because their values were turned away when ctx
// ended, which is no completion.
func (g *Group[T]) outcome(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return g.err
}
