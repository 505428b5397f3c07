package system

import (
	"bytes"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// changes are the events that the system reports: a file came or went, or was written to.
const changes = unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_DELETE |
	unix.IN_MODIFY | unix.IN_CLOSE_WRITE | unix.IN_ATTRIB | unix.IN_ONLYDIR

// notifier reports that something has changed in a folder. A nil notifier reports nothing.
type notifier struct {
	file   *os.File
	wake   chan struct{} // one token
	joined chan struct{}
}

// notify returns a notifier for a file of a folder, or for all its files if name is empty.
// It returns nil if the system has none to give.
func notify(folder, name string) *notifier {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil
	}
	if _, err := unix.InotifyAddWatch(fd, folder, changes); err != nil {
		unix.Close(fd)
		return nil
	}
	n := &notifier{os.NewFile(uintptr(fd), "inotify"), make(chan struct{}, 1), make(chan struct{})}
	go n.listen(name)
	return n
}

func (n *notifier) listen(name string) {
	defer close(n.joined)
	buffer := make([]byte, 4096)
	for {
		length, err := n.file.Read(buffer)
		if err != nil {
			return
		}
		if !concerns(buffer[:length], name) {
			continue
		}
		select {
		case n.wake <- struct{}{}:
		default:
		}
	}
}

// concerns reports whether one of the events is about name, or about the folder, or about
// events that were lost: those have no name.
func concerns(events []byte, name string) bool {
	for len(events) >= unix.SizeofInotifyEvent {
		event := (*unix.InotifyEvent)(unsafe.Pointer(&events[0]))
		end := unix.SizeofInotifyEvent + int(event.Len)
		about, _, _ := bytes.Cut(events[unix.SizeofInotifyEvent:end], []byte{0})
		if name == "" || len(about) == 0 || string(about) == name {
			return true
		}
		events = events[end:]
	}
	return false
}

func (n *notifier) changed() <-chan struct{} {
	if n == nil {
		return nil
	}
	return n.wake
}

func (n *notifier) stop() {
	if n != nil {
		n.file.Close()
		<-n.joined
	}
}
