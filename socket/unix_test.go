//go:build unix

package socket

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

var counter = MustParseName("counter")

// shortDir is t.TempDir with a path that leaves room for a socket: macOS has long
// temporary folders and a low limit.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		t.Fatalf("make a folder for sockets: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// leaveStale makes the socket of a server that died.
func leaveStale(t *testing.T, path string) {
	t.Helper()
	listener := listenForeign(t, path)
	listener.SetUnlinkOnClose(false)
	if err := listener.Close(); err != nil {
		t.Fatalf("close the listener of a stale socket: %v", err)
	}
}

// listenForeign listens without the lock, as innmind/ipc does.
func listenForeign(t *testing.T, path string) *net.UnixListener {
	t.Helper()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatalf("listen without the lock at %s: %v", path, err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

// mustListen listens until the test ends.
func mustListen(t *testing.T, u Unix, name Name) net.Listener {
	t.Helper()
	listener, err := u.Listen(t.Context(), name)
	if err != nil {
		t.Fatalf("listen on %v: %v", name, err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

// openDir is a folder that others may enter: what is in it, is not hidden.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(shortDir(t))
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatalf("make a folder that all may search: %v", err)
	}
	return dir
}

// mkdir makes a folder of a mode, whatever the umask is.
func mkdir(t *testing.T, mode fs.FileMode, path ...string) string {
	t.Helper()
	dir := filepath.Join(path...)
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, mode)); err != nil {
		t.Fatalf("make the folder %s with mode %v: %v", dir, mode, err)
	}
	return dir
}

func TestUnixNamesTheOperation(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	mustListen(t, u, counter)
	_, inUse := u.Listen(t.Context(), counter)
	_, nobody := u.Dial(t.Context(), MustParseName("other"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, names := u.Names(ended)
	_, zero := u.Listen(t.Context(), Name{})
	for _, test := range []struct {
		err, is  error
		op, name string
	}{
		{inUse, ErrInUse, "listen", "counter"},
		{nobody, ErrNotListening, "dial", "other"},
		{names, context.Canceled, "names", ""},
		{zero, ErrInvalid, "listen", ""},
	} {
		var structured *Error
		if !errors.Is(test.err, test.is) || !errors.As(test.err, &structured) || structured.Op != test.op || structured.Name != test.name {
			t.Errorf("the error of %s is %#v, want %v of %q", test.op, test.err, test.is, test.name)
		}
	}
}

func TestUnixListsNames(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	for _, name := range []string{"b", "a"} {
		mustListen(t, u, MustParseName(name))
	}
	if names, err := u.Names(t.Context()); err != nil || !slices.Equal(names, []Name{MustParseName("a"), MustParseName("b")}) {
		t.Errorf("the names are %v, %v; want a and b", names, err)
	}
}

func TestServerWhoseLockWasRemovedIsStillFound(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	listening := make(chan struct{})
	ipc := New(Config{Dir: dir, ServerConfig: ServerConfig{Listening: func(Name) { close(listening) }}})
	serving(t, ipc)
	<-listening
	p, err := ipc.ConnectTo(ctx, counter).Get()
	if err != nil {
		t.Fatalf("connect to the server: %v", err)
	}
	defer p.Close(ctx)
	if err := os.Remove(filepath.Join(dir, ".counter.lock")); err != nil {
		t.Fatalf("remove the lock: %v", err)
	}
	for range 2 {
		if _, err := (Unix{Dir: dir}).Listen(ctx, counter); !errors.Is(err, ErrInUse) {
			t.Errorf("listen after the lock was removed: got %v, want ErrInUse", err)
		}
	}
	if m, err := p.Request(ctx, Text("hello")).Get(); m != Text("echo: hello") {
		t.Errorf("request after a second Listen: got %v, %v, want echo: hello", m, err)
	}
	if err := fold.Then(ipc.ConnectTo(ctx, counter), Closing(ctx, Send(ctx, Text("hello")))).Err(); err != nil {
		t.Errorf("connect and send after a second Listen: %v", err)
	}
}
