package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// makeFolder makes dir with its parents, for the user alone, and checks it: before,
// too, so that nothing is made at the other end of somebody's link.
func (u Unix) makeFolder(dir string) error {
	if err := u.checkFolder(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return u.checkFolder(dir)
}

// checkFolder makes sure that nobody but this user and root decides what stands in
// dir, unless that is shared.
func (u Unix) checkFolder(dir string) error {
	if u.Shared {
		return nil
	}
	if err := checkWay(dir); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a folder (%v)", dir, info.Mode().Type())
	}
	return err
}
