package socket

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/rxipc/rxipc/fold"
)

// connectionIDs numbers the connections of this program.
var connectionIDs atomic.Uint64

// ID returns the number of the connection, which no other one of this program has, on
// either side.
func (c *Connection) ID() uint64 { return c.id }

// Name returns the name that the client connected to; for a listener given to
// [IPC.Accept], its address.
func (c *Connection) Name() string { return c.admission.name() }

// LogValue is the connection as attributes of a log line, the ones that lines of the
// package have: name, connection for its ID, and peer, as [Peer] shows itself, where the
// connection knows it. An empty key puts them into the line as
// they are:
//
//	log.Info("counted", slog.Any("", c.Connection()), slog.Int("count", count))
func (c *Connection) LogValue() slog.Value {
	return lineValue(c.admission.name(), c.id, c.Peer())
}

func lineValue(name string, id uint64, peer fold.Maybe[Peer]) slog.Value {
	attrs := []slog.Attr{slog.String("name", name), slog.Uint64("connection", id)}
	if peer, known := peer.Get(); known {
		attrs = append(attrs, slog.Any("peer", peer))
	}
	return slog.GroupValue(attrs...)
}

// log writes a line about the connection.
func (c *Connection) log(level slog.Level, message string, attrs ...slog.Attr) {
	writeLine(c.config.Log, level, message, c, attrs)
}

// LogValue is the process as attributes of a log line, as a [Connection] has them.
func (p *Process) LogValue() slog.Value {
	return lineValue(p.name.String(), p.id, p.peer)
}

// log writes a line about the process.
func (p *Process) log(level slog.Level, message string, attrs ...slog.Attr) {
	writeLine(p.config.Log, level, message, p, attrs)
}

// writeLine writes a line about one end of a connection.
func writeLine(log *slog.Logger, level slog.Level, message string, who slog.LogValuer, attrs []slog.Attr) {
	ctx := context.Background()
	if log.Enabled(ctx, level) {
		log.LogAttrs(ctx, level, message, append([]slog.Attr{slog.Any("", who)}, attrs...)...)
	}
}

// because is an error as attributes of a log line, with the word for it.
func because(err error) []slog.Attr {
	return []slog.Attr{slog.String("reason", Reason(err)), slog.Any("error", err)}
}

// errorsOnly hands errors on to what slog's default logger is at the time: the default of
// [Config].Log, so that nobody overlooks a handler that panics.
type errorsOnly struct {
	with func(slog.Handler) slog.Handler // adds attributes and groups; nil for none
}

func (h errorsOnly) handler() slog.Handler {
	if h.with == nil {
		return slog.Default().Handler()
	}
	return h.with(slog.Default().Handler())
}

// Enabled lets errors through that slog's default logger lets through.
func (h errorsOnly) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && slog.Default().Enabled(ctx, level)
}

// Handle hands a record on.
func (h errorsOnly) Handle(ctx context.Context, record slog.Record) error {
	return h.handler().Handle(ctx, record)
}

// WithAttrs adds attributes.
func (h errorsOnly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return errorsOnly{func(slog.Handler) slog.Handler { return h.handler().WithAttrs(attrs) }}
}

// WithGroup begins a group.
func (h errorsOnly) WithGroup(name string) slog.Handler {
	return errorsOnly{func(slog.Handler) slog.Handler { return h.handler().WithGroup(name) }}
}
