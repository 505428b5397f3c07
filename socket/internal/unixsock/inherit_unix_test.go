//go:build unix

package unixsock

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rxipc/rxipc/socket/systemd"
)

// socketFile is a socket that another process listens on at path.
func socketFile(t *testing.T, path string) *os.File {
	t.Helper()
	file, err := listenForeign(t, path).File()
	must(t, "copying a socket", err)
	t.Cleanup(func() { file.Close() })
	return file
}

// inheriting makes an inheritance of sockets at descriptors of its own.
func inheriting(t *testing.T, names string, files ...*os.File) *inheritance {
	t.Helper()
	const first = 200
	for i, file := range files {
		if fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD, first+i); err != nil || fd != first+i {
			t.Fatalf("copying a descriptor to %d: %d, %v", first+i, fd, err)
		}
	}
	t.Setenv("LISTEN_FDS", strconv.Itoa(len(files)))
	t.Setenv("LISTEN_FDNAMES", names)
	given, err := systemd.TakeListenNames()
	in := newInheritance(given, err, first)
	t.Cleanup(func() {
		for _, socket := range in.sockets {
			socket.file.Close()
		}
		for i := range files {
			unix.Close(first + i) // those that were left alone
		}
	})
	for i := range files {
		if flags, err := unix.FcntlInt(uintptr(first+i), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("inherited descriptor %d has the flags %#x, %v; want that no child gets it", i, flags, err)
		}
	}
	return in
}

func TestInheritanceFindsTheSocketOfAName(t *testing.T) {
	dir := openDir(t)
	one, two := socketFile(t, filepath.Join(dir, "counter.sock")), socketFile(t, filepath.Join(dir, "two.sock"))
	notSocket, err := os.Open(dir)
	must(t, "opening a folder", err)
	defer notSocket.Close()
	for _, test := range []struct {
		names string
		files []*os.File
		want  *os.File // for counter
		err   string
	}{
		{"counter:two", []*os.File{one, two}, one, ""},
		{"two:counter", []*os.File{one, two}, two, ""},
		{"counter.socket", []*os.File{two}, two, ""},
		{"", []*os.File{two, one}, one, ""},
		{"", []*os.File{two}, nil, ""},
		{"http://:counter", []*os.File{one}, nil, "has 3 names"},
		{"what.is.it:counter", []*os.File{one, two}, two, ""},
		{"counter:counter.socket", []*os.File{one, two}, nil, "two sockets are called counter"},
		{"counter", []*os.File{notSocket}, nil, "no socket that listens"},
	} {
		t.Run(test.names, func(t *testing.T) {
			in := inheriting(t, test.names, test.files...)
			listener, err := in.listen(New(Options{}), counter)
			switch {
			case test.err != "":
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("listening with LISTEN_FDNAMES=%s: %v, want %s", test.names, err, test.err)
				}
			case test.want == nil:
				if listener != nil || err != nil {
					t.Errorf("listening with LISTEN_FDNAMES=%s: %v, %v; want nothing", test.names, listener, err)
				}
			case err != nil:
				t.Errorf("listening with LISTEN_FDNAMES=%s: %v", test.names, err)
			default:
				if got, want := listener.Addr().String(), socketPath(int(test.want.Fd())); got != want {
					t.Errorf("with LISTEN_FDNAMES=%s it listens on %s, want %s", test.names, got, want)
				}
				listener.Close()
			}
		})
	}
}

func TestInheritanceOfNothing(t *testing.T) {
	if l, err := newInheritance(nil, nil, 200).listen(New(Options{}), counter); l != nil || err != nil {
		t.Errorf("listening with nothing inherited: got %v, %v; want nothing", l, err)
	}
	wrong := errors.New("the environment is wrong")
	if _, err := newInheritance(nil, wrong, 200).listen(New(Options{}), counter); !errors.Is(err, ErrInvalid) || !errors.Is(err, wrong) {
		t.Errorf("listening with a wrong environment: got %v, want ErrInvalid and %v", err, wrong)
	}
}

func TestInheritedSocketHasOneListenerAtATime(t *testing.T) {
	path := filepath.Join(openDir(t), "counter.sock")
	in := inheriting(t, "counter", socketFile(t, path))
	for range 3 {
		listener, err := in.listen(New(Options{}), counter)
		must(t, "listening on an inherited socket", err)
		if _, err := in.listen(New(Options{}), counter); !errors.Is(err, ErrInUse) {
			t.Errorf("listening on it a second time: %v, want ErrInUse", err)
		}
		connectedTo(t, listener)
		must(t, "closing the listener twice", errors.Join(listener.Close(), listener.Close()))
	}
}
