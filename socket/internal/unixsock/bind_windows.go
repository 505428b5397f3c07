package unixsock

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// isRefused reports whether connecting failed because nobody listens, or because the queue of
// the listener is full: Windows refuses the connection then.
func isRefused(err error) bool { return errors.Is(err, windows.WSAECONNREFUSED) }

func isBusy(error) bool { return false }

// maxSocketPath is the size of sun_path less its closing zero.
func maxSocketPath() int { return 107 }

// listenAt makes a socket at path and listens. Its folder says who may connect.
func (p *Place) listenAt(path string) (*net.UnixListener, fs.FileInfo, error) {
	plain, err := new(net.ListenConfig).Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, nil, err
	}
	listener := plain.(*net.UnixListener)
	info, err := os.Lstat(path)
	if err != nil {
		return nil, nil, errors.Join(err, listener.Close())
	}
	listener.SetUnlinkOnClose(false) // which would remove the file of any server at the path
	return listener, info, nil
}

// checkWay checks only that dir exists. On Windows a folder inherits the list of the users who may
// write to it.
func (p *Place) checkWay(dir string, _ bool) error {
	_, err := os.Lstat(dir)
	return err
}

// errNoFolder is the system's error for a file in the place of a folder.
const errNoFolder = syscall.ENOTDIR

// isAnothers: files are not owned by number here.
func isAnothers(string) bool { return false }

// secure has nothing to do: mode and group are refused on this system.
func (p *Place) secure(string, fs.FileMode, fs.FileMode) error { return nil }

// shareLock has nothing to do, likewise.
func (p *Place) shareLock(*os.File) error { return nil }

// inheritSocket finds nothing: processes are not started with sockets here.
func (p *Place) inheritSocket(string) (*Listener, error) { return nil, nil }

// copyOf, fileIdentity and listenWith are never called: see Registry.HandOver.
func copyOf(*net.UnixListener) (*os.File, error) { return nil, errors.ErrUnsupported }
func fileIdentity(fs.FileInfo) string            { return "" }
func listenWith(*os.File, int) error             { return errors.ErrUnsupported }
