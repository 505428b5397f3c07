package socket

import (
	"errors"
	"fmt"
	"os"
)

// lockFile is an exclusive lock on a file, held until it is released or its
// process ends. It excludes other holders in this process, too.
type lockFile struct{ file *os.File }

// acquireLock locks the file at path, which it makes for the user alone when it is
// missing, does not reach through a link, and never removes: two who lock the same
// name must always meet at the same file. It fails with ErrInUse, without waiting,
// when another holds the lock.
func acquireLock(path string) (*lockFile, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|noFollow, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockOpened(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &lockFile{file}, nil
}

func lockOpened(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("the lock %s is not a plain file (%v)", file.Name(), info.Mode().Type())
	}
	err = tryLock(file)
	if isLocked(err) {
		return fmt.Errorf("%w: another server holds %s", ErrInUse, file.Name())
	}
	if err != nil {
		return &os.PathError{Op: "lock", Path: file.Name(), Err: err}
	}
	return nil
}

// release unlocks and closes the file. Closing alone would not do: a child process
// about to start may hold a copy of the descriptor for a moment.
func (l *lockFile) release() error {
	return errors.Join(unlock(l.file), l.file.Close())
}
