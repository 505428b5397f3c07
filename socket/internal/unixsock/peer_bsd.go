//go:build darwin || freebsd

package unixsock

import (
	"errors"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

const (
	solLocal     = 0 // SOL_LOCAL: the level of options of unix sockets
	localPeerPID = 2 // LOCAL_PEERPID of macOS; FreeBSD tells the user alone
)

// peerOf reads the credentials that the kernel kept when the two connected. The first of the
// groups is the effective one.
func peerOf(fd int) (Peer, error) {
	credentials, err := unix.GetsockoptXucred(fd, solLocal, unix.LOCAL_PEERCRED)
	if err != nil {
		return Peer{}, os.NewSyscallError("getsockopt LOCAL_PEERCRED", err)
	}
	peer := Peer{UID: int(credentials.Uid), GID: -1}
	for i, group := range credentials.Groups[:min(max(int(credentials.Ngroups), 0), len(credentials.Groups))] {
		if i == 0 {
			peer.GID = int(group)
		} else {
			peer.Groups = append(peer.Groups, int(group))
		}
	}
	if runtime.GOOS == "darwin" {
		peer.PID, err = unix.GetsockoptInt(fd, solLocal, localPeerPID)
	}
	return peer, os.NewSyscallError("getsockopt LOCAL_PEERPID", err)
}

func pidfd(int) (*os.File, error) { return nil, errors.ErrUnsupported }
