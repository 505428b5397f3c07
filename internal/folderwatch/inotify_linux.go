package folderwatch

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	// arrivals are events of files that come, and of what may make one reachable; and of the end
	// of the folder itself.
	arrivals = unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_ATTRIB |
		unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR

	// writes are events of files that are written to, or go.
	writes = unix.IN_MODIFY | unix.IN_CLOSE_WRITE | unix.IN_MOVED_FROM | unix.IN_DELETE
)

// start watches with one inotify descriptor for all waiters. Where there is none left, or
// the folder may not be read, it looks.
func (w *Watch) start() (end func()) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return w.lookAround()
	}
	n := &inotify{watch: w, file: os.NewFile(uintptr(fd), "inotify")}
	if err := n.arm(); err != nil {
		n.file.Close()
		return w.lookAround()
	}
	var reading sync.WaitGroup
	var looking func()
	reading.Go(func() {
		if n.read() != nil {
			n.file.Close()
			looking = w.lookAround()
		}
	})
	return func() {
		// Takes about ten milliseconds if anything was watched: before the system removes the
		// watches it waits until no processor uses them.
		n.file.Close()
		reading.Wait()
		if looking != nil {
			looking()
		}
	}
}

// inotify watches the folder, or while that is not there the nearest one above it that is.
type inotify struct {
	watch   *Watch
	file    *os.File
	watched int    // what the system calls the folder that is watched
	next    string // the name in it that leads to the folder; empty: it is the folder
}

// arm begins to watch, as near as possible.
func (n *inotify) arm() error {
	for {
		dir, next := n.watch.Dir, ""
		watched, err := n.add(dir)
		for ; errors.Is(err, fs.ErrNotExist); watched, err = n.add(dir) {
			if dir == filepath.Dir(dir) {
				return err
			}
			dir, next = filepath.Dir(dir), filepath.Base(dir)
		}
		if err != nil {
			return err
		}
		n.watched, n.next = watched, next
		if next == "" {
			return nil
		}
		if _, err := os.Stat(filepath.Join(dir, next)); errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// add has the system watch a folder, in place of the one before.
func (n *inotify) add(dir string) (watched int, err error) {
	raw, err := n.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	events := uint32(arrivals)
	if n.watch.Writes && dir == n.watch.Dir {
		events |= writes
	}
	failed := raw.Control(func(fd uintptr) {
		if n.watched > 0 {
			_, _ = unix.InotifyRmWatch(int(fd), uint32(n.watched)) // it may have ended by itself
			n.watched = 0
		}
		watched, err = unix.InotifyAddWatch(int(fd), dir, events)
	})
	return watched, errors.Join(err, failed)
}

// read gives news of what happens, until the descriptor is closed; then it returns nil.
func (n *inotify) read() error {
	buffer := make([]byte, 64*(unix.SizeofInotifyEvent+unix.NAME_MAX+1))
	for {
		size, err := n.file.Read(buffer)
		if errors.Is(err, os.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		moved := false
		for rest := buffer[:size]; len(rest) >= unix.SizeofInotifyEvent; {
			watched, mask := int(int32(binary.NativeEndian.Uint32(rest))), binary.NativeEndian.Uint32(rest[4:])
			end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(rest[12:]))
			name := strings.TrimRight(string(rest[unix.SizeofInotifyEvent:end]), "\x00")
			rest = rest[end:]
			switch {
			case mask&unix.IN_Q_OVERFLOW != 0:
				moved = true
			case watched != n.watched:
			case mask&(unix.IN_DELETE_SELF|unix.IN_MOVE_SELF|unix.IN_IGNORED) != 0:
				moved = true
			case n.next == "":
				n.watch.tell(name)
			case name == n.next:
				moved = true
			}
		}
		if moved {
			if err := n.arm(); err != nil {
				return err
			}
			n.watch.tell("")
		}
	}
}
