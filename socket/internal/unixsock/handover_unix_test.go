//go:build unix

package unixsock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// successorKey is the variable that makes the test binary a successor. Its value is a folder.
const successorKey = "RXIPC_TEST_SUCCESSOR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holderKey); dir != "" {
		playHolder(dir)
		return
	}
	if dir := os.Getenv(successorKey); dir != "" {
		playSuccessor(dir)
		return
	}
	os.Exit(m.Run())
}

// holderKey is the variable that makes the test binary a process that listens until it is
// killed. Its value is a folder.
const holderKey = "RXIPC_TEST_HOLDER"

func playHolder(dir string) {
	listener, err := New(Options{Dir: dir}).Listen(context.Background(), counter)
	if err != nil {
		os.Exit(1)
	}
	defer listener.Close()
	os.Stdout.WriteString("listening\n")
	select {}
}

// playSuccessor listens on the socket that it was given, sends its number to its first client,
// and ends with its input.
func playSuccessor(dir string) {
	listener, err := New(Options{Dir: dir, Inherit: true}).Listen(context.Background(), counter)
	if err != nil {
		fmt.Println("listening:", err)
		return
	}
	defer listener.Close()
	conn, err := listener.Accept()
	if err != nil {
		fmt.Println("accepting:", err)
		return
	}
	fmt.Fprint(conn, os.Getpid())
	conn.Close()
	io.Copy(io.Discard, os.Stdin)
}

func TestHandOverPassesTheSocketOn(t *testing.T) {
	r, o := registered(t)
	early := mustConnect(t, o) // which nobody has accepted yet
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), successorKey+"="+o.Dir)
	in, err := cmd.StdinPipe()
	must(t, "making a pipe to the successor", err)
	must(t, "handing over", r.HandOver(within(t), cmd, slog.New(slog.DiscardHandler)))
	for s := range r.all {
		if _, err := s.listener.Accept(); !errors.Is(err, ErrHandedOver) {
			t.Errorf("accepting after the hand-over: %v, want ErrHandedOver", err)
		}
	}
	if got, err := io.ReadAll(early); string(got) != strconv.Itoa(cmd.Process.Pid) || err != nil {
		t.Errorf("a client that had connected before got %q, %v; want process %d", got, err, cmd.Process.Pid)
	}
	if _, err := New(o).Listen(t.Context(), counter); !errors.Is(err, ErrInUse) {
		t.Errorf("listening beside the successor: %v, want ErrInUse", err)
	}
	in.Close()
	must(t, "waiting for the successor", cmd.Wait())
	mustListen(t, o, counter) // the lock went with the socket
}

func TestHandOverOfOtherListenersIsUnsupported(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, "listening on a TCP port", err)
	defer other.Close()
	r := new(Registry)
	defer r.Add(counter, other)()
	cmd := exec.Command("/bin/true")
	if err := r.HandOver(within(t), cmd, slog.New(slog.DiscardHandler)); !errors.Is(err, errors.ErrUnsupported) || cmd.Process != nil {
		t.Errorf("handing over a TCP listener: %v, process %v; want ErrUnsupported and none", err, cmd.Process)
	}
}

func TestHandOverWithoutListenersFails(t *testing.T) {
	r, _ := registered(t)
	clear(r.all)
	if err := r.HandOver(within(t), exec.Command("/bin/true"), slog.New(slog.DiscardHandler)); !errors.Is(err, ErrNotListening) {
		t.Errorf("handing over without a listener: %v, want ErrNotListening", err)
	}
}
