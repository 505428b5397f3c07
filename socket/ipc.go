package socket

import (
	"fmt"
	"log/slog"

	"github.com/rxipc/rxipc/socket/internal/unixsock"
)

// IPC connects processes: it is a [Transport] together with a Config. It is safe for
// concurrent use.
type IPC struct {
	config    Config
	invalid   error             // what is wrong with the config
	listeners unixsock.Registry // to hand over
}

// New makes an IPC from a copy of the config.
//
// New resolves the folder, the user and the group. They do not change if the process changes
// its working directory, user, umask or environment later. With an invalid config, for
// example one that names an unknown user, every use of the IPC fails with the error of the
// config.
func New(config Config) *IPC {
	invalid := config.check()
	return &IPC{config: config.withDefaults(), invalid: invalid}
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

// Check returns the error with which a message could not be sent by this IPC, before a byte is
// written: ErrInvalid, ErrReserved or ErrTooLarge. It returns nil if the message can be sent.
func (ipc *IPC) Check(m Message) error { return m.check(ipc.config.MaxMessage) }
