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

// Dialect is the version of the protocol that a server speaks. The versions differ in
// the acknowledgement alone. A client has no setting for it: it follows its server.
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

// Config says how processes talk. The zero Config is ready for use: a field that is zero
// stands for its default. Unless stated otherwise, a negative limit means the smallest
// usable value.
//
// The fields of a Config hold for clients and servers, those of ClientConfig for clients
// alone, and those of ServerConfig for servers alone. One Config serves a process that is
// both:
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

	// MaxMessage is the longest content of a message, in bytes, that is sent or
	// received; default 16 MiB.
	MaxMessage int

	// Heartbeat is how long a server is silent before it sends a heartbeat, and how long a
	// client waits before it sends one; default 1.3 s. Negative: none is sent. A peer of
	// innmind/ipc acts on its own time limits once it has heard nothing for a second, so a
	// Heartbeat of 1 s or less defeats them.
	//
	// Where timers of many connections are due at the same time, heartbeats and the timeouts
	// below come up to an eighth of their time late.
	Heartbeat time.Duration

	// FrameTimeout is how long the other side may take to finish a frame that it has
	// begun, while this side reads; default 30 s. Beyond it the connection ends with
	// ErrTooSlow. Negative: no limit.
	FrameTimeout time.Duration

	// SilenceTimeout is how long nothing may come from the other side, not even a heartbeat,
	// while this side reads. Beyond it the connection ends with ErrSilent. So Follow, Wait,
	// Send, Request and a Pool notice a server that is stopped or hangs, and a server notices
	// such a client. Default, and negative: no limit, since processes of innmind/ipc need not
	// send heartbeats.
	//
	// Use at least three times the other side's Heartbeat. A client with a SilenceTimeout
	// sends heartbeats while it is connected. A client without one sends them only while one
	// of its methods waits, so give one to the clients of a server that has it. The time in
	// which a handler works does not count, nor the time in which no method of a client waits.
	SilenceTimeout time.Duration

	// Grace is how long a connection that this side closes waits for the other side to
	// agree; default 1 s. Negative: 1 ms, enough to send connection.close.
	Grace time.Duration

	// Hooks are called for each event, for metrics and traces. Default: none.
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

	ClientConfig // what clients alone have
	ServerConfig // what servers alone have
}

// ClientConfig is the part of a [Config] that clients alone have.
type ClientConfig struct {
	// Servers decides which servers ConnectTo trusts, before a message is sent to one.
	// Default: as for Clients. To talk to a server of another user, one in PHP perhaps, set
	// it to [Users] with that user.
	Servers Authorizer

	// MaxUnread is how much a client keeps of messages that came while it waited for
	// something else, in bytes: their contents, and 64 bytes for each; default 64 MiB. While
	// a message is being written it is twice that. Beyond it, each call that waits for
	// something else fails with ErrUnread, until messages are read.
	MaxUnread int

	// Window is how many messages a client has in flight at most, which means written and
	// not acknowledged, or for requests not responded to; default 4096. With 1, each message
	// is sent once the one before has been acknowledged.
	//
	// Servers that are not of rxipc always get one message at a time. A server of innmind/ipc
	// 4.x cannot read a frame that a full connection has cut in two. One of 5.x wants its
	// responses acknowledged before the next message, which Request, RequestAll and Pool do.
	Window int

	// WindowBytes is the same limit in bytes of frames: no further message is sent while so
	// many are in flight; default 2 MiB.
	WindowBytes int
}

// ServerConfig is the part of a [Config] that servers alone have.
type ServerConfig struct {
	// Clients decides which processes may connect to a server of this IPC, before a byte
	// of theirs is read. Default: processes of the server's own user and of root, and
	// everybody over connections that know no users: in memory, over a network, and over
	// unix sockets on Windows and systems not named at [Connection.Peer].
	//
	// A client that is refused costs an accept and a close. The log has the reason, one line
	// a second. ConnectTo of rxipc fails at once, with ErrRefused and without the reason; to
	// other clients the server closes the connection. See [Users], [Groups], [AnyOf] and
	// [Anyone].
	Clients Authorizer

	// MaxConnections is how many connections a server has at the same time; default
	// 10,000. Beyond it none is accepted until one ends: clients wait, in the queue of
	// the system, until their contexts end. Negative: no limit.
	MaxConnections int

	// MaxPerUser is how many of these connections each user other than the server's own and
	// root may have; default 1,000. Further ones are closed at once, so that other users
	// find room, and clients of rxipc try again. The log has a line about them, one a second.
	// Negative: no limit.
	MaxPerUser int

	// Dialect is the version of the protocol that a server of this IPC speaks; default
	// Dialect5.
	Dialect Dialect

	// MaxHeld is how many answers of a connection may wait at the same time: held ones, and
	// those behind them; default 64. Beyond it the connection is not read until the first
	// is answered. A client that is gone is noticed within a second all the same, see
	// [Connection.Context].
	MaxHeld int

	// HandshakeTimeout is how long a client may take to say connection.start-ok to a
	// server that has begun to read it; default 10 s. Beyond it the connection ends
	// with ErrTooSlow. Negative: no limit.
	HandshakeTimeout time.Duration

	// WriteTimeout is how long a client may read nothing of what its server writes;
	// default 30 s. Beyond it, and after twice that time at the latest, the connection ends
	// with ErrTooSlow. No other connection waits meanwhile. Negative: no limit. It does not
	// limit the writes of a client, since a busy server need not read: its contexts do.
	WriteTimeout time.Duration

	// Listening is called when a server has begun to listen on a name, on the goroutine of
	// the run. Default: nothing is called.
	Listening func(Name)

	// restAfter is how long a session is without a message before it parks: at least this,
	// at most twice this. It is a second, except in tests.
	restAfter time.Duration
}

// withDefaults returns the config with defaults in place of zeros.
func (c Config) withDefaults() Config {
	switch transport := c.Transport.(type) {
	case nil:
		c.Transport = Unix{Dir: c.Dir}.place()
	case Unix:
		c.Transport = transport.place()
	case *Unix:
		if transport != nil { // nil is found by check
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

// closing derives the context that limits an orderly close. It ends with the grace, or with
// a second signal (see [NotifyContext]), and not with ctx, which mostly is done by then.
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
