package child_test

import (
	"bufio"
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestChildDiesWithItsParent kills a parent whose child heeds nothing.
func TestChildDiesWithItsParent(t *testing.T) {
	parent := command("parent", "")
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	if err == nil {
		err = parent.Start()
	}
	if err != nil {
		t.Fatalf("start a parent: got %v, want no error", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("read the number of the child: got %v, want no error", err)
	}
	fd, err := unix.PidfdOpen(atoi(t, line), 0)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
		t.Skipf("this system, or its sandbox, opens no descriptors of processes: %v", err)
	}
	if err != nil {
		t.Fatalf("open a descriptor of the child: %v", err)
	}
	defer unix.Close(fd)
	parent.Process.Kill()
	parent.Wait()
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for late := time.Now().Add(2 * time.Minute); ; {
		n, err := unix.Poll(poll, int(time.Until(late).Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if n != 1 || err != nil {
			t.Errorf("wait for the end of the child of a parent that was killed: got %v, %v; want that it ends", n, err)
		}
		return
	}
}
