package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal makes a terminal. What a program writes to it is read from screen.
func terminal(t *testing.T) (screen, tty *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatalf("make a terminal: %v", err)
	}
	t.Cleanup(func() { screen.Close() })
	fd := int(screen.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatalf("unlock the terminal: %v", err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatalf("ask for the number of the terminal: %v", err)
	}
	tty, err = os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatalf("open the terminal: %v", err)
	}
	t.Cleanup(func() { tty.Close() })
	return screen, tty
}

func TestSendShowsProgressOnATerminal(t *testing.T) {
	s := newShell(t)
	s.serve("echo")
	screen, tty := terminal(t)
	cmd := s.command("send", "echo", "a", "b", "c")
	cmd.Stderr = tty
	if err := cmd.Run(); err != nil {
		t.Fatalf("rxipc send: %v", err)
	}
	text := make([]byte, 1000)
	if n, err := screen.Read(text); err != nil || !strings.HasSuffix(string(text[:n]), "\r3 acknowledged\r\n") {
		t.Errorf("rxipc send to a server with a terminal: got %q, %v on it, want how many were acknowledged", text[:n], err)
	}
	if _, errs, _ := s.run("", "send", "echo", "a"); errs != "" {
		t.Errorf("rxipc send without a terminal: got %q, want no progress", errs)
	}
}
