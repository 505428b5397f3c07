package socket

import "golang.org/x/sys/unix"

// replaceFD makes a descriptor another name of what fd stands for. Not all Linuxes have
// dup2.
func replaceFD(fd, by int) error { return unix.Dup3(fd, by, 0) }
