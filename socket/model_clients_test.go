package socket

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// visit runs a client, from the handshake to the end of its connection.
func (w *world) visit(random *rand.Rand) {
	v, client, server := w.newVisit(random, 1+random.IntN(5000))
	if fate := random.IntN(8); fate < 3 {
		d := []*direction{v.cable.up, v.cable.down}[random.IntN(2)]
		v.breakOff(d, random.IntN(1<<(5+random.IntN(10))), fate == 0)
	}
	p := v.attach(client, server)
	if p == nil {
		return
	}
	apart := random.IntN(2) == 0 // somebody reads all the time
	var reader, actors sync.WaitGroup
	if apart {
		reader.Go(func() { v.readAll(p) })
	}
	for i := range 1 + random.IntN(2) {
		reads := !apart && i == 0 // two would not know who was first
		a := &actor{visit: v, p: p, Rand: rand.New(rand.NewPCG(w.seed, random.Uint64())), reads: reads}
		actors.Go(a.play)
	}
	actors.Wait()
	v.close(p)
	reader.Wait()
	v.finish(p)
}

// newVisit returns a visit whose cable carries up to most bytes at a time.
func (w *world) newVisit(random *rand.Rand, most int) (v *visit, client, server net.Conn) {
	v = &visit{world: w, record: record{dialect: w.config.Dialect, roomy: w.config.MaxUnread == 0}}
	v.cable, client, server = connect(func() (net.Conn, net.Conn) { return w.ends(random) }, most)
	w.mu.Lock()
	defer w.mu.Unlock()
	v.number = len(w.visits)
	w.visits = append(w.visits, v)
	w.bySocket[server] = v
	v.excused = w.stopped
	return v, client, server
}

// breakOff lets the cable break after a number of bytes in one direction, as if their sender
// died or closed that direction.
func (v *visit) breakOff(d *direction, left int, half bool) {
	d.left = left
	d.breaks = func() {
		if v.excuse(); half {
			closeWrite(d.to)
		} else {
			v.cable.cut()
		}
	}
}

// attach connects to the server. It returns nil if the server ends or the cable breaks
// meanwhile.
func (v *visit) attach(client, server net.Conn) *Process {
	v.cable.start()
	v.listener.waiting <- server
	ctx, cancel := context.WithTimeout(v.serving, v.enough)
	defer cancel()
	p, err := New(v.config).Attach(ctx, client).Get()
	if err == nil {
		return p
	}
	v.cable.cut()
	v.note(func(r *record) {
		if r.left = true; !r.excused && v.serving.Err() == nil {
			r.stuck = append(r.stuck, err)
		}
	})
	return nil
}

// close closes the connection, whether the server agrees within the grace or not.
func (v *visit) close(p *Process) {
	err := p.Close(context.Background()).Err()
	if err == nil {
		return
	}
	v.note(func(r *record) {
		if r.left = true; !errors.Is(err, context.DeadlineExceeded) {
			r.stuck = append(r.stuck, err)
		}
	})
}

// finish reads what is left to read.
func (v *visit) finish(p *Process) {
	v.readAll(p)
	v.note(func(r *record) { r.drained = true })
	p.Conn().Close()
}

// readAll reads up to the end.
func (v *visit) readAll(p *Process) {
	p.Messages().ForEach(context.Background(), func(m Message) {
		v.note(func(r *record) { r.read = append(r.read, m) })
	})
}

// actor does what a client does, one thing after the other.
type actor struct {
	*visit
	*rand.Rand
	p     *Process
	reads bool
}

func (a *actor) play() {
	for range 3 + a.IntN(20) {
		if !a.act() {
			return
		}
	}
}

// act does one thing, and reports whether to go on.
func (a *actor) act() bool {
	switch a.IntN(100) {
	case 0:
		a.leave()
		a.p.Close(context.Background())
		return false
	case 1:
		a.leave()
		a.p.Conn().Close()
		return false
	case 2:
		a.leave()
		closeWrite(a.p.Conn())
		return true
	}
	switch a.IntN(7) {
	case 0:
		a.sleep(time.Duration(a.IntN(1500)) * time.Millisecond)
		return true
	case 1:
		return !a.reads || a.wait()
	case 2:
		return a.request()
	default:
		return a.many(a.IntN(4))
	}
}

// leave says that the client does something to its connection itself.
func (a *actor) leave() { a.note(func(r *record) { r.left, r.excused = true, true }) }

// wait reads a message.
func (a *actor) wait() bool {
	ctx, cancel := context.WithTimeout(context.Background(), a.limit(a.Rand))
	defer cancel()
	m, err := a.p.Wait(ctx).Get()
	if err == nil {
		a.note(func(r *record) { r.read = append(r.read, m) })
	}
	return err == nil || errors.Is(err, context.DeadlineExceeded)
}

// steps makes messages up. Those that are waited for without a limit get an answer.
func (a *actor) steps(count int, asking, limited bool) (steps []step, messages []Message) {
	for range count {
		k := step{
			id: fmt.Sprintf("%s%04d", a.prefix(), a.next.Add(1)), action: a.action(),
			responses: a.IntN(4), size: a.size(), delay: a.IntN(30),
		}
		if asking && (!limited || a.IntN(20) > 0) {
			k.responses = max(1, k.responses)
		}
		steps = append(steps, k)
		messages = append(messages, k.message(a.size()))
	}
	return steps, messages
}

func (a *actor) size() int {
	if a.IntN(50) == 0 {
		return a.IntN(a.large)
	}
	return a.IntN(2) * a.IntN(500)
}

func (a *actor) action() action {
	if a.IntN(150) == 0 {
		rare := []action{doKeep, doReject, doFinish, doClose, doShut, doDie, doStop}
		d := rare[a.IntN(len(rare))]
		if d == doKeep && a.kind == serverWith || d == doStop && a.IntN(3) > 0 {
			return doReject
		}
		return d
	}
	switch n := a.IntN(20); {
	case n == 0:
		return doPush
	case n < 3 && a.kind != serverWith:
		return doHold
	}
	return doAnswer
}

// request makes one request.
func (a *actor) request() bool {
	limited := a.IntN(3) == 0
	steps, messages := a.steps(1, true, limited)
	return a.attempt(&attempt{steps: steps, asking: true, limited: limited}, func(ctx context.Context, note *attempt) error {
		m, err := a.p.Request(ctx, messages[0]).Get()
		if err == nil {
			note.emitted = []Message{m}
		}
		return err
	})
}

// many sends messages, or makes requests, in one of the ways there are.
func (a *actor) many(way int) bool {
	limited, asking := a.IntN(3) == 0, way == 3
	steps, messages := a.steps(1+a.IntN(3)*a.IntN(30), asking, limited)
	made := &attempt{steps: steps, asking: asking, all: way > 1, limited: limited}
	return a.attempt(made, func(ctx context.Context, note *attempt) error {
		emit := func(m Message) { note.emitted = append(note.emitted, m) }
		switch way {
		case 2:
			return a.p.SendAll(stream.FromSlice(messages)).ForEach(ctx, emit)
		case 3:
			return a.p.RequestAll(stream.FromSlice(messages)).ForEach(ctx, emit)
		}
		return a.p.Send(ctx, messages...).Err()
	})
}

// attempt does it, keeps what came of it, and reports whether to go on.
func (a *actor) attempt(made *attempt, do func(context.Context, *attempt) error) bool {
	limit := a.enough
	if made.limited {
		limit = a.limit(a.Rand)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	a.note(func(r *record) { r.calls = append(r.calls, made) })
	made.err = do(ctx, made)
	if errors.Is(made.err, ErrUnread) && a.reads {
		for n, _ := a.p.Unread(); n > 0 && a.wait(); n, _ = a.p.Unread() {
		}
	}
	return made.err == nil || errors.Is(made.err, context.DeadlineExceeded) || errors.Is(made.err, ErrUnread) || errors.Is(made.err, ErrNoResponse)
}
