//go:build unix

package socket

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rxipc/rxipc/fold"
)

func init() {
	roles["inetd"] = func(string) {
		conn, err := net.FileConn(os.Stdin)
		os.Stdin.Close()
		if err == nil {
			total, served := ServeConnections(New(Config{}).Accept(One(conn)), fold.Sum[int]()).With(context.Background(), echo).Get()
			fmt.Println("carried", total, served)
			return
		}
		fmt.Println(err)
	}
}

// socketpair is two ends of a connection.
func socketpair(t *testing.T) (a, b *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatalf("make a socketpair: %v", err)
	}
	unix.CloseOnExec(fds[0])
	unix.CloseOnExec(fds[1])
	return os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
}

// connOf is the connection of a file, which it closes.
func connOf(t *testing.T, file *os.File) net.Conn {
	t.Helper()
	conn, err := net.FileConn(file)
	if err = errors.Join(err, file.Close()); err != nil {
		t.Fatalf("connection of %s: %v", file.Name(), err)
	}
	return conn
}

func TestOneServesItsConnectionAndEndsWithIt(t *testing.T) {
	for name, leave := range map[string]func(p *Process) error{
		"closes": func(p *Process) error { return p.Close(t.Context()).Err() },
		"dies":   func(p *Process) error { p.shut(net.ErrClosed); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := socketpair(t)
			listener := One(connOf(t, theirs))
			ended := make(chan fold.Attempt[int], 1)
			go func() {
				ended <- ServeConnections(New(Config{}).Accept(listener), fold.Sum[int]()).With(within(t), echo)
			}()
			p, err := New(Config{}).Attach(within(t), connOf(t, ours)).Get()
			if err != nil {
				t.Fatalf("Attach to the other end: %v", err)
			}
			if m, err := p.Request(within(t), Text("hello")).Get(); err != nil || m != Text("echo: hello") {
				t.Errorf("Request = %v, %v; want the echo", m, err)
			}
			succeeds(t, "leave", leave(p))
			if total, err := (<-ended).Get(); total != 1 || err != nil {
				t.Errorf("the server carried %d, %v; want 1 and no error", total, err)
			}
			if _, err := listener.Accept(); err != io.EOF {
				t.Errorf("Accept after the end: %v, want EOF", err)
			}
		})
	}
}

func TestOneServesTheStandardInputOfAChild(t *testing.T) {
	ours, theirs := socketpair(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleKey+"=inetd:")
	cmd.Stdin = theirs
	out, err := cmd.StdoutPipe()
	if err = errors.Join(err, cmd.Start(), theirs.Close()); err != nil {
		t.Fatalf("start a child with a connection: %v", err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	m, err := fold.Then(New(Config{}).Attach(within(t), connOf(t, ours)), Closing(within(t), Request(within(t), Text("hello")))).Get()
	if err != nil || m != Text("echo: hello") {
		t.Errorf("request to the child = %v, %v; want the echo", m, err)
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "carried 1 <nil>\n" {
		t.Errorf("the child printed %q, want carried 1", line)
	}
}

func TestOneClosesAConnectionThatNobodyAccepted(t *testing.T) {
	ours, theirs := socketpair(t)
	listener := One(connOf(t, theirs))
	succeeds(t, "close the listener twice", errors.Join(listener.Close(), listener.Close()))
	if _, err := connOf(t, ours).Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read from the other end: %v, want EOF", err)
	}
}

// pairListener gives the connections it has, and then waits until it is closed.
type pairListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pairListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *pairListener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *pairListener) Addr() net.Addr { return &net.UnixAddr{Net: "unix"} }

func TestAcceptOfSocketpairsEndsWithTheLast(t *testing.T) {
	listener := &pairListener{conns: make(chan net.Conn, 2), closed: make(chan struct{})}
	ended := make(chan fold.Attempt[int], 1)
	go func() {
		ended <- ServeConnections(New(Config{}).Accept(listener), fold.Sum[int]()).With(within(t), echo)
	}()
	var clients []*Process
	for range 2 {
		ours, theirs := socketpair(t)
		listener.conns <- connOf(t, theirs)
		p, err := New(Config{}).Attach(within(t), connOf(t, ours)).Get()
		if err != nil {
			t.Fatalf("Attach to the other end: %v", err)
		}
		clients = append(clients, p)
	}
	for _, p := range clients {
		if err := p.Request(within(t), Text("hello")).Err(); err != nil {
			t.Errorf("Request: %v", err)
		}
	}
	for _, p := range clients {
		select {
		case <-ended:
			t.Fatal("the server ended before its last client had left, want that it waits")
		default:
		}
		p.Close(within(t))
	}
	if total, err := (<-ended).Get(); total != 2 || err != nil {
		t.Errorf("the server carried %d, %v; want 2 and no error", total, err)
	}
}
