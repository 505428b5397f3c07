package socket

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPidfdIsOfTheProcessAtTheOtherEnd(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	server := start(t, "server", dir)
	server.expect("listening")
	p, err := New(Config{Dir: dir}).ConnectTo(ctx, counter).Get()
	if err != nil {
		t.Fatalf("connect to the server: %v", err)
	}
	pidfd, err := Pidfd(p.Conn())
	if errors.Is(err, errors.ErrUnsupported) {
		t.Log("the kernel has no SO_PEERPIDFD, and it was said so: ", err)
		return
	}
	if err != nil {
		t.Fatalf("get the pidfd of the server: %v", err)
	}
	defer pidfd.Close()
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", pidfd.Fd()))
	if want := fmt.Sprintf("\nPid:\t%d\n", server.cmd.Process.Pid); err != nil || !strings.Contains(string(info), want) {
		t.Errorf("read the information of the pidfd: got %s, %v, want %q in it", info, err, want)
	}
	server.kill()
	ready, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd.Fd()), Events: unix.POLLIN}}, 10_000)
	if ready != 1 || err != nil {
		t.Errorf("poll the pidfd of a process that ended: got %d, %v, want one that is readable", ready, err)
	}
}
