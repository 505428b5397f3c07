//go:build unix

package unixsock

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// looking is what a listener sees when it looks for its file.
func looking(t *testing.T, listener *Listener, wantLoss error, wantRestored bool) error {
	t.Helper()
	loss, restored := listener.Look()
	if !errors.Is(loss, wantLoss) || (loss == nil) != (wantLoss == nil) || restored != wantRestored {
		t.Errorf("looking for the socket file: loss %v, restored %v; want %v, %v", loss, restored, wantLoss, wantRestored)
	}
	return loss
}

func TestListenerMakesARemovedSocketAgain(t *testing.T) {
	base := shortDir(t)
	for what, lost := range map[string]string{
		"the socket": "d/counter.sock", "the folder": "d", "all above it": ".",
	} {
		t.Run(what, func(t *testing.T) {
			u := Options{Dir: filepath.Join(base, "d"), Mode: 0o660}
			listener := mustListen(t, u, counter)
			path := filepath.Join(u.Dir, "counter.sock")
			looking(t, listener, nil, false)
			for range 2 {
				early := mustConnect(t, u) // and is not accepted yet
				remove(t, filepath.Join(base, lost))
				looking(t, listener, fs.ErrNotExist, true)
				looking(t, listener, nil, false)
				info, err := os.Lstat(path)
				if err != nil || info.Mode() != fs.ModeSocket|0o660 {
					t.Fatalf("the socket made again: %v, %v; want mode 0660", info, err)
				}
				for who, client := range map[string]net.Conn{"before": early, "after": mustConnect(t, u)} {
					server, err := listener.Accept()
					if err != nil {
						t.Fatalf("accepting the client that connected %s the socket was removed: %v", who, err)
					}
					defer server.Close()
					_ = client
				}
				if _, err := New(u).Listen(t.Context(), counter); !errors.Is(err, ErrInUse) {
					t.Errorf("listening twice after the socket was made again: %v, want ErrInUse", err)
				}
			}
			if err := listener.Close(); err != nil {
				t.Error("closing the listener: ", err)
			}
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the socket after its listener was closed: %v, want none", err)
			}
		})
	}
}

func TestListenerWakesWhenItsSocketIsMadeAgain(t *testing.T) {
	u := Options{Dir: shortDir(t)}
	listener := mustListen(t, u, counter)
	accepted := make(chan error)
	go func() {
		for range 2 {
			conn, err := listener.Accept() // the second time it waits at a socket that is replaced
			if err == nil {
				conn.Close()
			}
			accepted <- err
		}
	}()
	for range 2 {
		mustConnect(t, u)
		if err := <-accepted; err != nil {
			t.Error("accepting: ", err)
		}
		remove(t, filepath.Join(u.Dir, "counter.sock"))
		looking(t, listener, fs.ErrNotExist, true)
	}
}

func TestListenerLeavesASocketThatReplacedItsOwn(t *testing.T) {
	u := Options{Dir: shortDir(t)}
	listener := mustListen(t, u, counter)
	path := filepath.Join(u.Dir, "counter.sock")
	remove(t, path)
	foreign := listenForeign(t, path)
	for range 2 {
		if loss := looking(t, listener, ErrInUse, false); !strings.Contains(loss.Error(), path) {
			t.Errorf("the loss is %q, which does not name %s", loss, path)
		}
	}
	if err := foreign.Close(); err != nil { // which removes its socket
		t.Fatal("closing the foreign server: ", err)
	}
	looking(t, listener, fs.ErrNotExist, true)
	mustConnect(t, u)
}

func TestListenerThatLostItsLockDoesNotTakeTheNameBack(t *testing.T) {
	u := Options{Dir: shortDir(t)}
	first := mustListen(t, u, counter)
	remove(t, filepath.Join(u.Dir, "counter.sock"), filepath.Join(u.Dir, ".counter.lock"))
	second := mustListen(t, u, counter)
	looking(t, first, ErrInUse, false)
	remove(t, filepath.Join(u.Dir, "counter.sock"))
	looking(t, first, ErrInUse, false) // the lock is the second one's
	looking(t, second, fs.ErrNotExist, true)
	if err := first.Close(); err != nil {
		t.Error("closing the first listener: ", err)
	}
	mustConnect(t, u)
}

func TestListenerThatCannotMakeItsSocketSaysWhy(t *testing.T) {
	u := Options{Dir: filepath.Join(shortDir(t), "d")}
	listener := mustListen(t, u, counter)
	remove(t, u.Dir)
	if err := os.WriteFile(u.Dir, nil, 0o600); err != nil {
		t.Fatal("making a file in the folder's place: ", err)
	}
	loss, restored := listener.Look()
	if loss == nil || restored || !strings.Contains(loss.Error(), u.Dir) {
		t.Errorf("looking for a socket in the place of whose folder is a file: loss %v, restored %v; want an error about %s", loss, restored, u.Dir)
	}
	remove(t, u.Dir)
	looking(t, listener, fs.ErrNotExist, true)
}

func TestListenerOfAManagerTellsThatItsSocketIsGone(t *testing.T) {
	path := filepath.Join(shortDir(t), "counter.sock")
	socket := listenForeign(t, path)
	file, err := socket.File()
	if err != nil {
		t.Fatal("the descriptor of a socket: ", err)
	}
	in := &inheritance{sockets: map[string]*inheritedSocket{counter: {file: file}}}
	listener, err := in.listen(New(Options{}), counter)
	if err != nil {
		t.Fatal("listening on an inherited socket: ", err)
	}
	defer listener.Close()
	looking(t, listener, nil, false)
	remove(t, path)
	looking(t, listener, fs.ErrNotExist, false)
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket of a manager was made again, which is not ours to do")
	}
}

func TestListenerThatIsHandedOverLooksAfterNothing(t *testing.T) {
	u := Options{Dir: shortDir(t)}
	listener := mustListen(t, u, counter)
	var r Registry
	defer r.Add(counter, listener)()
	b, err := r.pack()
	if err != nil {
		t.Fatal("packing a listener: ", err)
	}
	remove(t, filepath.Join(u.Dir, "counter.sock"))
	looking(t, listener, nil, false)
	if err := b.settle(false); err != nil {
		t.Fatal("taking a listener back: ", err)
	}
	looking(t, listener, fs.ErrNotExist, true)
	mustConnect(t, u)
}
