package park

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// supported says that sessions can park on this system.
const supported = true

// eventsAtOnce is the largest number of events that a wait takes.
const eventsAtOnce = 64

// epoll is the poller of the system, epoll(7). The runtime's own poller watches it, so that
// wait blocks no thread.
type epoll struct {
	file       *os.File
	raw        syscall.RawConn
	descriptor int

	waitOnce func(uintptr) bool
	events   [eventsAtOnce]unix.EpollEvent
	ready    [eventsAtOnce]uint64
	count    int
	err      error
}

func newPoller() (poller, error) {
	descriptor, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(descriptor, true); err != nil { // NewFile has the runtime watch it then
		unix.Close(descriptor)
		return nil, os.NewSyscallError("fcntl", err)
	}
	p := &epoll{file: os.NewFile(uintptr(descriptor), "epoll"), descriptor: descriptor}
	p.waitOnce = p.tryWait
	if p.raw, err = p.file.SyscallConn(); err != nil {
		p.file.Close()
		return nil, err
	}
	return p, nil
}

func (p *epoll) add(id uint64, conn syscall.RawConn, again bool) error {
	op := unix.EPOLL_CTL_ADD
	if again {
		op = unix.EPOLL_CTL_MOD
	}
	event := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT,
		Fd:     int32(id),
		Pad:    int32(id >> 32),
	}
	var failure error
	err := conn.Control(func(descriptor uintptr) {
		failure = unix.EpollCtl(p.descriptor, op, int(descriptor), &event)
	})
	if err != nil {
		return err
	}
	return os.NewSyscallError("epoll_ctl", failure)
}

func (p *epoll) wait() ([]uint64, error) {
	if err := p.raw.Read(p.waitOnce); err != nil {
		return nil, err
	}
	return p.ready[:p.count], p.err
}

// tryWait takes the events that there are, and reports whether there are any.
func (p *epoll) tryWait(descriptor uintptr) bool {
	n, err := unix.EpollWait(int(descriptor), p.events[:], 0)
	for err == unix.EINTR {
		n, err = unix.EpollWait(int(descriptor), p.events[:], 0)
	}
	p.count, p.err = max(n, 0), os.NewSyscallError("epoll_wait", err)
	for i, event := range p.events[:p.count] {
		p.ready[i] = uint64(uint32(event.Fd)) | uint64(uint32(event.Pad))<<32
	}
	return n != 0
}

func (p *epoll) close() { p.file.Close() }
