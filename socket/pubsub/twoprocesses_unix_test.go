//go:build unix

package pubsub_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/pubsub"
	"github.com/rxipc/rxipc/stream"
)

// dirKey is the variable that makes the test binary a subscriber of the hub in that folder.
const dirKey = "RXIPC_PUBSUB_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(dirKey); dir != "" {
		err := pubsub.Subscription{Overflow: stream.Fail, Buffer: 10}.Events(socket.New(socket.Config{Dir: dir}), name).
			ForEach(context.Background(), func(e pubsub.Event) { fmt.Println(e.Topic, e.Message.Len()) })
		fmt.Println("ended:", err)
		return
	}
	os.Exit(m.Run())
}

// A subscriber that is stopped delays no other one. It is dropped, and reads why when it goes on.
func TestHubDropsAStoppedProcess(t *testing.T) {
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		t.Fatalf("make a folder: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	ipc := socket.New(socket.Config{Dir: dir, ServerConfig: socket.ServerConfig{WriteTimeout: -1}}) // the machine may be slow
	dropped := make(chan pubsub.Drop, 1)
	hub := pubsub.NewHub(ipc, pubsub.Config{Retain: 1, Dropped: func(d pubsub.Drop) { dropped <- d }})
	served := hub.Serve(socket.Exchanges(ipc.Listen(name))).Subscribe(ctx, stream.Observer[socket.Exchange]{})
	defer served.Wait()
	defer cancel()

	if err := hub.Publish(ctx, "welcome", socket.Text("")); err != nil {
		t.Fatalf("publish: got %v, want no error", err)
	}
	stopped, lines := startSubscriber(t, dir)
	if line := <-lines; line != "welcome 0" {
		t.Fatalf("start a subscriber: it printed %q, want \"welcome 0\"", line)
	}
	stop(t, stopped)

	large := socket.Text(strings.Repeat("x", 100_000))
	for i, done := 0, false; !done; i++ { // the socket takes some of them
		select {
		case d := <-dropped:
			isSlow(t, d.Err, "its buffer is full, 10 messages waited", 10)
			done = true
		default:
			if err := hub.Publish(ctx, "large", large); err != nil {
				t.Fatalf("publish to a stopped subscriber: got %v, want no error", err)
			}
		}
	}
	e, err := pubsub.Subscribe(ipc, name).First(ctx).Get()
	if err != nil || e.Message != large {
		t.Errorf("subscribe meanwhile: got %v, %v, want the retained message", e.Message, err)
	}
	if err := stopped.Signal(syscall.SIGCONT); err != nil {
		t.Fatalf("continue the subscriber: %v", err)
	}
	line := <-lines
	for line == "large 100000" {
		line = <-lines
	}
	want := "ended: socket: subscribe news: the hub dropped a subscriber that is too slow: its buffer is full, 10 messages waited; 10 messages are missing"
	if line != want {
		t.Errorf("continue the subscriber: it printed %q, want %q", line, want)
	}
}

// startSubscriber starts a process that subscribes, and returns the lines that it prints.
func startSubscriber(t *testing.T, dir string) (*os.Process, <-chan string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), dirKey+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("start a subscriber: %v", err)
	}
	lines := make(chan string)
	ended := make(chan struct{})
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			select {
			case lines <- scanner.Text():
			case <-ended:
				return
			}
		}
	}()
	t.Cleanup(func() {
		close(ended)
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd.Process, lines
}

// stop stops a process and waits until it is stopped.
func stop(t *testing.T, p *os.Process) {
	t.Helper()
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Fatalf("stop the subscriber: %v", err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(p.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("stop the subscriber: its status is %v, %v, want it stopped", status, err)
	}
}
