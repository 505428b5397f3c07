package socket

import (
	"fmt"
	"log/slog"

	"github.com/rxipc/rxipc/fold"
)

// ID returns the number of the connection, which no other one of this program has, on
// either side.
func (c *Connection) ID() uint64 { return c.id }

// Name returns the name that the client connected to; for a listener given to
// [IPC.Accept], its address.
func (c *Connection) Name() string { return c.admission.name() }

// Peer tells who the client is: nothing where the connection does not know. Unix
// sockets know on Linux, macOS and FreeBSD; so does any connection that has the
// method Peer() (Peer, error), such as one of your own Transport.
func (c *Connection) Peer() fold.Maybe[Peer] { return fold.FromPointer(c.admission.peer) }

// String is the connection in a line: its number, name and peer, and whether it is open or
// closed.
func (c *Connection) String() string {
	if c == nil {
		return "no connection"
	}
	state := "open"
	if c.ending.Err() != nil {
		state = "closed"
	}
	return endLine(c.id, c.Name(), c.Peer(), state)
}

// GoString is String.
func (c *Connection) GoString() string { return c.String() }

// LogValue is the connection as attributes of a log line, the ones that lines of the
// package have: name, connection for its ID, and peer, as [Peer] shows itself, where the
// connection knows it. An empty key puts them into the line as
// they are:
//
//	log.Info("counted", slog.Any("", c.Connection()), slog.Int("count", count))
func (c *Connection) LogValue() slog.Value {
	return lineValue(c.admission.name(), c.id, c.Peer())
}

// Log returns [Config.Log] with the attributes of the connection, for lines of a handler about its
// client.
func (c *Connection) Log() *slog.Logger { return c.config.Log.With(slog.Any("", c)) }

// log writes a line about the connection.
func (c *Connection) log(level slog.Level, message string, attrs ...slog.Attr) {
	writeLine(c.config.Log, level, message, c, attrs)
}

// String is the exchange in a line: its message without the content, and its connection.
func (x Exchange) String() string { return x.Message.String() + " by " + x.c.String() }

// GoString is String.
func (x Exchange) GoString() string { return x.String() }

// LogValue is the exchange as attributes of a log line: those of its message and its
// connection.
func (x Exchange) LogValue() slog.Value { return exchangeValue(x.Message, x.c) }

// String is the exchange in a line, as [Exchange.String] has it.
func (h *Held) String() string {
	if h == nil {
		return "no exchange"
	}
	return h.Message.String() + " by " + h.c.String()
}

// GoString is String.
func (h *Held) GoString() string { return h.String() }

// LogValue is the exchange as attributes of a log line, as [Exchange.LogValue] has it.
func (h *Held) LogValue() slog.Value { return exchangeValue(h.Message, h.c) }

func exchangeValue(m Message, c *Connection) slog.Value {
	attrs := m.LogValue().Group()
	if c != nil {
		attrs = append(attrs, c.LogValue().Group()...)
	}
	return slog.GroupValue(attrs...)
}

// String is the continuation in a line: its connection, and how many responses it has.
func (c Continuation[C]) String() string {
	responses := len(c.rarely().more)
	if c.responds {
		responses++
	}
	return fmt.Sprintf("continuation with %d responses on %v", responses, c.Connection())
}

// GoString is String.
func (c Continuation[C]) GoString() string { return c.String() }
