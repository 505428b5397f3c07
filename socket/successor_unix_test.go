//go:build unix

package socket

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

func init() {
	roles["talker"] = playTalker
	roles["mover"] = playMover
}

// playTalker says something before it listens and after, to its standard error, serves
// until its input ends, and says goodbye.
func playTalker(dir string) {
	fmt.Fprintln(os.Stderr, "talker: before")
	ctx, end := context.WithCancel(context.Background())
	go func() {
		bufio.NewReader(os.Stdin).ReadString('\n')
		end()
	}()
	ipc := New(Config{
		Transport:    Unix{Dir: dir, Inherit: true},
		ServerConfig: ServerConfig{Listening: func(Name) { fmt.Fprintln(os.Stderr, "talker: listening") }},
	})
	Serve(ipc, counter, fold.Sum[int]()).With(ctx, echo)
	fmt.Fprintln(os.Stderr, "talker: after")
}

// handsOver serves counter in a folder of its own, to be handed over.
func handsOver(t *testing.T, config Config) (ipc *IPC, dir string) {
	t.Helper()
	dir = shortDir(t)
	listening := make(chan struct{})
	config.Dir, config.Listening = dir, func(Name) { close(listening) }
	ipc = New(config)
	serving(t, ipc)
	<-listening
	return ipc, dir
}

// isAnswered fails the test unless somebody serves counter.
func isAnswered(t *testing.T, dir string) {
	t.Helper()
	ctx := within(t)
	m, err := fold.Then(New(Config{Dir: dir}).ConnectTo(ctx, counter), Closing(ctx, Request(ctx, Text("hello")))).Get()
	if err != nil || m != Text("echo: hello") {
		t.Errorf("request after the hand-over: got %v, %v, want the echo", m, err)
	}
}

func TestHandOverGivesTheSuccessorItsStandardError(t *testing.T) {
	ipc, dir := handsOver(t, Config{})
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatalf("make a pipe: %v", err)
	}
	defer read.Close()
	defer write.Close()
	cmd, in := talker(t, dir)
	cmd.Stderr = write
	if err := ipc.HandOver(within(t), cmd); err != nil {
		t.Fatalf("HandOver: %v", err)
	}
	if cmd.Stderr != io.Writer(write) {
		t.Errorf("HandOver left %v as Stderr, want the file", cmd.Stderr)
	}
	isAnswered(t, dir)
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("the successor ended with %v, want no error", err)
	}
	var lines []string // the first passes through this process, and may come last
	for s := bufio.NewScanner(read); len(lines) < 3 && s.Scan(); {
		lines = append(lines, s.Text())
	}
	slices.Sort(lines)
	same(t, lines, "talker: after", "talker: before", "talker: listening")
}

// talker is a command that plays a talker until its input is closed.
func talker(t *testing.T, dir string) (cmd *exec.Cmd, in io.Closer) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleKey+"=talker:"+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("pipe to the successor: %v", err)
	}
	return cmd, in
}

func TestHandOverMindsNoManagerThatIsGone(t *testing.T) {
	logged := make(chan string, 100)
	log := writerFunc(func(p []byte) { logged <- string(p) })
	ipc, dir := handsOver(t, Config{Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "no-manager"))
	cmd, in := talker(t, dir)
	defer func() { in.Close(); cmd.Wait() }()
	if err := ipc.HandOver(within(t), cmd); err != nil {
		t.Errorf("HandOver with a manager that is gone: %v", err)
	}
	select {
	case line := <-logged:
		if !strings.Contains(line, "manager of services") {
			t.Errorf("the log says %q, want a warning about the manager", line)
		}
	default:
		t.Error("the log does not warn of the manager that is gone, want that it does")
	}
	isAnswered(t, dir)
}

// playMover is a server whose executable is moved by its upgrade, and that hands over.
// It prints the exit code of the error.
func playMover(what string) {
	how, dir, _ := strings.Cut(what, ":")
	listening := make(chan struct{})
	ipc := New(Config{Dir: dir, ServerConfig: ServerConfig{Listening: func(Name) { close(listening) }}})
	go ipc.Listen(counter).Run(context.Background())
	<-listening
	self, _ := os.Executable()
	path := os.Args[0]
	switch how {
	case "removed":
		os.Remove(self)
	case "replaced":
		os.Remove(self)
		os.WriteFile(self, []byte("#!/bin/sh\nexit 42\n"), 0o700)
		path = self + " (deleted)" // what /proc/self/exe is a link to
	case "left":
		os.Chdir("/")
	}
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), roleKey+"=talker:"+dir)
	cmd.Stdin = os.Stdin
	err := ipc.HandOver(context.Background(), cmd)
	fmt.Println("code", ExitCode(err), err)
}

func TestHandOverFindsItsExecutable(t *testing.T) {
	binary, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatalf("read the test's executable: %v", err)
	}
	for how, want := range map[string]string{"removed": "code 0 <nil>", "replaced": "code 42 ", "left": "code 0 <nil>"} {
		t.Run(how, func(t *testing.T) {
			if how == "removed" && runtime.GOOS != "linux" {
				t.Skip("only Linux has the executable that runs, when its file is gone")
			}
			dir := shortDir(t)
			if err := os.WriteFile(filepath.Join(dir, "program"), binary, 0o700); err != nil {
				t.Fatalf("copy the executable: %v", err)
			}
			cmd := exec.Command("./program")
			cmd.Dir = dir
			mover := startCommand(t, cmd, "mover", how+":"+dir)
			if got := mover.next(); !strings.HasPrefix(got, want) {
				t.Errorf("HandOver of a program whose executable was %s: %s, want %s", how, got, want)
			}
		})
	}
}
