//go:build unix

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// sameGroup gives a file the group of another one.
func sameGroup(path string, of fs.FileInfo) error {
	if stat, ok := of.Sys().(*syscall.Stat_t); ok {
		return os.Chown(path, -1, int(stat.Gid))
	}
	return nil
}
