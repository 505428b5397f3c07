package socket

import (
	"context"
	"io/fs"
	"net"

	"github.com/rxipc/rxipc/socket/internal/unixsock"
)

// Unix is the Transport over unix sockets. The socket of a name is the file
// Dir/NAME.sock, where innmind/ipc has it too, so with the same Dir the processes
// of both find each other. Beside it stands Dir/.NAME.lock: whoever listens holds a
// lock on it, which the system takes back when the process dies. The lock file itself
// stays for ever, and says which process held it last. It has the group and the mode of the
// socket, for others only if the folder is shared. Should a cleaner of old files remove it, a
// second server still finds that the first is alive, by connecting to it.
//
// The zero Unix is ready for use. What it says that cannot be, an unknown group or a Mode
// that is no permission, is ErrInvalid of whatever is done first. An IPC finds out once, in
// [New], which folder, user and group it means; the methods of a Unix do so at each call.
type Unix struct {
	// Dir is the folder of the sockets; empty means DefaultDir. When it is missing it is
	// made, with its parents, for those who may connect: with mode 0700, with a Group 0750
	// and of that, and 0755 if Mode lets everybody write. Whoever may write to it may take
	// the place of a server, so it is used only when nobody but the user and root may:
	// it must be a folder and not a link, it and what is above it must belong to one of
	// the two and be writable for no other; above it the sticky bit of /tmp will do. A
	// client whose Unix has a Group also takes a folder that belongs to another user and
	// that group, and leaves it to [ClientConfig.Servers] whom to trust.
	Dir string

	// Shared takes Dir as it is, though others may write to it: a folder of a group in
	// /run, say. What tells a server from an impostor is then [ClientConfig.Servers] alone.
	//
	// The folder of innmind/ipc is made by the first who uses it, mostly with mode 0755
	// and for that user: processes of the same user meet there without this. For Go
	// and PHP as two users, say alice and www-data, make it for a group of both, have
	// PHP run with umask 0007, since that is what makes the mode of its sockets, and
	// tell Go of the other:
	//
	//	install -d -m 2770 -o root -g ipc /tmp/innmind/ipc
	//
	//	socket.Config{
	//		Transport: socket.Unix{Dir: "/tmp/innmind/ipc", Shared: true, Group: "ipc"},
	//		Clients:   socket.Users("www-data"),
	//		Servers:   socket.Users("www-data"),
	//	}
	Shared bool

	// Mode is what the permissions of a socket are, whatever the umask is; default
	// 0600, and 0660 with a Group. To connect, others need to write to it and to search
	// its folder, and Config.Clients must let them.
	Mode fs.FileMode

	// Group is the group of a socket, by name or number; default: what the system
	// gives it. A process that is not root's must be a member.
	Group string

	// Backlog is how many connections may wait to be accepted; default 4096, at least 1,
	// and no more than the system allows: net.core.somaxconn of Linux, mostly 4096, 128 on
	// macOS. Beyond it Dial fails with ErrBusy, and ConnectTo tries again.
	Backlog int

	// Inherit takes over sockets that the process was started with: by a manager of
	// services as systemd does it (LISTEN_FDS), or by [IPC.HandOver]. A name is
	// listened on by the socket called so in LISTEN_FDNAMES, NAME or NAME.socket; if
	// nothing is called anything, by the one at NAME.sock. For other names a socket
	// is made. A socket of the manager is never removed and can be listened on again;
	// Dir, Mode, Group and Backlog do not concern it. The variables are read and unset,
	// and the sockets kept from children, when the first name is listened on: start
	// other processes after that, or they have them, too.
	Inherit bool
}

var _ Transport = Unix{}

// DefaultDir returns the folder where Unix keeps its sockets unless told another:
// $XDG_RUNTIME_DIR/rxipc, or rxipc-UID in the system's temporary folder, UID being the
// number of the effective user. The variable does not count when it is not absolute, as
// its specification says, or names a folder of another user, as after su and in a
// setuid program.
func DefaultDir() string { return unixsock.DefaultDir() }

// Listen makes name reachable through a socket that only the user of the process, and
// root, may connect to, unless Mode says otherwise; it is so from the first moment
// anybody can connect. Closing the listener removes the socket and frees the name, closing
// it again does nothing.
//
// Listen fails with ErrInUse when another listener has the name. The error names the process
// if that is known. The listener may be of this program, of another program that holds the
// lock, or of one that does not know the lock. In the last case Listen goes through a session
// with the server to see whether it is alive, for at most a second. Listen replaces the socket
// of a server that died. It leaves anything else in the place of the socket alone, a link
// included, and fails with fs.ErrExist. A path longer than the system allows is ErrInvalid.
func (u Unix) Listen(ctx context.Context, name Name) (net.Listener, error) {
	return u.place().Listen(ctx, name)
}

// Dial connects to the socket of name. It fails with ErrNotListening when there is no
// socket, or no server behind it. The error says so if another usual folder has the name: the
// folder of innmind/ipc, or DefaultDir in other surroundings. When the queue of the server is
// full, Dial fails with ErrBusy on Linux and with ErrNotListening elsewhere. Dial tries a socket
// that denies permission again for an eighth of a second, because a new socket is private until
// it listens.
func (u Unix) Dial(ctx context.Context, name Name) (net.Conn, error) {
	return u.place().Dial(ctx, name)
}

// Names lists, in order, the names that have a socket, alive or left behind. A
// missing folder has none; one that others may change is an error, as it is for Dial.
func (u Unix) Names(ctx context.Context) ([]Name, error) {
	return u.place().Names(ctx)
}

// place resolves what u means now.
func (u Unix) place() unixPlace { return unixPlace{unixsock.New(unixsock.Options(u))} }

// unixPlace is the Transport of a [Unix] that was resolved.
type unixPlace struct{ *unixsock.Place }

var _ watcher = unixPlace{}

func (p unixPlace) Listen(ctx context.Context, name Name) (net.Listener, error) {
	listener, err := p.Place.Listen(ctx, name.text)
	if err != nil {
		return nil, &Error{Op: "listen", Name: name.text, Err: err}
	}
	return listener, nil
}

func (p unixPlace) Dial(ctx context.Context, name Name) (net.Conn, error) {
	conn, err := p.Place.Dial(ctx, name.text)
	if err != nil {
		return nil, &Error{Op: "dial", Name: name.text, Err: err}
	}
	return conn, nil
}

func (p unixPlace) Names(ctx context.Context) ([]Name, error) {
	texts, err := p.Place.Names(ctx)
	if err != nil {
		return nil, &Error{Op: "names", Err: err}
	}
	names := make([]Name, len(texts))
	for i, text := range texts {
		names[i] = Name{text}
	}
	return names, nil
}

func (p unixPlace) watchName(name Name) (news <-chan struct{}, stop func()) {
	return p.Watch(name.text)
}
