package socket

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// Dialect is the version of the protocol that a server speaks. The versions differ only in
// the acknowledgement. A client has no setting for it: it follows its server.
type Dialect uint8

// The dialects of innmind/ipc.
const (
	Dialect5 Dialect = iota // innmind/ipc:ack; the default
	Dialect4                // innmind/ipc:message.received
)

// acknowledgement returns the control message with which a server of the dialect
// acknowledges.
func (d Dialect) acknowledgement() wire.Kind {
	if d == Dialect4 {
		return wire.KindReceived
	}
	return wire.KindAck
}

// Config configures an IPC. The zero Config is ready for use: a zero field means its
// default. Unless stated otherwise, a negative limit means the smallest usable value.
//
// The fields of Config apply to clients and servers, those of ClientConfig to clients only,
// and those of ServerConfig to servers only. A process that is both uses one Config:
//
//	config := socket.Config{
//		MaxMessage:   1 << 20,
//		ServerConfig: socket.ServerConfig{MaxConnections: 100},
//	}
//	config.Window = 64 // the fields of the parts can be reached directly
type Config struct {
	// Dir is the folder of the sockets; default [DefaultDir]. To talk with
	// innmind/ipc, set it to the folder that innmind/ipc uses: innmind/ipc in the system's
	// temporary folder. Only this user and root may have the right to write to Dir. For a
	// shared folder, and for other permissions of the sockets, set Transport to a [Unix].
	Dir string

	// Transport replaces unix sockets in Dir, which must be empty then.
	Transport Transport

	// MaxMessage is the largest content of a message, in bytes, that is sent or
	// received; default 16 MiB.
	MaxMessage int

	// Heartbeat is the time without other messages after which a server, or a waiting
	// client, sends a heartbeat; default 1.3 s. A negative value disables heartbeats. A peer
	// of innmind/ipc checks its own time limits only when it has received nothing for a
	// second, so a Heartbeat of 1 s or less defeats its limits.
	//
	// When timers of many connections are due at the same time, heartbeats and the timeouts
	// below may be late by up to an eighth of their duration.
	Heartbeat time.Duration

	// FrameTimeout is the time within which the other side must finish a frame that it has
	// begun, while this side reads; default 30 s. Beyond it the connection ends with
	// ErrTooSlow. A negative value disables the limit.
	FrameTimeout time.Duration

	// SilenceTimeout is the longest time without any frame from the other side, heartbeats
	// included, while this side reads. Beyond it the connection ends with ErrSilent. With it
	// Follow, Wait, Send, Request and a Pool notice a stopped or hanging server, and a
	// server notices such a client. There is no limit by default or with a negative value,
	// because processes of innmind/ipc need not send heartbeats.
	//
	// Use at least three times the other side's Heartbeat. A client with a SilenceTimeout
	// sends heartbeats while it is connected. A client without one sends them only while one
	// of its methods waits, so set one in the clients of a server that has it. The time in
	// which a handler works does not count, nor the time in which no method of a client waits.
	SilenceTimeout time.Duration

	// Grace is the longest time that a connection which this side closes waits for the
	// other side to agree; default 1 s. A negative value means 1 ms, enough to send
	// connection.close.
	Grace time.Duration

	// Hooks are called for each event, for metrics and traces. By default there are none.
	Hooks Hooks

	// Log receives the events of connections, with their names, numbers and peers (see
	// [Connection.LogValue]) and reasons (see [Reason]):
	//
	//	Error  a handler or a hook panicked, an answer could not be sent, an exchange was
	//	       left unanswered to a stage that buffers, a socket file was replaced or could
	//	       not be made again
	//	Warn   the other side broke the protocol or was too slow, a server refused a client, a
	//	       socket file was made again
	//	Info   a handler rejected a message, a name was handed over
	//	Debug  a connection was opened or ended, in an orderly way or not
	//
	// By default [slog.Default] receives the errors, and nothing receives the rest.
	Log *slog.Logger

	ClientConfig // the fields of clients
	ServerConfig // the fields of servers
}

// ClientConfig is the part of a [Config] that applies to clients only.
type ClientConfig struct {
	// Servers decides whether ConnectTo trusts a server, before it sends a message. The
	// default is that of Clients. To talk to a server of another user, for example one in
	// PHP, set it to [Users] with that user.
	Servers Authorizer

	// MaxUnread limits the unread messages that a client keeps while it waits for something
	// else, in bytes: their contents, and 64 bytes for each; default 64 MiB. While the
	// client writes a message the limit is twice as high. Beyond it, each call that waits
	// for something else fails with ErrUnread, until messages are read.
	MaxUnread int

	// Window is the highest number of messages that a client has in flight: written and not
	// acknowledged, or for requests not responded to; default 4096. With 1, a client sends
	// each message after the acknowledgement of the one before.
	//
	// Servers other than rxipc always get one message at a time. A server of innmind/ipc
	// 4.x cannot read a frame that a full connection has cut in two. A server of 5.x wants its
	// responses acknowledged before the next message, which Request, RequestAll and Pool do.
	Window int

	// WindowBytes limits the messages in flight in bytes of frames: a client sends no further
	// message while that many bytes are in flight; default 2 MiB.
	WindowBytes int
}

// ServerConfig is the part of a [Config] that applies to servers only.
type ServerConfig struct {
	// Clients decides whether a process may connect to a server of this IPC, before the
	// server reads a byte. By default it accepts processes of the server's own user and of
	// root. On connections without users it accepts every peer: in memory, over a network, and
	// over unix sockets on Windows and systems not named at [Connection.Peer].
	//
	// Refusing a client costs an accept and a close. The log has the reason, at most one line
	// a second. ConnectTo of an rxipc client fails at once, with ErrRefused and without the
	// reason. For other clients the server closes the connection. See [Users], [Groups],
	// [AnyOf] and [Anyone].
	Clients Authorizer

	// MaxConnections is the highest number of open connections of a server; default
	// 10,000. While it is reached the server accepts no connection: further clients wait in
	// the queue of the system, until their contexts end. A negative value disables the
	// limit.
	MaxConnections int

	// MaxPerUser is the highest number of open connections of each user other than the
	// server's own user and root; default 1,000. The server closes further connections at
	// once, so that other users find room, and rxipc clients try again. The log has at most
	// one line a second about them. A negative value disables the limit.
	MaxPerUser int

	// Dialect is the version of the protocol that a server of this IPC speaks; default
	// Dialect5.
	Dialect Dialect

	// MaxHeld is the highest number of waiting answers of a connection: held answers, and the
	// answers behind them; default 64. While it is reached the server does not read the
	// connection. It still notices within a second that the client is gone, see
	// [Connection.Context]. A pipeline that answers many exchanges at once (see [Commit]) wants
	// at least as many as it collects of one connection; a client has at most
	// [ClientConfig.Window] messages in flight.
	MaxHeld int

	// MaxHeldBytes limits the waiting answers of a connection in bytes as MaxHeld limits their
	// number: the contents of the held messages, and the answers so far; default 64 MiB. One
	// exchange may be held whatever its size.
	MaxHeldBytes int

	// HandshakeTimeout is the time within which a client must send connection.start-ok,
	// from when the server begins to read the connection; default 10 s. Beyond it the
	// connection ends with ErrTooSlow. A negative value disables the limit.
	HandshakeTimeout time.Duration

	// WriteTimeout is the longest time in which a client reads nothing of the server's
	// writes; default 30 s. Beyond it, and after twice that time at the latest, the
	// connection ends with ErrTooSlow. Other connections do not wait meanwhile. A negative
	// value disables the limit. WriteTimeout does not apply to the writes of a client, since
	// a busy server need not read; the contexts of its methods limit them.
	WriteTimeout time.Duration

	// AwaitName makes Listen wait, until its context ends, while another server has the name. By
	// default it fails with ErrInUse at once. Several servers of a name with AwaitName are one
	// server and its reserves: when the server ends or is killed, one of them takes its place.
	// Over [Unix] on Linux the system reports that the name is free. Elsewhere Listen notices the
	// orderly end of a server at once, and a killed one within 5 s. A server without a lock, as
	// in PHP, that was killed is noticed within 5 s everywhere. Over another Transport Listen
	// tries every 50 ms.
	AwaitName bool

	// IdleTimeout is the time without an open connection after which a run of Listen or Accept
	// completes: the server ends by itself. By default, and with a negative value, it does not.
	// A client that has connected is served. A client that connects in the last moment, and was
	// not accepted, meets the end of the connection before it has sent a message: ConnectTo, Pool
	// and Follow go on to the next server. On a socket of a manager of services (see
	// [Unix.Inherit]) such a client stays in the queue, so that the manager starts the next server
	// for it. An open connection is no idle one, even if no messages come.
	IdleTimeout time.Duration

	// Listening is called when a server has begun to listen on a name, on the goroutine of
	// the run. By default nothing is called.
	Listening func(Name)

	// restAfter is the time without a message after which a session parks. It parks between
	// once and twice this time. It is a second, except in tests.
	restAfter time.Duration
}

// withDefaults returns the config with defaults instead of zeros.
func (c Config) withDefaults() Config {
	switch transport := c.Transport.(type) {
	case nil:
		c.Transport = Unix{Dir: c.Dir}.place()
	case Unix:
		c.Transport = transport.place()
	case *Unix:
		if transport != nil { // check reports a nil pointer
			c.Transport = transport.place()
		}
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
	c.MaxConnections = cmp.Or(c.MaxConnections, 10_000)
	if c.MaxPerUser = cmp.Or(c.MaxPerUser, 1_000); c.MaxPerUser < 0 {
		c.MaxPerUser = math.MaxInt
	}
	c.MaxMessage = cmp.Or(c.MaxMessage, 16<<20)
	c.MaxUnread = max(0, cmp.Or(c.MaxUnread, 64<<20))
	c.Window = max(1, cmp.Or(c.Window, 4096))
	c.WindowBytes = cmp.Or(c.WindowBytes, 2<<20)
	c.MaxHeld = max(1, cmp.Or(c.MaxHeld, 64))
	c.MaxHeldBytes = cmp.Or(c.MaxHeldBytes, 64<<20)
	c.Heartbeat = orNever(c.Heartbeat, 1300*time.Millisecond)
	c.HandshakeTimeout = orNever(c.HandshakeTimeout, 10*time.Second)
	c.FrameTimeout = orNever(c.FrameTimeout, 30*time.Second)
	c.WriteTimeout = orNever(c.WriteTimeout, 30*time.Second)
	c.SilenceTimeout = orNever(c.SilenceTimeout, math.MaxInt64)
	c.Grace = max(framed.OfferTime, cmp.Or(c.Grace, time.Second))
	c.restAfter = cmp.Or(c.restAfter, time.Second)
	return c
}

// orNever returns a timeout: otherwise if value is zero, and none if value is negative.
func orNever(value, otherwise time.Duration) time.Duration {
	if value < 0 {
		return math.MaxInt64
	}
	return cmp.Or(value, otherwise)
}

// closing returns the context that limits an orderly close. It ends after the grace, or with
// a second signal (see [NotifyContext]). It does not end with ctx, which mostly is done
// already.
func (c *Config) closing(ctx context.Context) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Grace)
	force := forced(ctx)
	if force.Err() != nil {
		cancel()
	}
	release := context.AfterFunc(force, cancel)
	return inner, func() { release(); cancel() }
}

// newTimers returns the timers of connections of the config, which differ on each side.
func newTimers(c *Config, handshake, write time.Duration) *framed.Timers {
	return framed.NewTimers(framed.Limits{
		MaxMessage: c.MaxMessage,
		Heartbeat:  c.Heartbeat,
		Handshake:  handshake,
		Frame:      c.FrameTimeout,
		Write:      write,
		Silence:    c.SilenceTimeout,
		Other:      lookEvery,
	})
}

// serverTimers are those of a server.
func serverTimers(c *Config) *framed.Timers {
	return newTimers(c, c.HandshakeTimeout, c.WriteTimeout)
}

// lookEvery is how long a message is handled before the timers look whether its client closes, and
// the time between two looks.
const lookEvery = 500 * time.Millisecond
