package unixsock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// peerOf reads the credentials that the kernel kept when the two connected.
func peerOf(fd int) (Peer, error) {
	credentials, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return Peer{}, os.NewSyscallError("getsockopt SO_PEERCRED", err)
	}
	groups, err := peerGroups(fd)
	if err != nil {
		return Peer{}, os.NewSyscallError("getsockopt SO_PEERGROUPS", err)
	}
	return Peer{PID: int(credentials.Pid), UID: int(credentials.Uid), GID: int(credentials.Gid), Groups: groups}, nil
}

// peerGroups reads all groups. The kernel tells the size if raw is too small.
func peerGroups(fd int) ([]int, error) {
	raw := make([]byte, 64)
	for {
		size := uint32(len(raw))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&raw[0])), uintptr(unsafe.Pointer(&size)), 0)
		switch {
		case errno == unix.ERANGE && int(size) > len(raw):
			raw = make([]byte, size)
			continue
		case errno == unix.ENOPROTOOPT: // before Linux 4.13
			return nil, nil
		case errno != 0:
			return nil, errno
		}
		var groups []int
		for raw = raw[:size]; len(raw) > 0; raw = raw[4:] {
			groups = append(groups, int(binary.NativeEndian.Uint32(raw)))
		}
		return groups, nil
	}
}

func pidfd(fd int) (*os.File, error) {
	opened, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PEERPIDFD)
	if errors.Is(err, unix.ENOPROTOOPT) {
		return nil, fmt.Errorf("%w before Linux 6.5", errors.ErrUnsupported)
	}
	if err != nil {
		return nil, os.NewSyscallError("getsockopt SO_PEERPIDFD", err)
	}
	return os.NewFile(uintptr(opened), "pidfd"), nil
}
