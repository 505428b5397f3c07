package unixsock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// makeFolder makes the folder with its parents, for the users who may connect. It checks the
// folder before and after, so that nothing is made at the other end of another user's link.
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
// umask is. Folders that exist stay as they are.
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

// checkFolder fails unless only this user and root decide what is in the folder. If the sockets
// have a group, the owner of a folder of that group may do so, too. A shared folder is taken as
// it is.
func (p *Place) checkFolder() error {
	if !p.shared {
		if err := p.checkWay(p.dir, true); err != nil {
			return err
		}
	} else if _, err := os.Lstat(p.dir); err != nil {
		return nil // the error of connecting says more
	}
	return p.isFolder()
}

// isFolder fails if something else than a folder is at its path.
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
