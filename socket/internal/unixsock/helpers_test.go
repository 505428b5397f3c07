//go:build unix

package unixsock

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// counter is the name that the tests use.
const counter = "counter"

// shortDir makes a folder whose path is short enough for a socket in it.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rxipc")
	must(t, "making a folder", err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// must fails the test if a step of its own has failed.
func must(t *testing.T, step string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", step, err)
	}
}

// within is a context that ends a test which hangs, and no other one however loaded the
// machine is.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// openDir is a folder that others may enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(shortDir(t))
	must(t, "resolving a folder", err)
	must(t, "opening a folder to others", os.Chmod(dir, 0o755))
	return dir
}

// mkdir makes a folder of a mode, whatever the umask is.
func mkdir(t *testing.T, mode fs.FileMode, path ...string) string {
	t.Helper()
	dir := filepath.Join(path...)
	must(t, "making a folder", errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, mode)))
	return dir
}

func symlink(t *testing.T, target string, path ...string) string {
	t.Helper()
	must(t, "making a link", os.Symlink(target, filepath.Join(path...)))
	return filepath.Join(path...)
}

// remove removes files and folders.
func remove(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		must(t, "removing a file", os.RemoveAll(path))
	}
}

// exists fails the test unless there is a file at path.
func exists(t *testing.T, path, what string) {
	t.Helper()
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("%s: %v, want that it is there", what, err)
	}
}

// listenForeign listens without the lock, as innmind/ipc does.
func listenForeign(t *testing.T, path string) *net.UnixListener {
	t.Helper()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	must(t, "listening without a lock", err)
	t.Cleanup(func() { listener.Close() })
	return listener
}

// leaveStale makes the socket of a server that died.
func leaveStale(t *testing.T, path string) {
	t.Helper()
	listener := listenForeign(t, path)
	listener.SetUnlinkOnClose(false)
	must(t, "leaving a socket behind", listener.Close())
}

// mustListen listens on a name until the test ends.
func mustListen(t *testing.T, o Options, name string) *Listener {
	t.Helper()
	listener, err := New(o).Listen(t.Context(), name)
	must(t, "listening on "+name, err)
	t.Cleanup(func() { listener.Close() })
	return listener
}

// mustConnect connects to counter, and closes the connection when the test ends.
func mustConnect(t *testing.T, o Options) net.Conn {
	t.Helper()
	conn, err := New(o).Dial(t.Context(), counter)
	must(t, "connecting to counter", err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// connectedTo returns the two ends of a connection to a listener.
func connectedTo(t *testing.T, listener net.Listener) (client, server net.Conn) {
	t.Helper()
	client, err := net.Dial(listener.Addr().Network(), listener.Addr().String())
	if err != nil {
		t.Fatalf("connecting: %v", err)
	}
	t.Cleanup(func() { client.Close() })
	if server, err = listener.Accept(); err != nil {
		t.Fatalf("accepting: %v", err)
	}
	t.Cleanup(func() { server.Close() })
	return client, server
}
