package socket

import (
	"context"
	"log/slog"
	"math"
	"time"
)

// Dialect is the version of the protocol that a server speaks. They differ in
// the acknowledgement alone. A client needs none: it learns from the server.
type Dialect uint8

// The dialects of innmind/ipc.
const (
	Dialect5 Dialect = iota // innmind/ipc:ack; the default
	Dialect4                // innmind/ipc:message.received
)

// acknowledgement is the control message a server of the dialect acknowledges with.
func (d Dialect) acknowledgement() kind {
	if d == Dialect4 {
		return kindReceived
	}
	return kindAck
}

// Config says how processes talk. The zero Config is ready for use: each field
// that is zero stands for the default that is given with it. A bound that is negative is
// the least that works, where it does not say otherwise.
type Config struct {
	// Dir is the folder of the sockets; default [DefaultDir]. To talk with
	// innmind/ipc, take the folder that it uses: the system's temporary folder +
	// /innmind/ipc. Nobody but this user and root may be able to write to it; for a
	// folder that is shared, and for other rights of the sockets, set Transport to a
	// [Unix].
	Dir string

	// Transport replaces unix sockets in Dir, which must be empty then.
	Transport Transport

	// Clients decides which processes may connect to a server of ours, before a byte
	// of theirs is read; default: those of the server's own user and of root. Where
	// the connection does not know who is there (in memory, over a network, and over
	// unix sockets on Windows and systems not named at [Connection.Peer]), the default
	// is everybody. Who is refused is closed, and costs no more than being accepted;
	// the log tells why, one line a second. A client of rxipc is told that it is refused,
	// not why: ConnectTo fails at once, with ErrRefused. To others it is a server that
	// goes away. See [Users], [Groups], [AnyOf] and [Anyone].
	Clients Authorizer

	// Servers decides which servers ConnectTo trusts, before a message is sent to one;
	// the default is that of Clients. Talking to a server of another user, in PHP
	// perhaps, takes Users with that one.
	Servers Authorizer

	// MaxConnections is how many connections a server has at the same time; default
	// 10,000. Beyond it none is accepted until one ends: clients wait, in the queue of
	// the system, for as long as their contexts let them. Negative: no limit.
	MaxConnections int

	// MaxPerUser is how many of them another user may have, whom Clients lets in;
	// default 1,000. Beyond it that user's are closed at once, so that others find
	// room, and clients of rxipc try again. The log tells so, one line a second. The
	// server's own user and root are bound by MaxConnections alone. Negative: so is
	// everybody.
	MaxPerUser int

	// Dialect is what a server of ours speaks; default Dialect5.
	Dialect Dialect

	// MaxMessage is the longest content of a message, in bytes, that is sent or
	// received; default 16 MiB.
	MaxMessage int

	// MaxUnread is how much a client keeps, in bytes, of messages that came while it
	// waited for something else: their contents and 64 bytes each; default 64 MiB,
	// and twice that while a message is being written. Beyond it, what waits for
	// something else fails with ErrUnread until some are read.
	MaxUnread int

	// Window is how many messages a client has in flight at most, written and not
	// acknowledged, or for requests not responded to; default 4096. With 1, each is
	// sent once the one before has been acknowledged. So it is with every server that is
	// not of rxipc: those of innmind/ipc 4.x cannot read a frame which a full connection
	// has cut in two, and those of 5.x want their responses acknowledged before the next
	// message, which Request, RequestAll and Pool do.
	Window int

	// WindowBytes bounds the same in bytes, frames included: while so many are in
	// flight no further message is sent; default 2 MiB.
	WindowBytes int

	// MaxHeld is how many answers of a connection may wait at the same time: those
	// that are held, and those behind them; default 64. Beyond it the connection is
	// not read until the first is answered; that its client is gone is noticed within a
	// second all the same, see [Connection.Context].
	MaxHeld int

	// Heartbeat is the silence after which a server, and the time after which a
	// waiting client, says that it is still there; default 1.3 s. Negative: never. One of
	// 1 s or less defeats the time limits of a waiting innmind/ipc peer, which acts on
	// them once it has heard nothing for a second.
	// Where one is due for many connections at a time, it comes up to an eighth later,
	// and so does the end of the timeouts below.
	Heartbeat time.Duration

	// HandshakeTimeout is how long a client may take to say connection.start-ok to a
	// server that has begun to read it; default 10 s. Beyond it the connection ends
	// with ErrTooSlow. Negative: as long as it likes.
	HandshakeTimeout time.Duration

	// FrameTimeout is how long the other side may take to finish a frame that it has
	// begun, while it is read; default 30 s. Beyond it the connection ends with
	// ErrTooSlow. Negative: as long as it likes.
	FrameTimeout time.Duration

	// WriteTimeout is how long a client may let its server wait without reading
	// anything of what it is sent; default 30 s. Beyond it the connection ends with
	// ErrTooSlow, after twice that time at the latest; nobody else waits meanwhile.
	// Negative: as long as it likes. What a client writes is bounded by its contexts
	// alone: a server that is busy need not read.
	WriteTimeout time.Duration

	// SilenceTimeout is how long nothing may come from the other side, heartbeats
	// included, while it is read; beyond it the connection ends with ErrSilent. So Follow,
	// Wait, Send, Request and a Pool notice a server that is stopped or hangs, and a
	// server notices such a client. Default, and negative: for ever, since processes of
	// innmind/ipc need not send heartbeats.
	//
	// Take three times the other side's Heartbeat, or more. A client that has a
	// SilenceTimeout sends heartbeats for as long as it is connected; another one sends
	// them only while one of its methods waits, and otherwise is silent, too. So set it for
	// the clients of a server that has it. The time in which a handler is at work, or nobody
	// waits on a client, does not count.
	SilenceTimeout time.Duration

	// Grace is how long a connection that is closed from here waits for the other
	// side to agree; default 1 s. Negative: a millisecond, to say so.
	Grace time.Duration

	// Listening is called when a server has begun to listen, on its goroutine.
	Listening func(Name)

	// Hooks are called when something happens, to make metrics and traces of.
	Hooks Hooks

	// Log gets what happens to connections, with their names, numbers and peers (see
	// [Connection.LogValue]) and reasons (see [Reason]):
	//
	//	Error  a handler or a hook panicked, an answer could not be sent, an exchange was
	//	       left unanswered to a stage that buffers, a socket file was replaced or could
	//	       not be made again
	//	Warn   the other side broke the protocol or was too slow, a client was refused, a
	//	       socket file was made again
	//	Info   a handler rejected a message, a name was handed over
	//	Debug  a connection came or went, with or without an orderly close
	//
	// Default: [slog.Default], for Error alone.
	Log *slog.Logger

	// restAfter is the time without a message after which a session parks, at least; it
	// is twice that at most. Only tests do not leave it at a second.
	restAfter time.Duration
}

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	switch transport := c.Transport.(type) {
	case nil:
		c.Transport = Unix{Dir: c.Dir}.place()
	case Unix:
		c.Transport = transport.place()
	case *Unix:
		c.Transport = transport.place()
	}
	if c.Log == nil {
		c.Log = slog.New(errorsOnly{})
	}
	if c.Listening == nil {
		c.Listening = func(Name) {}
	}
	if c.Clients == nil {
		c.Clients = oursOrUnknown()
	}
	if c.Servers == nil {
		c.Servers = oursOrUnknown()
	}
	c.MaxConnections = orDefault(c.MaxConnections, 10_000)
	if c.MaxPerUser = orDefault(c.MaxPerUser, 1_000); c.MaxPerUser < 0 {
		c.MaxPerUser = math.MaxInt
	}
	c.MaxMessage = orDefault(c.MaxMessage, 16<<20)
	c.MaxUnread = max(0, orDefault(c.MaxUnread, 64<<20))
	c.Window = max(1, orDefault(c.Window, 4096))
	c.WindowBytes = orDefault(c.WindowBytes, 2<<20)
	c.MaxHeld = max(1, orDefault(c.MaxHeld, 64))
	c.Heartbeat = orNever(c.Heartbeat, 1300*time.Millisecond)
	c.HandshakeTimeout = orNever(c.HandshakeTimeout, 10*time.Second)
	c.FrameTimeout = orNever(c.FrameTimeout, 30*time.Second)
	c.WriteTimeout = orNever(c.WriteTimeout, 30*time.Second)
	c.SilenceTimeout = orNever(c.SilenceTimeout, math.MaxInt64)
	c.Grace = max(offerTime, orDefault(c.Grace, time.Second))
	c.restAfter = orDefault(c.restAfter, time.Second)
	return c
}

func orDefault[T ~int | ~int64 | ~uint32](value, otherwise T) T {
	if value == 0 {
		return otherwise
	}
	return value
}

// orNever is orDefault for a time that never passes when it is negative.
func orNever(value, otherwise time.Duration) time.Duration {
	if value < 0 {
		return math.MaxInt64
	}
	return orDefault(value, otherwise)
}

// IPC is where processes find each other: a transport and how to use it. It is
// safe for concurrent use.
type IPC struct {
	config  Config
	invalid error // what the config says that cannot be
	handing handing
}

// New makes an IPC of a config, which it copies. The zero Config is the usual one.
//
// Folder, user and group are what they are at this moment: that the process changes its
// working directory, user, umask or environment later does not matter. What the config says
// that cannot be, such as a user whom nobody knows, is an error of whatever is done with the
// IPC first.
func New(config Config) *IPC {
	invalid := config.check()
	return &IPC{config: config.withDefaults(), invalid: invalid}
}

// closing derives the context that bounds an orderly close: not ctx, which is
// mostly done by then, but the grace, and a second signal (see [NotifyContext]).
func (c *Config) closing(ctx context.Context) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Grace)
	force := forced(ctx)
	if force.Err() != nil {
		cancel()
	}
	release := context.AfterFunc(force, cancel)
	return inner, func() { release(); cancel() }
}
