package nats

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rxipc/rxipc/socket"
)

// listener is a listener on a name, or one that is about to be.
type listener struct {
	link    *link
	name    socket.Name
	session string // its answers from other listeners
	id      string // decides between two that are equal

	subscriptions []*nats.Subscription
	waiting       chan *Conn // to be accepted

	mu     sync.Mutex
	held   bool          // it has the name; before that it claims it
	err    error         // why it has ended
	ended  chan struct{} // closed with err
	closed sync.Once
}

func (t *transport) Listen(ctx context.Context, name socket.Name) (net.Listener, error) {
	l, err := t.listen(ctx, name)
	if err != nil {
		return nil, &socket.Error{Op: "listen", Name: name.String(), Err: err}
	}
	return l, nil
}

func (t *transport) listen(ctx context.Context, name socket.Name) (*listener, error) {
	if name.IsZero() {
		return nil, errNoName
	}
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	l := &listener{
		link: &t.link, name: name, session: newSession(), id: newSession(),
		waiting: make(chan *Conn, t.link.config.Backlog), ended: make(chan struct{}),
	}
	l.link.add(l.session, l)
	if err := l.take(ctx); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// take takes the name: it makes itself known to those who ask, asks for others, and begins to
// answer clients if no other objects.
func (l *listener) take(ctx context.Context) error {
	if err := l.subscribe(ctx, l.link.who(l.name), "", l.asked); err != nil {
		return err
	}
	l.ask()
	timer := time.NewTimer(l.link.config.Discovery)
	defer timer.Stop()
	select {
	case <-l.ended:
		return l.err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
	}
	l.mu.Lock()
	l.held = true
	l.mu.Unlock()
	if err := l.subscribe(ctx, l.link.names(), "", l.listed); err != nil {
		return err
	}
	return l.subscribe(ctx, l.link.open(l.name), "rxipc", l.opened)
}

// subscribe subscribes to what any user publishes, and waits until the broker knows of it.
func (l *listener) subscribe(ctx context.Context, subject, queue string, f nats.MsgHandler) error {
	subject = ofAll(subject)
	before := l.link.nats.LastError()
	s, err := l.link.subscribe(subject, queue, f)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.subscriptions = append(l.subscriptions, s)
	ended := l.err
	l.mu.Unlock()
	if ended != nil {
		s.Unsubscribe()
		return ended
	}
	ctx, cancel := context.WithTimeout(ctx, l.link.config.DialTimeout)
	defer cancel()
	if err := l.link.nats.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("subscribe to %s: %w", subject, err)
	}
	return l.link.denied(before)
}

// A question to other listeners has two bytes, for what the listener is and whether it shares,
// and the id of the listener.
const (
	claims = 'c'
	holds  = 'h'
	alone  = 'a'
	shares = 's'
)

// ask asks other listeners on the name. An answer means that they have it.
func (l *listener) ask() {
	l.mu.Lock()
	is, sharing := byte(claims), byte(alone)
	if l.held {
		is = holds
	}
	l.mu.Unlock()
	if l.link.config.Share {
		sharing = shares
	}
	l.link.ask(l.link.who(l.name), l.link.reply(l.session, anybody), append([]byte{is, sharing}, l.id...))
}

// asked answers another listener that it cannot have the name, or gives way to it.
func (l *listener) asked(m *nats.Msg) {
	if len(m.Data) < 2 || !l.link.isInbox(m.Reply) {
		return
	}
	is, sharing, id := m.Data[0], m.Data[1], string(m.Data[2:])
	if id == l.id || l.link.config.Share && sharing == shares {
		return
	}
	l.mu.Lock()
	first := l.held == (is == holds) && l.id < id
	stronger := l.held && is != holds
	ended := l.err != nil
	l.mu.Unlock()
	switch {
	case ended:
		return
	case first || stronger:
		l.link.answer(m.Reply, []byte("mine"))
		return
	}
	l.end(inUse(last(m.Subject)))
}

// receive takes the answer of another listener, which has the name.
func (l *listener) receive(m *nats.Msg) {
	if !noResponders(m) {
		go l.end(inUse(last(m.Subject))) // which may wait for the connection
	}
}

func inUse(user string) error {
	if user == nobody {
		return fmt.Errorf("%w: another listener at the broker has it", socket.ErrInUse)
	}
	return fmt.Errorf("%w: a listener of the user %s has it", socket.ErrInUse, user)
}

// tick asks again, in case that another listener took the name while the network was interrupted.
func (l *listener) tick() { l.ask() }

// disconnected ends the listener if that is for good.
func (l *listener) disconnected(err error) {
	if errors.Is(err, nats.ErrConnectionClosed) {
		l.end(err)
	}
}

// listed answers one who asks for all names.
func (l *listener) listed(m *nats.Msg) { l.link.answer(m.Reply, []byte(l.name.String())) }

// opened begins a session with a client.
func (l *listener) opened(m *nats.Msg) {
	limit, ok := parseOpen(m.Data)
	if !ok {
		l.link.refuse(m.Reply, flagReset, "the server does not know this version of the format")
		return
	}
	if !l.link.isInbox(m.Reply) {
		return
	}
	session := newSession()
	c := newConn(l.link, session, addr(l.name.String()), addr(cutLast(m.Reply)))
	c.limit = limit
	c.to, c.reply = l.link.from(m.Reply), l.link.reply(session, last(m.Subject))
	l.link.add(session, c)

	l.mu.Lock() // so that end finds the session, or this finds the end
	defer l.mu.Unlock()
	if l.err != nil {
		c.cut(l.err, flagEnded)
		return
	}
	select {
	case l.waiting <- c:
		c.mu.Lock()
		c.signal(flagAccept)
		c.mu.Unlock()
	default:
		c.cut(socket.ErrBusy, flagBusy)
	}
}

// Accept returns the next session.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case <-l.ended:
	default:
		select {
		case c := <-l.waiting:
			return c, nil
		case <-l.ended:
		}
	}
	return nil, &net.OpError{Op: "accept", Net: "nats", Addr: l.Addr(), Err: l.err}
}

// Addr returns the name as an address.
func (l *listener) Addr() net.Addr { return addr(l.name.String()) }

// Close frees the name. It resets the sessions that were not accepted.
func (l *listener) Close() error {
	l.end(net.ErrClosed)
	return nil
}

func (l *listener) end(err error) {
	l.closed.Do(func() {
		l.mu.Lock()
		l.err = err
		close(l.ended)
		subscriptions := l.subscriptions
		l.mu.Unlock()
		l.link.drop(l.session)
		for _, s := range subscriptions {
			s.Drain() // clients whose request is on its way get an answer
		}
		for {
			select {
			case c := <-l.waiting:
				c.cut(fmt.Errorf("%w: the listener has ended: %w", errReset, err), flagReset)
			default:
				return
			}
		}
	})
}

// question gets the answers of listeners to a question of this process.
type question struct {
	mu     sync.Mutex
	names  map[string]bool
	nobody chan struct{} // closed if there is no listener
}

func (q *question) receive(m *nats.Msg) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case !noResponders(m):
		q.names[string(m.Data)] = true
	case q.nobody != nil:
		close(q.nobody)
		q.nobody = nil
	}
}

func (q *question) disconnected(error) {}
func (q *question) tick()              {}
