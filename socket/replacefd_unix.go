//go:build unix && !linux

package socket

import "golang.org/x/sys/unix"

// replaceFD makes a descriptor another name of what fd stands for.
func replaceFD(fd, by int) error { return unix.Dup2(fd, by) }
