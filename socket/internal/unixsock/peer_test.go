//go:build darwin || freebsd || linux

package unixsock

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// connected returns the two ends of a connection over a unix socket.
func connected(t *testing.T) (client, server net.Conn) {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(shortDir(t), "s"))
	if err != nil {
		t.Fatalf("listening: %v", err)
	}
	defer listener.Close()
	return connectedTo(t, listener)
}

func TestPeerOfIsTheSameForBothEndsInOneProcess(t *testing.T) {
	client, server := connected(t)
	for end, conn := range map[string]net.Conn{"client": client, "server": server} {
		peer, err := PeerOf(conn)
		if err != nil || peer.UID != os.Geteuid() || peer.GID != os.Getegid() || peer.PID != 0 && peer.PID != os.Getpid() {
			t.Errorf("the peer of the %s is %+v, %v; want this process, %d", end, peer, err, os.Getpid())
		}
		groups, err := os.Getgroups()
		if err != nil {
			t.Fatalf("asking for the groups of this process: %v", err)
		}
		for _, group := range groups {
			if group != peer.GID && !slices.Contains(peer.Groups, group) {
				t.Errorf("the peer of the %s is of the groups %v, want %d among them", end, peer.Groups, group)
			}
		}
	}
}

func TestPeerOfOtherConnectionsIsUnsupported(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	network, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listening on a TCP port: %v", err)
	}
	defer network.Close()
	remote, _ := connectedTo(t, network)
	for _, conn := range []net.Conn{ours, remote} {
		if peer, err := PeerOf(conn); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("PeerOf a %T: %v, %v; want ErrUnsupported", conn, peer, err)
		}
		if _, err := Pidfd(conn); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Pidfd of a %T: %v, want ErrUnsupported", conn, err)
		}
	}
}

func TestPeerOfAClosedConnectionIsAnError(t *testing.T) {
	client, _ := connected(t)
	client.Close()
	if _, err := PeerOf(client); !errors.Is(err, net.ErrClosed) {
		t.Errorf("PeerOf a closed connection: %v, want %v", err, net.ErrClosed)
	}
}

func TestPidfdNamesTheProcess(t *testing.T) {
	client, _ := connected(t)
	opened, err := Pidfd(client)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skipf("this system has no descriptors of peers: %v", err)
	}
	if err != nil {
		t.Fatalf("open a descriptor of the peer: %v", err)
	}
	defer opened.Close()
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", opened.Fd()))
	if want := fmt.Sprintf("\nPid:\t%d\n", os.Getpid()); err != nil || !strings.Contains(string(info), want) {
		t.Errorf("the descriptor is of %q, %v; want %q", info, err, want)
	}
}
