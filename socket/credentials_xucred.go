//go:build darwin || freebsd

package socket

import (
	"os"

	"golang.org/x/sys/unix"
)

const solLocal = 0 // SOL_LOCAL: the level of options of unix sockets

// peerOfSocket reads the credentials that the kernel kept when the two connected;
// the first of the groups is the effective one.
func peerOfSocket(fd int) (Peer, error) {
	who, err := unix.GetsockoptXucred(fd, solLocal, unix.LOCAL_PEERCRED)
	if err != nil {
		return Peer{}, os.NewSyscallError("getsockopt LOCAL_PEERCRED", err)
	}
	pid, err := peerProcess(fd)
	if err != nil {
		return Peer{}, err
	}
	peer := Peer{PID: pid, UID: int(who.Uid), GID: -1}
	for i, group := range who.Groups[:min(max(int(who.Ngroups), 0), len(who.Groups))] {
		if i == 0 {
			peer.GID = int(group)
		} else {
			peer.Groups = append(peer.Groups, int(group))
		}
	}
	return peer, nil
}
