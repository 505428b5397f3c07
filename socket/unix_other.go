//go:build !linux

package socket

import (
	"os"
	"runtime"
	"syscall"
)

// maxSocketPath is the size of sun_path less its closing zero.
func maxSocketPath() int {
	switch runtime.GOOS {
	case "darwin", "ios", "dragonfly", "freebsd", "netbsd", "openbsd":
		return 103
	}
	return 107
}

// restrictDescriptor does nothing: these systems ignore the permissions of a
// socket that is not bound yet.
func restrictDescriptor(string, string, syscall.RawConn) error { return nil }

// restrictPath sets the permissions of a socket after it was bound. In between its
// folder keeps others out.
func restrictPath(path string) error { return os.Chmod(path, 0o600) }
