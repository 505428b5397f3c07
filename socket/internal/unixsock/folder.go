package unixsock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// makeFolder makes the folder with its parents, for those who may connect, and checks
// it: before, too, so that nothing is made at the other end of somebody's link.
func (p *Place) makeFolder() error {
	err := p.checkWay(p.dir, false)
	if p.shared {
		_, err = os.Stat(p.dir)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		return p.isFolder()
	}
	if user := os.Geteuid(); p.made && user != p.user {
		return fmt.Errorf("%w: %s is the folder of user %d, it is not made by user %d; listen before the user is changed, or set Dir",
			fs.ErrPermission, p.dir, p.user, user)
	}
	if err := p.mkdirAll(p.dir); err != nil {
		return err
	}
	if !p.shared {
		if err := p.checkWay(p.dir, false); err != nil {
			return err
		}
	}
	return p.isFolder()
}

// mkdirAll makes dir and its parents with the mode and group of the place, whatever the
// umask is. What is there already stays as it is.
func (p *Place) mkdirAll(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if parent := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := p.mkdirAll(parent); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return p.secure(dir, fs.ModeDir, p.folderMode())
}

// checkFolder makes sure that nobody but this user and root decides what stands in the
// folder, or, when the sockets have a group, a member of it to whom the folder belongs.
// A shared folder is taken as it is.
func (p *Place) checkFolder() error {
	if !p.shared {
		if err := p.checkWay(p.dir, true); err != nil {
			return err
		}
	} else if _, err := os.Lstat(p.dir); err != nil {
		return nil // connecting says it better
	}
	return p.isFolder()
}

// isFolder refuses what is no folder.
func (p *Place) isFolder() error {
	look := os.Lstat
	if p.shared {
		look = os.Stat // a link may lead to it
	}
	info, err := look(p.dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%w: %s is not a folder (%v)", errNoFolder, p.dir, info.Mode().Type())
	}
	return err
}

// folderMode is the mode of a folder that is made for the sockets: users who may connect may
// enter it and list it.
func (p *Place) folderMode() fs.FileMode {
	mode := fs.FileMode(0o700)
	if p.mode&0o020 != 0 {
		mode |= 0o050
	}
	if p.mode&0o002 != 0 {
		mode |= 0o005
	}
	return mode
}
