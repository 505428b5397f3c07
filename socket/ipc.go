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

// New makes an IPC of a config, which it copies. The zero Config is the usual one.
//
// New resolves the folder, the user and the group. If the process changes its working
// directory, user, umask or environment later, they stay. A config that is invalid, because
// it names an unknown user for instance, is the error of every use of the IPC.
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
