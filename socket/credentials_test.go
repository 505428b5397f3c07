//go:build darwin || freebsd || linux

package socket

import (
	"errors"
	"net"
	"os"
	"slices"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

func TestBothSidesKnowEachOther(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	server := start(t, "server", dir)
	server.expect("listening")
	p, err := New(Config{Dir: dir}).ConnectTo(ctx, counter).Get()
	if err != nil {
		t.Fatal(err)
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
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	check(knownPeer(conn), os.Getpid())
	peer, _ := knownPeer(conn).Get()
	groups, err := os.Getgroups()
	for _, group := range groups {
		if err != nil || group != peer.GID && !slices.Contains(peer.Groups, group) {
			t.Error(peer.Groups, groups, err)
		}
	}
}

func TestConnectionsWithoutUsersHaveNoPeer(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	network, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer network.Close()
	remote, err := net.Dial("tcp", network.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer remote.Close()
	for _, conn := range []net.Conn{ours, remote} {
		if _, err := peerOf(conn); !errors.Is(err, errors.ErrUnsupported) || knownPeer(conn).IsJust() {
			t.Error(err)
		}
		if _, err := Pidfd(conn); !errors.Is(err, errors.ErrUnsupported) {
			t.Error(err)
		}
	}
}

func TestAClosedConnectionHasNoPeer(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	mustListen(t, u, counter)
	conn, err := u.Dial(t.Context(), counter)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if _, err := authorize(Anyone, conn); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
