//go:build unix

package child

import (
	"errors"
	"net"
	"os"
	"syscall"
)

// socketpair returns a connection, and the file of its other end. No child process gets either
// by itself.
func socketpair() (ours net.Conn, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	file, theirs := os.NewFile(uintptr(fds[0]), "parent"), os.NewFile(uintptr(fds[1]), "child")
	ours, err = net.FileConn(file)
	if err = errors.Join(err, file.Close()); err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return ours, theirs, nil
}
