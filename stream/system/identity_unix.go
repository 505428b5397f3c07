//go:build unix

package system

import (
	"io/fs"
	"syscall"
)

// identity are the numbers of a file's device and of the file there.
func identity(info fs.FileInfo) (device, file uint64) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Dev), uint64(stat.Ino)
	}
	return 0, 0
}
