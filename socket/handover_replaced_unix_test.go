//go:build unix

package socket

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestHandOverRefusesASocketThatAnotherServerReplaced(t *testing.T) {
	ipc, dir := handsOver(t, Config{})
	path := filepath.Join(dir, "counter.sock")
	remove(t, path)
	foreign := listenForeign(t, path)
	cmd := exec.Command("/bin/true")
	err := ipc.HandOver(within(t), cmd)
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "hand over: counter: ") || !strings.Contains(err.Error(), path+" was replaced") {
		t.Errorf("handing over a name whose socket was replaced: %v; want ErrInUse, the name and %s", err, path)
	}
	if cmd.Process != nil {
		t.Errorf("process %d was started, want none", cmd.Process.Pid)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error("the file of the other server: ", err)
	}
	if err := foreign.Close(); err != nil { // which removes its socket, so the server makes its own again
		t.Fatal("closing the other server: ", err)
	}
	isAnswered(t, dir)
}

// passedOn listens on counter, and returns the listener of the process that gets it by a
// handover. Before that process takes it, passedOn calls meanwhile with the path of the socket.
func passedOn(t *testing.T, meanwhile func(path string)) *unixListener {
	t.Helper()
	u := Unix{Dir: shortDir(t)}
	former := mustListen(t, u, counter).(*unixListener)
	p := new(parcel)
	if err := p.add(counter, former); err != nil {
		t.Fatal("packing a listener: ", err)
	}
	in := inheriting(t, strings.Join(p.names, ":"), p.files...)
	meanwhile(former.path)
	heir, err := in.listen(u.place(), counter)
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
	if _, err := os.Lstat(heir.path); err != nil {
		t.Error("the file of the other server, once the listener was closed: ", err)
	}
}
