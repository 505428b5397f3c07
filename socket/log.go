package socket

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/rxipc/rxipc/fold"
)

// connectionIDs is the last ID given to a connection of this program.
var connectionIDs atomic.Uint64

func lineValue(name string, id uint64, peer fold.Maybe[Peer]) slog.Value {
	attrs := []slog.Attr{slog.String("name", name), slog.Uint64("connection", id)}
	if peer, known := peer.Get(); known {
		attrs = append(attrs, slog.Any("peer", peer))
	}
	return slog.GroupValue(attrs...)
}

// writeLine writes a line about one end of a connection.
func writeLine(log *slog.Logger, level slog.Level, message string, who slog.LogValuer, attrs []slog.Attr) {
	ctx := context.Background()
	if log.Enabled(ctx, level) {
		log.LogAttrs(ctx, level, message, append([]slog.Attr{slog.Any("", who)}, attrs...)...)
	}
}

// because returns an error as attributes of a log line, with its Reason.
func because(err error) []slog.Attr {
	return []slog.Attr{slog.String("reason", Reason(err)), slog.Any("error", err)}
}

// errorsOnly passes errors to the current handler of slog's default logger. It is the default
// of [Config].Log, so that the panic of a handler does not go unnoticed.
type errorsOnly struct {
	with func(slog.Handler) slog.Handler // adds attributes and groups; nil for none
}

func (h errorsOnly) handler() slog.Handler {
	if h.with == nil {
		return slog.Default().Handler()
	}
	return h.with(slog.Default().Handler())
}

// Enabled reports whether the record is an error that slog's default logger accepts.
func (h errorsOnly) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && slog.Default().Enabled(ctx, level)
}

// Handle passes a record on.
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

// A connection, a server or a message prints as one short line, with every verb and in a log.
// It never prints its fields: other goroutines change them, and they have the contents of
// messages.

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
