package unixsock

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// noFollow is nothing here: making a link takes a privilege on Windows.
const noFollow = 0

// lockedByte is the byte at 1<<62, far behind the end of the file. No other process can read a
// locked byte, and other processes read the text of the lock, which names its holder.
func lockedByte() *windows.Overlapped { return &windows.Overlapped{OffsetHigh: 1 << 30} }

func tryLock(file *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	return windows.LockFileEx(windows.Handle(file.Fd()), flags, 0, 1, 0, lockedByte())
}

func unlock(file *os.File) error {
	return windows.UnlockFileEx(windows.Handle(file.Fd()), 0, 1, 0, lockedByte())
}

func isLocked(err error) bool { return errors.Is(err, windows.ERROR_LOCK_VIOLATION) }
