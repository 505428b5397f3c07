//go:build darwin || freebsd || linux

package socket

import (
	"errors"
	"net"
	"os"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

func TestPeerIsKnownToBothSides(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	server := start(t, "server", dir)
	server.expect("listening")
	p, err := New(Config{Dir: dir}).ConnectTo(ctx, counter).Get()
	if err != nil {
		t.Fatalf("connect to the server: %v", err)
	}
	check := func(who fold.Maybe[Peer], pid int) {
		t.Helper()
		peer, ok := who.Get()
		if !ok || peer.UID != os.Geteuid() || peer.GID != os.Getegid() || peer.PID != 0 && peer.PID != pid {
			t.Errorf("%+v, want process %d", who, pid)
		}
	}
	check(p.Peer(), server.cmd.Process.Pid)
	server.kill()
	check(p.Peer(), server.cmd.Process.Pid) // it stays known

	listener := mustListen(t, Unix{Dir: dir}, MustParseName("other"))
	client, err := Unix{Dir: dir}.Dial(ctx, MustParseName("other"))
	if err != nil {
		t.Fatalf("dial the listener: %v", err)
	}
	defer client.Close()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatalf("accept the client: %v", err)
	}
	defer conn.Close()
	check(knownPeer(conn), os.Getpid())
}

func TestConnectionsWithoutUsersHaveNoPeer(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	if peer := knownPeer(ours); peer.IsJust() {
		t.Errorf("the peer of a connection in memory is %v, want none", peer)
	}
	_, err := Pidfd(ours)
	var structured *Error
	if !errors.Is(err, errors.ErrUnsupported) || !errors.As(err, &structured) || structured.Op != "pidfd" {
		t.Errorf("Pidfd of a connection in memory: %v, want ErrUnsupported of pidfd", err)
	}
}

func TestPeerOfAClosedConnectionIsMissing(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	mustListen(t, u, counter)
	conn, err := u.Dial(t.Context(), counter)
	if err != nil {
		t.Fatalf("dial the listener: %v", err)
	}
	conn.Close()
	if _, err := authorize(Anyone, conn); !errors.Is(err, net.ErrClosed) {
		t.Errorf("authorize a closed connection: got %v, want net.ErrClosed", err)
	}
}
