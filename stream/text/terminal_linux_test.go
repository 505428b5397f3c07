package text_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal: the program reads from r what a person types into w.
func terminal(t *testing.T) (r, w *os.File) {
	t.Helper()
	w, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatalf("open a pseudo-terminal: got %v, want no error", err)
	}
	t.Cleanup(func() { w.Close() })
	raw, err := w.SyscallConn()
	if err != nil {
		t.Fatalf("have the descriptor of a pseudo-terminal: got %v, want no error", err)
	}
	var number int
	failed := raw.Control(func(descriptor uintptr) {
		if err = unix.IoctlSetPointerInt(int(descriptor), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(descriptor), unix.TIOCGPTN)
		}
	})
	if err != nil || failed != nil {
		t.Fatalf("unlock a pseudo-terminal: got %v, %v, want no error", err, failed)
	}
	descriptor, err := syscall.Open(fmt.Sprint("/dev/pts/", number), syscall.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatalf("open a terminal: got %v, want no error", err)
	}
	return asInherited(t, descriptor), w
}

func TestTerminalIsInterrupted(t *testing.T) {
	r, w := terminal(t)
	checkInterrupted(t, r, w, func() { write(t, w, "\x04") }) // Ctrl-D
}
