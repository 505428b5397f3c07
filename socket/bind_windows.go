package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
)

// maxSocketPath is the size of sun_path less its closing zero.
func maxSocketPath() int { return 107 }

// listenAt makes a socket at path and listens. Its folder says who may connect.
func (u Unix) listenAt(path string) (*net.UnixListener, fs.FileInfo, error) {
	if u.Mode != 0 || u.Group != "" || u.Backlog != 0 {
		return nil, nil, fmt.Errorf("Unix.Mode, Group and Backlog: %w on Windows", errors.ErrUnsupported)
	}
	plain, err := new(net.ListenConfig).Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, nil, err
	}
	listener := plain.(*net.UnixListener)
	info, err := os.Lstat(path)
	if err != nil {
		return nil, nil, errors.Join(err, listener.Close())
	}
	listener.SetUnlinkOnClose(false) // by path alone it would remove anybody's
	return listener, info, nil
}

// checkWay has nothing to look at: who may write to a folder is said in its list of
// access, which it has from the one above.
func checkWay(string) error { return nil }

// inherit finds nothing: processes are not started with sockets here.
func (u Unix) inherit(Name) (*unixListener, error) { return nil, nil }

// copyOf and listenWith are never asked for: see IPC.HandOver.
func copyOf(*net.UnixListener) (*os.File, error) { return nil, errors.ErrUnsupported }
func listenWith(*os.File, int) error             { return errors.ErrUnsupported }
