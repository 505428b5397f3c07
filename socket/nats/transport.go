package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rxipc/rxipc/socket"
)

// Config is the configuration of a [Transport]. The zero Config is ready for use. All processes
// that are to reach each other need the same Prefix, and all or none of them a User.
type Config struct {
	// Prefix begins all subjects of the transport; default "rxipc". It may have several tokens.
	// Names of different prefixes have nothing to do with each other.
	Prefix string

	// User is the user as whom this process is connected to NATS. It is the last token of each
	// subject to which the process publishes, and the broker must allow each user only the
	// subjects with their own, as shown in the documentation of the package. Then the user of
	// the other side is the name of a connection's [socket.Peer], and [socket.Named] decides
	// about it. Without a User the peer is unknown.
	User string

	// Share lets several servers listen on a name at the same time. The broker gives each new
	// connection to one of them. All of them must share. By default one server holds a name,
	// and another that wants to listen fails with [socket.ErrInUse].
	Share bool

	// Window is the highest number of bytes that the other side of a connection may send before
	// they are read; default 256 KiB, at least 4 KiB. It begins with 16 KiB and grows while
	// the connection is read. Each message of NATS counts 128 bytes more than it has.
	Window int

	// InFlight is the highest number of bytes that all connections together may use of their
	// windows beyond the first 16 KiB of each; default 4 MiB. The broker must be able to send
	// as much to this process within its write_deadline, 10 seconds by default, since it
	// disconnects a process which is slower.
	InFlight int

	// KeepAlive is the period after which a connection on which nothing arrived is asked for a
	// sign of life; default 5 seconds. It ends after three periods without one.
	KeepAlive time.Duration

	// Discovery is how long Listen and Names wait for the answers of other processes; default
	// 250 milliseconds. If an answer takes longer, two servers may hold a name for a moment: see
	// [Transport].
	Discovery time.Duration

	// DialTimeout limits the wait for the answer of a server; default 2 seconds.
	DialTimeout time.Duration

	// Backlog is how many connections of a server may wait to be accepted; default 4096.
	// Beyond it Dial fails with [socket.ErrBusy].
	Backlog int
}

// withDefaults returns the config with defaults for what is not set.
func (c Config) withDefaults() Config {
	c.Prefix = cmp.Or(c.Prefix, "rxipc")
	c.User = cmp.Or(c.User, nobody)
	c.Window = max(cmp.Or(c.Window, 256<<10), 4<<10)
	c.InFlight = max(cmp.Or(c.InFlight, 4<<20), 0)
	c.KeepAlive = cmp.Or(max(c.KeepAlive, 0), 5*time.Second)
	c.Discovery = cmp.Or(max(c.Discovery, 0), 250*time.Millisecond)
	c.DialTimeout = cmp.Or(max(c.DialTimeout, 0), 2*time.Second)
	c.Backlog = max(cmp.Or(c.Backlog, 4096), 1)
	return c
}

func (c Config) check() error {
	switch {
	case !isPrefix(c.Prefix):
		return fmt.Errorf("%w: Config.Prefix %q cannot begin subjects of NATS", socket.ErrInvalid, c.Prefix)
	case !isToken(c.User):
		return fmt.Errorf("%w: Config.User %q is no token of a subject of NATS", socket.ErrInvalid, c.User)
	}
	return nil
}

// Transport returns a transport over a connection to NATS. It uses the connection, with a
// subscription and two goroutines from its first use on, until the caller closes the connection. At
// the end of a program that sends what is still buffered. Make one Transport for a connection, which
// must not have the option NoEcho if servers and clients of one process are to reach each other.
//
// Listen takes the name if no other listener has it. It asks for others and waits for
// Config.Discovery. Brokers keep no locks, so two servers can hold the same name: while the network
// between them is interrupted, or after both began within the time of an answer. When they hear of
// each other, the listener of one of them fails with [socket.ErrInUse]. Connections go to only one
// of them in any case.
//
// Dial fails with [socket.ErrNotListening] if nobody listens, if a server does not answer within
// Config.DialTimeout, and while the connection to NATS is lost; with [socket.ErrBusy] if the
// server's backlog is full; with [socket.ErrRefused] if the broker does not permit it.
func Transport(conn *nats.Conn, config Config) socket.Transport {
	config = config.withDefaults()
	return &transport{link{subjects: newSubjects(config.Prefix, config.User), nats: conn, config: config}}
}

// transport is a [socket.Transport] over a link.
type transport struct{ link link }

// check returns why the transport cannot be used now.
func (t *transport) check(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case t.link.nats == nil:
		return fmt.Errorf("%w: the transport has no connection to NATS", socket.ErrInvalid)
	}
	return cmp.Or(t.link.config.check(), t.link.ready())
}

func (t *transport) Dial(ctx context.Context, name socket.Name) (net.Conn, error) {
	conn, err := t.dial(ctx, name)
	if err != nil {
		return nil, &socket.Error{Op: "dial", Name: name.String(), Err: err}
	}
	return conn, nil
}

func (t *transport) dial(ctx context.Context, name socket.Name) (*Conn, error) {
	l := &t.link
	if name.IsZero() {
		return nil, errNoName
	}
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	if !l.connected.Load() {
		return nil, fmt.Errorf("%w: %w", socket.ErrNotListening, errLost)
	}
	deadline := time.NewTimer(l.config.DialTimeout)
	defer deadline.Stop()
	for {
		conn, err := l.openSession(ctx, name, deadline.C)
		if !errors.Is(err, errEnded) { // else the broker did not know yet
			return conn, err
		}
	}
}

// openSession asks a server for a session.
func (l *link) openSession(ctx context.Context, name socket.Name, deadline <-chan time.Time) (*Conn, error) {
	session := newSession()
	c := newConn(l, session, addr(l.inbox()+session), addr(name.String()))
	accepted := make(chan struct{})
	c.accepted = accepted
	l.add(session, c)
	l.ask(l.open(name), l.reply(session, anybody), openMessage(c.told))

	var err error
	select {
	case <-accepted:
		c.mu.Lock()
		err = c.err
		c.mu.Unlock()
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-deadline:
		err = l.noAnswer(ctx)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

var errNoName = fmt.Errorf("%w: the name is empty", socket.ErrInvalid)

// noAnswer returns why a server gave no answer.
func (l *link) noAnswer(ctx context.Context) error {
	denied := make(chan error, 1)
	go func() { denied <- l.denied(nil) }() // which waits if the connection takes nothing
	select {
	case err := <-denied:
		return cmp.Or(err, fmt.Errorf("%w: a server has the name, and gave no answer within %v", socket.ErrNotListening, l.config.DialTimeout))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// denied returns an error if the broker does not permit a subject of the transport, and has said
// so since the error before.
func (l *link) denied(before error) error {
	err := l.nats.LastError()
	if err != before && errors.Is(err, nats.ErrPermissionViolation) && strings.Contains(err.Error(), `"`+l.prefix) {
		return fmt.Errorf("%w: %w", socket.ErrRefused, err)
	}
	return nil
}

// Names lists the names of all listeners that answer within Config.Discovery.
func (t *transport) Names(ctx context.Context) ([]socket.Name, error) {
	names, err := t.names(ctx)
	if err != nil {
		return nil, &socket.Error{Op: "names", Err: err}
	}
	return names, nil
}

func (t *transport) names(ctx context.Context) ([]socket.Name, error) {
	l := &t.link
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	nobody := make(chan struct{})
	q := question{names: make(map[string]bool), nobody: nobody}
	session := newSession()
	l.add(session, &q)
	defer l.drop(session)
	l.ask(l.subjects.names(), l.reply(session, anybody), nil)
	timer := time.NewTimer(l.config.Discovery)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-nobody:
	case <-timer.C:
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	var names []socket.Name
	for _, text := range slices.Sorted(maps.Keys(q.names)) {
		if name, err := socket.ParseName(text); err == nil {
			names = append(names, name)
		}
	}
	return names, nil
}
