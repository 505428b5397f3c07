package socket

import (
	"fmt"
	"log/slog"

	"github.com/rxipc/rxipc/fold"
)

// What stands for a connection, a server or a message prints as one short line, with every
// verb and in a log: never as its fields, which others change meanwhile and which hold the
// contents of messages.

// endLine is the line of one end of a connection.
func endLine(id uint64, name string, peer fold.Maybe[Peer], state string) string {
	line := fmt.Sprintf("connection %d", id)
	if name != "" {
		line += " of " + name
	}
	if peer, known := peer.Get(); known {
		line += " with " + peer.String()
	}
	return line + ", " + state
}

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

// String is the process in a line: the number of its connection, its name and peer, and
// whether that is open or closed.
func (p *Process) String() string {
	if p == nil {
		return "no process"
	}
	p.mu.Lock()
	over := p.closing || p.err != nil
	p.mu.Unlock()
	state := "open"
	if over {
		state = "closed"
	}
	return endLine(p.id, p.name.text, p.peer, state)
}

// GoString is String.
func (p *Process) GoString() string { return p.String() }

// String is the IPC in a line: its transport.
func (ipc *IPC) String() string {
	if ipc == nil {
		return "no IPC"
	}
	if unix, ok := ipc.config.Transport.(Unix); ok && unix.Dir != "" {
		return "IPC in " + unix.Dir
	}
	return fmt.Sprintf("IPC over %T", ipc.config.Transport)
}

// GoString is String.
func (ipc *IPC) GoString() string { return ipc.String() }

// LogValue is String.
func (ipc *IPC) LogValue() slog.Value { return slog.StringValue(ipc.String()) }

// String is the pool in a line: its name, and how many connections and requests it has.
func (p *Pool) String() string {
	if p == nil {
		return "no pool"
	}
	stats := p.Stats()
	return fmt.Sprintf("pool of %s, %d connections, %d requests in flight, %d waiting",
		p.name, stats.Connections, stats.InFlight, stats.Waiting)
}

// GoString is String.
func (p *Pool) GoString() string { return p.String() }

// LogValue is the pool as attributes of a log line: name, connections, in_flight and
// waiting.
func (p *Pool) LogValue() slog.Value {
	stats := p.Stats()
	return slog.GroupValue(slog.String("name", p.name.text), slog.Int("connections", stats.Connections),
		slog.Int("in_flight", stats.InFlight), slog.Int("waiting", stats.Waiting))
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
	responses := len(c.more)
	if c.responds {
		responses++
	}
	return fmt.Sprintf("continuation with %d responses on %v", responses, c.connection)
}

// GoString is String.
func (c Continuation[C]) GoString() string { return c.String() }

// GoString is String: the content may be secret.
func (m Message) GoString() string { return m.String() }
