package socket

import (
	"os"

	"golang.org/x/sys/unix"
)

func peerProcess(fd int) (int, error) {
	pid, err := unix.GetsockoptInt(fd, solLocal, unix.LOCAL_PEERPID)
	return pid, os.NewSyscallError("getsockopt LOCAL_PEERPID", err)
}
