package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

func init() { roles["first process"] = playFirstProcess }

// playFirstProcess is a server that tries to hand over, prints what came of it, and
// serves on.
func playFirstProcess(dir string) {
	listening := make(chan struct{})
	ipc := New(Config{Dir: dir, ServerConfig: ServerConfig{Clients: Anyone, Listening: func(Name) { close(listening) }}})
	go func() {
		<-listening
		cmd := exec.Command("/bin/sh", "-c", "exit 5")
		fmt.Println(os.Getpid(), ipc.HandOver(context.Background(), cmd), cmd.Process)
	}()
	playServer(ipc)
}

func TestHandOverIsRefusedToTheFirstProcessOfAContainer(t *testing.T) {
	dir := shortDir(t)
	cmd := exec.Command(os.Args[0])
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	}
	first, err := startOr(t, cmd, "first process", dir)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOSPC) {
		t.Skipf("no namespace may be made here: %v", err)
	}
	if err != nil {
		t.Fatalf("start a process in a namespace of its own: %v", err)
	}
	said := first.next()
	for _, want := range []string{"1 socket: hand over: unsupported operation: ", "process 1 of a container", "<nil>"} {
		if !strings.Contains(said, want) {
			t.Errorf("process 1 printed %q, want %q in it", said, want)
		}
	}
	isAnswered(t, dir)
}
