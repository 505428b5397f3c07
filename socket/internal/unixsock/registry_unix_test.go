//go:build unix

package unixsock

import (
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestHandOverRefusesASocketThatAnotherServerReplaced(t *testing.T) {
	o := Options{Dir: shortDir(t)}
	listener := mustListen(t, o, counter)
	path := filepath.Join(o.Dir, "counter.sock")
	remove(t, path)
	foreign := listenForeign(t, path)
	var r Registry
	defer r.Add(counter, listener)()
	cmd := exec.Command("/bin/true")
	err := r.HandOver(within(t), cmd, slog.New(slog.DiscardHandler))
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "counter: ") || !strings.Contains(err.Error(), path+" was replaced") {
		t.Errorf("handing over a name whose socket was replaced: %v; want ErrInUse, the name and %s", err, path)
	}
	if cmd.Process != nil {
		t.Errorf("process %d was started, want none", cmd.Process.Pid)
	}
	exists(t, path, "the socket of the other server")
	must(t, "closing the other server", foreign.Close()) // which removes its socket
	looking(t, listener, fs.ErrNotExist, true)
	mustConnect(t, o)
}

// passedOn listens on counter, and returns the listener of the process that gets it by a
// handover. Before that process takes it, passedOn calls meanwhile with the path of the socket.
func passedOn(t *testing.T, meanwhile func(path string)) *Listener {
	t.Helper()
	u := Options{Dir: shortDir(t)}
	former := mustListen(t, u, counter)
	p := new(bundle)
	if err := p.add(counter, former); err != nil {
		t.Fatal("packing a listener: ", err)
	}
	in := inheriting(t, strings.Join(p.names, ":"), p.files...)
	meanwhile(former.path)
	heir, err := in.listen(New(u), counter)
	if err != nil {
		t.Fatal("listening on the socket that was passed on: ", err)
	}
	t.Cleanup(func() { heir.Close() })
	if err := p.settle(true); err != nil {
		t.Error("ending the hand-over: ", err)
	}
	return heir
}

func TestHandOverKeepsTheSocketsFile(t *testing.T) {
	heir := passedOn(t, func(string) {})
	looking(t, heir, nil, false)
	if err := heir.Close(); err != nil {
		t.Error("closing the listener: ", err)
	}
	if _, err := os.Lstat(heir.path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket after its listener was closed: %v, want none", err)
	}
}

func TestHandOverMakesASocketAgainThatWasRemovedMeanwhile(t *testing.T) {
	heir := passedOn(t, func(path string) { remove(t, path) })
	looking(t, heir, fs.ErrNotExist, true)
	looking(t, heir, nil, false)
}

func TestHandOverTakesNoSocketForItsOwnThatReplacedItMeanwhile(t *testing.T) {
	heir := passedOn(t, func(path string) {
		remove(t, path)
		listenForeign(t, path)
	})
	looking(t, heir, ErrInUse, false)
	if err := heir.Close(); err != nil {
		t.Error("closing the listener: ", err)
	}
	exists(t, heir.path, "the socket of the other server, after the listener was closed")
}

func TestListenerThatClosesBetweenTwoProcesses(t *testing.T) {
	for _, delivered := range []bool{true, false} {
		u := Options{Dir: shortDir(t)}
		listener := mustListen(t, u, counter)
		var r Registry
		defer r.Add(counter, listener)()
		b, err := r.pack()
		must(t, "packing a listener", err)
		must(t, "closing a listener between two processes", listener.Close())
		exists(t, listener.path, "the socket, which may be another process's")
		must(t, "ending the hand-over", b.settle(delivered))
		if _, err := os.Lstat(listener.path); (err == nil) != delivered {
			t.Errorf("the socket after the hand-over, delivered %v: %v", delivered, err)
		}
		if err := listener.lock.file.Close(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("closing the lock after the hand-over, delivered %v: %v, want that it is closed: it would outlast the successor", delivered, err)
		}
		_, err = listener.Accept()
		if errors.Is(err, ErrHandedOver) != delivered || !delivered && !errors.Is(err, net.ErrClosed) {
			t.Errorf("accepting after the hand-over, delivered %v: %v", delivered, err)
		}
	}
}
