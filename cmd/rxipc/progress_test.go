//go:build unix

package main

import (
	"strings"
	"testing"

	"github.com/creack/pty"
)

func TestSendShowsProgressOnATerminal(t *testing.T) {
	s := newShell(t)
	s.serve("echo")
	screen, tty, err := pty.Open()
	if err != nil {
		t.Fatalf("make a terminal: %v", err)
	}
	defer screen.Close()
	defer tty.Close()
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
