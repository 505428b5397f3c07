//go:build unix

package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/systemd"
)

func init() {
	roles["heir"] = func(dir string) {
		if l, err := (Unix{Dir: dir, Inherit: true, Mode: 0o400}).Listen(context.Background(), counter); !errors.Is(err, ErrInvalid) {
			fmt.Printf("listening with a Unix that is invalid: %v, %v; want ErrInvalid\n", l, err)
		}
		playServer(New(Config{Transport: Unix{Dir: dir, Inherit: true}, ServerConfig: ServerConfig{
			Listening: func(Name) {
				if os.Getenv("LISTEN_FDS")+os.Getenv("LISTEN_PID")+os.Getenv("LISTEN_FDNAMES") != "" {
					fmt.Println("children would inherit, too")
				}
				fmt.Println("listening")
			},
		}}))
	}
}

// startWithSockets starts this binary as a manager of services does.
func startWithSockets(t *testing.T, role, dir, names string, sockets ...*os.File) *started {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0"`, os.Args[0])
	cmd.Env = append(os.Environ(), "LISTEN_FDS="+strconv.Itoa(len(sockets)), "LISTEN_FDNAMES="+names)
	cmd.ExtraFiles = sockets
	return startCommand(t, cmd, role, dir)
}

// socketFile is a socket that somebody else listens on at path.
func socketFile(t *testing.T, path string) *os.File {
	t.Helper()
	file, err := listenForeign(t, path).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func TestAServerListensOnTheSocketOfItsManager(t *testing.T) {
	dir, ctx := openDir(t), within(t)
	path := filepath.Join(dir, "counter.sock")
	file := socketFile(t, path)
	ipc := New(Config{Dir: dir})
	request := func() fold.Attempt[Message] {
		return fold.Then(ipc.ConnectTo(ctx, counter), Closing(ctx, func(p *Process) fold.Attempt[Message] {
			return fold.Then(p.Send(ctx, Text("hello")), Wait(ctx))
		}))
	}
	elsewhere := "/no/such/folder/" + strings.Repeat("long", maxSocketPath())
	for range 2 {
		answer := make(chan fold.Attempt[Message])
		go func() { answer <- request() }() // before there is a server
		server := startWithSockets(t, "heir", elsewhere, "counter.socket", file)
		server.expect("listening")
		if m, err := (<-answer).Get(); m != Text("echo: hello") {
			t.Error(m, err)
		}
		server.cmd.Process.Signal(os.Interrupt)
		server.expect("carried 1 true")
		server.cmd.Wait()
		if _, err := os.Lstat(path); err != nil {
			t.Fatal("it removed the socket of its manager: ", err)
		}
	}
}

// inheriting makes an inheritance of sockets at descriptors of its own.
func inheriting(t *testing.T, names string, files ...*os.File) *inheritance {
	t.Helper()
	const first = 200
	for i, file := range files {
		if fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD, first+i); err != nil || fd != first+i {
			t.Fatal(fd, err)
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
			t.Error("a child would get it", i, flags, err)
		}
	}
	return in
}

func TestWhichSocketIsInheritedForAName(t *testing.T) {
	dir := openDir(t)
	one, two := socketFile(t, filepath.Join(dir, "counter.sock")), socketFile(t, filepath.Join(dir, "two.sock"))
	notSocket, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
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
			listener, err := in.listen(Unix{}.place(), counter)
			switch {
			case test.err != "":
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("%v", err)
				}
			case test.want == nil:
				if listener != nil || err != nil {
					t.Errorf("%v, %v", listener, err)
				}
			case err != nil:
				t.Errorf("%v", err)
			default:
				if got, want := listener.Addr().String(), socketPath(int(test.want.Fd())); got != want {
					t.Errorf("%s, want %s", got, want)
				}
				listener.Close()
			}
		})
	}
}

func TestInheritanceOfNothing(t *testing.T) {
	if l, err := newInheritance(nil, nil, 200).listen(Unix{}.place(), counter); l != nil || err != nil {
		t.Errorf("listening with nothing inherited: got %v, %v; want nothing", l, err)
	}
	wrong := errors.New("the environment is wrong")
	if _, err := newInheritance(nil, wrong, 200).listen(Unix{}.place(), counter); !errors.Is(err, ErrInvalid) || !errors.Is(err, wrong) {
		t.Errorf("listening with a wrong environment: got %v, want ErrInvalid and %v", err, wrong)
	}
}

func TestAnInheritedSocketIsListenedOnAgainAndAgainButOnceAtATime(t *testing.T) {
	path := filepath.Join(openDir(t), "counter.sock")
	in := inheriting(t, "counter", socketFile(t, path))
	for range 3 {
		listener, err := in.listen(Unix{}.place(), counter)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.listen(Unix{}.place(), counter); !errors.Is(err, ErrInUse) {
			t.Error(err)
		}
		client, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(conn.Close(), client.Close(), listener.Close(), listener.Close()); err != nil {
			t.Error(err)
		}
	}
}
