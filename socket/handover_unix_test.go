//go:build unix

package socket

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

func init() {
	roles["successor"] = func(dir string) { playSuccessor(dir, context.Background(), func() {}) }
	roles["relay"] = func(dir string) { // ends its server once it has handed over
		ctx, end := context.WithCancel(context.Background())
		playSuccessor(dir, ctx, end)
	}
	roles["leaver"] = playLeaver
	roles["late"] = playLate
	roles["half"] = func(string) {
		_, err := Unix{Inherit: true}.Listen(context.Background(), counter)
		fmt.Println("listening", err)
		bufio.NewReader(os.Stdin).ReadString('\n')
	}
	roles["deaf"] = func(string) {
		fmt.Println("started")
		bufio.NewReader(os.Stdin).ReadString('\n')
	}
}

// playSuccessor answers with its number. At a signal it hands over to a process like
// itself, and calls left; once it has ended it prints what it carried.
func playSuccessor(dir string, ctx context.Context, left func()) {
	pid := os.Getpid()
	ipc := New(Config{
		Transport:    Unix{Dir: dir, Inherit: true},
		ServerConfig: ServerConfig{Listening: func(Name) { fmt.Println(pid, "listening") }},
	})
	go func() { // the test is over
		io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGHUP)
	go func() {
		<-told
		cmd := exec.Command(os.Args[0])
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		if err := ipc.HandOver(context.Background(), cmd); err != nil {
			fmt.Println(pid, "not handed over:", err)
			return
		}
		left()
	}()
	served := Serve(ipc, counter, fold.Sum[int]()).With(ctx, func(m Message, c Continuation[int], n int) Continuation[int] {
		c = c.Respond(Text(strconv.Itoa(pid))).CarryWith(n + 1)
		if m.Content() == "stop" {
			return c.Stop()
		}
		return c
	})
	err := served.Err()
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil
	}
	fmt.Println(pid, "carried", Carry(served).GetOr(-1), err)
}

// playLeaver hands over to one that takes its time.
func playLeaver(dir string) {
	listening := make(chan struct{})
	ipc := New(Config{Dir: dir, ServerConfig: ServerConfig{Listening: func(Name) { close(listening) }}})
	go ipc.Listen(counter).Run(context.Background())
	<-listening
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleKey+"=late:"+dir)
	cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
	fmt.Println("handed over: ", ipc.HandOver(context.Background(), cmd))
}

// playLate listens on what it was given once it is told to.
func playLate(dir string) {
	fmt.Println("started")
	told := bufio.NewReader(os.Stdin)
	if _, err := told.ReadString('\n'); err != nil {
		return
	}
	go func() { // the test is over
		io.Copy(io.Discard, told)
		os.Exit(1)
	}()
	playServer(New(Config{Transport: Unix{Dir: dir, Inherit: true}}))
}

// once is one request on a connection of its own, without a second try anywhere. It
// returns the number of the process that answered.
func once(ctx context.Context, ipc *IPC, text string) (int, error) {
	p, err := ipc.try(ctx, counter)
	if err != nil {
		return 0, err
	}
	m, err := fold.Then(p.Send(ctx, Text(text)), Wait(ctx)).Get()
	if err == nil {
		err = p.Close(ctx).Err()
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(m.Content())
}

// askers send requests, each on a connection of its own, until stop is called, which returns
// how many were answered. None may fail.
func askers(t *testing.T, ctx context.Context, ipc *IPC, clients int) (stop func() int) {
	asking, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	var answered atomic.Int64
	for range clients {
		all.Go(func() {
			for asking.Err() == nil {
				if _, err := once(ctx, ipc, "hello"); err != nil {
					t.Errorf("a request while processes hand over: got the error %v, want none", err)
					return
				}
				answered.Add(1)
			}
		})
	}
	return func() int {
		cancel()
		all.Wait()
		return int(answered.Load())
	}
}

// stillServed checks that a client of a process that has handed over is still served by it,
// three times, and leaves.
func stillServed(t *testing.T, ctx context.Context, stays *Process, pid int) {
	t.Helper()
	for range 3 {
		receives(t, "request to the first process after its hand-over", fold.Then(stays.Send(ctx, Text("still")), Wait(ctx)), strconv.Itoa(pid))
	}
	succeeds(t, "close the connection to the first process", stays.Close(ctx).Err())
}

func TestHandOverRefusesNoClientAndLosesNothing(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	first := start(t, "successor", dir)
	var pid, current int
	fmt.Sscanf(first.next(), "%d listening", &pid)
	ipc := New(Config{Dir: dir})
	stays := must(t, "connect to the first process", ipc.ConnectTo(ctx, counter))
	stop := askers(t, ctx, ipc, 4)

	syscall.Kill(pid, syscall.SIGHUP) // the first process stays for the client that stays
	fmt.Sscanf(first.next(), "%d listening", &current)
	stillServed(t, ctx, stays, pid)
	carried := counted(t, first.next(), pid) - 3
	for range 4 {
		syscall.Kill(current, syscall.SIGHUP)
		next, n := succeeded(t, first, current)
		carried += n - 1 // with the request below
		current = next
		if who, err := once(ctx, ipc, "hello"); who != current || err != nil {
			t.Errorf("a request after a hand-over was answered by process %d, %v; want %d", who, err, current)
		}
	}
	want := stop()
	p, err := ipc.try(ctx, counter)
	if err != nil {
		t.Fatalf("connecting to the last process: %v", err)
	}
	if peer, known := p.Peer().Get(); known && peer.PID != 0 && peer.PID != current {
		t.Errorf("the server seems to be %v, want process %d", peer, current)
	}
	succeeds(t, "stop the last process", p.Send(ctx, Text("stop")).Err())
	carried += counted(t, first.next(), current) - 1
	if carried != want || want == 0 {
		t.Errorf("%d requests were handled, want as many as were answered: %d", carried, want)
	}
	if _, err := os.Lstat(filepath.Join(dir, "counter.sock")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("look for the socket after the last process: got the error %v, want that it is gone", err)
	}
	mustListen(t, Unix{Dir: dir}, counter) // and the lock is free
}

// succeeded reads that a process ended, and what it carried, and that another listens.
// Both write to the same pipe, in either order.
func succeeded(t *testing.T, s *started, before int) (next, carried int) {
	t.Helper()
	for ended := false; next == 0 || !ended; {
		line := s.next()
		if number, listens := strings.CutSuffix(line, " listening"); listens {
			next, _ = strconv.Atoi(number)
			continue
		}
		carried, ended = counted(t, line, before), true
	}
	return next, carried
}

func counted(t *testing.T, line string, pid int) (n int) {
	t.Helper()
	if _, err := fmt.Sscanf(line, strconv.Itoa(pid)+" carried %d <nil>", &n); err != nil {
		t.Fatalf("read the count of process %d from its line %q: %v", pid, line, err)
	}
	return n
}

// serving serves counter in a folder until the test ends or the name is handed over.
func serving(t *testing.T, ipc *IPC) (ended chan error) {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	ended = make(chan error, 1)
	go func() {
		ended <- Serve(ipc, counter, fold.Sum[int]()).With(ctx, echo).Err()
		close(ended)
	}()
	t.Cleanup(func() {
		end()
		for range ended {
		}
	})
	return ended
}

// writerFunc calls a function with what is written.
type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

func TestHandOverThatFailsChangesNothing(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	listening := make(chan struct{})
	ipc := New(Config{Dir: dir, ServerConfig: ServerConfig{Listening: func(Name) { close(listening) }}})
	if err := ipc.HandOver(ctx, exec.Command(os.Args[0])); !errors.Is(err, ErrNotListening) {
		t.Errorf("HandOver with nothing that is listened on: %v, want ErrNotListening", err)
	}
	serving(t, ipc)
	<-listening
	soon, cancel := context.WithCancel(ctx)
	deaf := exec.Command(os.Args[0])
	deaf.Env = append(os.Environ(), roleKey+"=deaf:")
	keepsOpen, err := deaf.StdinPipe()
	if err != nil {
		t.Fatalf("making a pipe to the deaf process: %v", err)
	}
	defer keepsOpen.Close()
	second := exec.Command("/bin/sh")
	deaf.Stdout = writerFunc(func([]byte) { // while this one is under way
		if err := ipc.HandOver(ctx, second); !errors.Is(err, ErrHandingOver) || second.Process != nil {
			t.Errorf("a second HandOver: %v, process %v; want ErrHandingOver and none", err, second.Process)
		}
		cancel()
	})
	extra := exec.Command(os.Args[0])
	extra.ExtraFiles = []*os.File{os.Stdin}
	for name, test := range map[string]struct {
		ctx  context.Context
		cmd  *exec.Cmd
		want string
	}{
		"ends at once":     {ctx, exec.Command("/bin/sh", "-c", "exit 1"), "the successor did not take over: exit status 1"},
		"cannot start":     {ctx, exec.Command("/no/such/program"), "no such file"},
		"never listens":    {soon, deaf, "context canceled"},
		"has files itself": {ctx, extra, "ExtraFiles"},
	} {
		err := ipc.HandOver(test.ctx, test.cmd)
		var structured *Error
		if !errors.As(err, &structured) || structured.Op != "hand over" || !strings.Contains(err.Error(), test.want) {
			t.Errorf("hand over to a process that %s: got the error %v, want %q of a hand over", name, err, test.want)
		}
		if name == "never listens" && test.cmd.ProcessState == nil {
			t.Errorf("the process that %s still runs, want it ended", name)
		}
		if err := fold.Then(New(Config{Dir: dir}).ConnectTo(ctx, counter), Closing(ctx, Send(ctx, Text("hello")))).Err(); err != nil {
			t.Errorf("after one that %s: %v", name, err)
		}
		if _, err := (Unix{Dir: dir}).Listen(ctx, counter); !errors.Is(err, ErrInUse) {
			t.Errorf("after one that %s: %v", name, err)
		}
	}
}

func TestClientsSeeTheOldProcessAgainAfterAHandOverThatFails(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	listening := make(chan struct{}, 2)
	ipc := New(Config{Dir: dir, ServerConfig: ServerConfig{Listening: func(Name) { listening <- struct{}{} }}})
	serving(t, ipc)
	go ipc.Listen(MustParseName("other")).Run(t.Context()) // which the new one does not listen on
	<-listening
	<-listening
	seen := func() int {
		conn, err := Unix{Dir: dir}.Dial(ctx, counter)
		if err != nil {
			t.Errorf("dialing to see the server: %v", err)
			return 0
		}
		defer conn.Close()
		return knownPeer(conn).GetOr(Peer{}).PID
	}
	before := seen()
	half, between := exec.Command(os.Args[0]), 0
	half.Env = append(os.Environ(), roleKey+"=half:")
	keepsOpen, err := half.StdinPipe()
	if err != nil {
		t.Fatalf("making a pipe to the new process: %v", err)
	}
	defer keepsOpen.Close()
	soon, cancel := context.WithCancel(ctx)
	half.Stdout = writerFunc(func(said []byte) {
		if string(said) != "listening <nil>\n" {
			t.Errorf("the new process said %q, want that it listens", said)
		}
		between = seen()
		cancel()
	})
	if err := ipc.HandOver(soon, half); !errors.Is(err, context.Canceled) {
		t.Errorf("handing over until the context ends: %v, want %v", err, context.Canceled)
	}
	if after := seen(); after != before || before != 0 && (before != os.Getpid() || between != half.Process.Pid) {
		t.Errorf("clients saw process %d before, %d between and %d after; want %d, %d and %d", before, between, after, os.Getpid(), half.Process.Pid, os.Getpid())
	}
}

func TestHandOverOfAProcessThatDiesIsFinished(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	leaver := start(t, "leaver", dir)
	leaver.expect("started") // says the other one
	leaver.cmd.Process.Kill()
	leaver.cmd.Process.Wait()
	if _, err := (Unix{Dir: dir}).Listen(ctx, counter); !errors.Is(err, ErrInUse) {
		t.Errorf("listening while a process that hands over has died: %v, want ErrInUse", err)
	}
	conn, err := Unix{Dir: dir}.Dial(ctx, counter) // nobody is refused meanwhile
	if err != nil {
		t.Fatalf("connecting while a process that hands over has died: %v", err)
	}
	leaver.say("listen")
	if m, err := fold.Then(New(Config{}).Attach(ctx, conn), Closing(ctx, Request(ctx, Text("hello")))).Get(); m != Text("echo: hello") {
		t.Errorf("a request to the new process: %v, %v; want echo: hello", m, err)
	}
	if err := fold.Then(New(Config{Dir: dir}).ConnectTo(ctx, counter), Closing(ctx, Send(ctx, Text("stop")))).Err(); err != nil {
		t.Errorf("stopping the new process: %v", err)
	}
	leaver.expect("carried 1 false")
	if _, err := os.Lstat(filepath.Join(dir, "counter.sock")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket after the new process has ended: %v, want none", err)
	}
	mustListen(t, Unix{Dir: dir}, counter)
}

func TestHandOverIsForUnixSocketsAlone(t *testing.T) {
	listening := make(chan struct{})
	ipc := New(Config{Transport: newMemory(0), ServerConfig: ServerConfig{Listening: func(Name) { close(listening) }}})
	serving(t, ipc)
	<-listening
	if err := ipc.HandOver(t.Context(), exec.Command(os.Args[0])); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("handing over a name of another transport: %v, want ErrUnsupported", err)
	}
}

func TestHandOverTellsTheManagerOfTheNewMainProcess(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	address := filepath.Join(dir, "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		t.Fatalf("listening as the manager of services: %v", err)
	}
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", address)
	listening := make(chan struct{})
	ipc := New(Config{Dir: dir, ServerConfig: ServerConfig{Listening: func(Name) { close(listening) }}})
	ended := serving(t, ipc)
	<-listening
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleKey+"=successor:"+dir, "WATCHDOG_PID=1")
	staysOpen, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("making a pipe to the successor: %v", err)
	}
	defer staysOpen.Close()
	if err := ipc.HandOver(ctx, cmd); err != nil {
		t.Fatalf("handing over with a manager: %v", err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	told := make([]byte, 100)
	n, err := manager.Read(told)
	if got, want := string(told[:n]), "MAINPID="+strconv.Itoa(cmd.Process.Pid); got != want || err != nil {
		t.Errorf("the manager was told %q, error %v; want %q", got, err, want)
	}
	if err := <-ended; err != nil {
		t.Errorf("the server that handed over ended with %v, want no error", err)
	}
	who, err := once(ctx, New(Config{Dir: dir}), "hello")
	if who != cmd.Process.Pid || err != nil {
		t.Errorf("a request after the hand-over was answered by process %d, %v; want %d", who, err, cmd.Process.Pid)
	}
	if _, err := (Unix{Dir: dir}).Listen(ctx, counter); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), ".counter.lock") {
		t.Errorf("listening after the hand-over: %v, want ErrInUse and the lock, which goes with the socket", err)
	}
	for _, variable := range cmd.Env {
		if strings.HasPrefix(variable, "WATCHDOG_PID") {
			t.Errorf("the successor has %s in its environment, want no WATCHDOG_PID", variable)
		}
	}
}

func TestHandOverOfTheManagersSocketLeavesItTheManagers(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	path := filepath.Join(dir, "counter.sock")
	server := startWithSockets(t, "successor", dir, "counter", socketFile(t, path))
	ipc, pid := New(Config{Dir: dir}), server.cmd.Process.Pid
	for generation := range 3 {
		if generation == 0 {
			server.expect(fmt.Sprint(pid, " listening"))
		}
		who, err := once(ctx, ipc, "hello")
		if who != pid || err != nil {
			t.Fatalf("a request was answered by process %d, %v; want %d", who, err, pid)
		}
		if generation == 2 {
			break
		}
		syscall.Kill(pid, syscall.SIGHUP)
		next, carried := succeeded(t, server, pid)
		if carried != 1 {
			t.Errorf("a process carried %d requests, want 1", carried)
		}
		pid = next
	}
	if _, err := once(ctx, ipc, "stop"); err != nil && !errors.Is(err, ErrDisconnected) {
		t.Errorf("stopping the last process: %v", err)
	}
	server.expect(fmt.Sprint(pid, " carried 2 <nil>"))
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the manager's socket after the last process has ended: %v, want that it is there", err)
	}
}
