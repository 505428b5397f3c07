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

// GoString is String: the content may be secret.
func (m Message) GoString() string { return m.String() }
