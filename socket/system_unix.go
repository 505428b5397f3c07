//go:build unix

package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// isRefused tells whether an error of connecting means that nobody listens.
func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// isBusy tells whether an error of connecting means that the queue of the listener
// is full. Linux says so; the BSDs and macOS refuse the connection, so there a
// foreign server this busy is taken for one that died.
func isBusy(err error) bool { return errors.Is(err, syscall.EAGAIN) }

// checkPrivate checks that a folder belongs to this user and to nobody else.
func checkPrivate(dir string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("the owner of %s is not known", dir)
	}
	if uid := os.Getuid(); int(stat.Uid) != uid {
		return fmt.Errorf("%w: %s belongs to user %d, not to user %d", fs.ErrPermission, dir, stat.Uid, uid)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%w: %s has mode %#o, others have access; it must be 0700", fs.ErrPermission, dir, mode)
	}
	return nil
}

// isReset tells whether the other side went away while bytes were on their way.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
