package socket

import (
	"context"
	"io/fs"
	"net"

	"github.com/rxipc/rxipc/socket/internal/unixsock"
)

// Unix is the Transport over unix sockets. The socket of a name is the file Dir/NAME.sock, as in
// innmind/ipc: with the same Dir, processes of both find each other. Beside it is Dir/.NAME.lock. A
// server holds a lock on that file, which the system releases when the process dies. The file
// stays, and says which process held the lock last. It has the group and the mode of the socket,
// for other users only if the folder is shared. If a cleaner of old files removes it, a second
// server still finds that the first is alive, by connecting to it.
//
// The zero Unix is ready for use. An unknown group, or a Mode that is no permission, is ErrInvalid
// of the first use. [New] resolves the folder, the user and the group once for an IPC; the methods
// of a Unix do so at each call.
type Unix struct {
	// Dir is the folder of the sockets; empty means DefaultDir. A missing folder is made, with
	// its parents: with mode 0700, with 0750 and the group if there is a Group, and with 0755
	// if Mode lets everybody write.
	//
	// A user who may write to the folder can take the place of a server. So it is used only if
	// nobody but this user and root may: it must be a folder and not a link, and it and all
	// folders above it must belong to one of the two and be writable for no other user. Above
	// it, the sticky bit of /tmp is enough. A client whose Unix has a Group also takes a folder
	// that belongs to another user and that group, and leaves it to [ClientConfig.Servers] whom to trust.
	Dir string

	// Shared takes Dir as it is, though others may write to it, such as a folder of a group in
	// /run. Only [ClientConfig.Servers] tells a server from an impostor then.
	//
	// The first process that uses the folder of innmind/ipc makes it, mostly with mode 0755:
	// processes of the same user meet there without Shared. For Go and PHP as two users, say
	// alice and www-data, make the folder for a group of both, run PHP with umask 0007, which
	// decides the mode of its sockets, and name the other user in the config of Go:
	//
	//	install -d -m 2770 -o root -g ipc /tmp/innmind/ipc
	//
	//	socket.Config{
	//		Transport:    socket.Unix{Dir: "/tmp/innmind/ipc", Shared: true, Group: "ipc"},
	//		ServerConfig: socket.ServerConfig{Clients: socket.Users("www-data")},
	//		ClientConfig: socket.ClientConfig{Servers: socket.Users("www-data")},
	//	}
	Shared bool

	// Mode is the permissions of a socket, whatever the umask is; default 0600, and 0660 with a
	// Group. To connect, other users need the permissions to write to the socket and to search
	// its folder, and [ServerConfig.Clients] must accept them.
	Mode fs.FileMode

	// Group is the group of a socket, by name or number; default: the one that the system
	// gives. A process of another user than root must be a member.
	Group string

	// Backlog is how many connections may wait to be accepted; default 4096, at least 1,
	// and no more than the system allows: net.core.somaxconn of Linux, mostly 4096, 128 on
	// macOS. Beyond it Dial fails with ErrBusy, and ConnectTo tries again.
	Backlog int

	// Inherit listens on sockets that the process was started with: by a manager of services
	// such as systemd (LISTEN_FDS), or by [IPC.HandOver]. The socket of a name is the one called
	// NAME or NAME.socket in LISTEN_FDNAMES; without that variable, the one at NAME.sock. For
	// other names Listen makes a socket. A socket of the manager is never removed, and can be
	// listened on again; Dir, Mode, Group and Backlog do not concern it.
	//
	// The first Listen reads and unsets the variables, and closes the sockets in child
	// processes. Start other processes after that, or they have the sockets, too.
	Inherit bool
}

var _ Transport = Unix{}

// DefaultDir returns the folder of a Unix without a Dir: $XDG_RUNTIME_DIR/rxipc, or rxipc-UID in
// the system's temporary folder, where UID is the number of the effective user. The variable is
// ignored if it is not absolute, as its specification says, and if it names a folder of another
// user, as after su and in a setuid program.
func DefaultDir() string { return unixsock.DefaultDir() }

// Listen makes name reachable through a socket. Unless Mode says otherwise, only the user of the
// process and root may connect to it, from the first moment on. Closing the listener removes the
// socket and frees the name; closing it again does nothing.
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

// place resolves u.
func (u Unix) place() unixPlace { return unixPlace{unixsock.New(unixsock.Options(u))} }

// unixPlace is the Transport of a [Unix] that was resolved.
type unixPlace struct{ *unixsock.Place }

var (
	_ watcher = unixPlace{}
	_ awaiter = unixPlace{}
)

func (p unixPlace) Listen(ctx context.Context, name Name) (net.Listener, error) {
	listener, err := p.Place.Listen(ctx, name.text)
	if err != nil {
		return nil, &Error{Op: "listen", Name: name.text, Err: err}
	}
	return listener, nil
}

func (p unixPlace) listenWhenFree(ctx context.Context, name Name) (net.Listener, error) {
	listener, err := p.ListenWhenFree(ctx, name.text)
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
