//go:build unix

package socket

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// These tests are two users, which only root can be. Run by anybody else they say so
// and have both sides be the same user; what a stranger meets is then tested with
// connections that say so alone, in server_admission_test.go, and not by the system's word.
const (
	otherUser  = 12345
	otherGroup = 23456
)

// asOther starts this binary as another user, who is in otherGroup besides, or as this
// one where that is not possible, and reports whether it is another.
func asOther(t *testing.T, role, dir string) (s *started, other bool) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Log("not run by root: nobody here can be another user, so both sides are the same")
		return start(t, role, dir), false
	}
	cmd := exec.Command(programForAll(t))
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{
		Uid: otherUser, Gid: otherUser, Groups: []uint32{otherGroup},
	}}
	return startCommand(t, cmd, role, dir), true
}

// programForAll is a copy of this binary that other users may run.
func programForAll(t *testing.T) string {
	t.Helper()
	program := filepath.Join(openDir(t), "program")
	code, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = errors.Join(os.WriteFile(program, code, 0o755), os.Chmod(program, 0o755))
	}
	if err != nil {
		t.Fatalf("copy the test program: %v", err)
	}
	return program
}

func init() {
	roles["stranger"] = playStranger
	roles["crowd"] = playCrowd
	roles["battering"] = playBattering
	roles["shared server"] = func(dir string) {
		playServer(shared(dir, Config{ServerConfig: ServerConfig{Listening: printListening}}))
	}
	roles["shared client"] = playSharedClient
}

func printListening(Name) { fmt.Println("listening") }

// shared is an IPC in a folder of another user.
func shared(dir string, config Config) *IPC {
	config.Transport = Unix{Dir: dir, Shared: true, Mode: 0o666}
	return New(config)
}

// playStranger connects and prints what comes.
func playStranger(dir string) {
	conn, err := Unix{Dir: dir, Shared: true}.Dial(context.Background(), counter)
	if err != nil {
		fmt.Println("not connected:", errors.Is(err, fs.ErrPermission))
		return
	}
	got, err := io.ReadAll(conn)
	fmt.Println("read", len(got), "bytes:", err)
}

// playSharedClient talks to whoever listens.
func playSharedClient(dir string) {
	ctx := context.Background()
	got, err := fold.Then(shared(dir, Config{ClientConfig: ClientConfig{Servers: Anyone}}).ConnectTo(ctx, counter),
		Closing(ctx, func(p *Process) fold.Attempt[Message] {
			return fold.Then(p.Send(ctx, Text("hello")), Wait(ctx))
		})).Get()
	fmt.Println(got.Content(), err)
}

// playCrowd opens more and more connections, until one is closed, and keeps them.
func playCrowd(dir string) {
	var kept []*Process
	for {
		p, err := shared(dir, Config{ClientConfig: ClientConfig{Servers: Anyone}}).try(context.Background(), counter)
		if err != nil {
			fmt.Println("had", len(kept))
			break
		}
		kept = append(kept, p)
	}
	bufio.NewReader(os.Stdin).ReadString('\n')
}

// playBattering connects all the time, and prints how often it got in until it is told
// to stop.
func playBattering(dir string) {
	told := make(chan struct{})
	go func() {
		bufio.NewReader(os.Stdin).ReadString('\n')
		close(told)
	}()
	fmt.Println("battering")
	for in := 0; ; {
		conn, err := net.Dial("unix", filepath.Join(dir, "counter.sock"))
		if err == nil {
			in++
			conn.Close()
		}
		select {
		case <-told:
			fmt.Println("got in", in, "times")
			return
		default:
		}
	}
}

// serveShared serves in a folder that everybody may use, until the test ends.
func serveShared(t *testing.T, config Config) (dir string, seen chan fold.Maybe[Peer]) {
	t.Helper()
	dir = mkdir(t, 0o777, openDir(t), "shared")
	listening := make(chan struct{})
	config.Listening = func(Name) { close(listening) }
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan struct{})
	seen = make(chan fold.Maybe[Peer], 1)
	go func() {
		defer close(ended)
		Serve(shared(dir, config), counter, fold.Sum[int]()).With(ctx, func(m Message, c Continuation[int], n int) Continuation[int] {
			seen <- c.Connection().Peer()
			return echo(m, c, n)
		})
	}()
	<-listening
	t.Cleanup(func() { end(); <-ended })
	return dir, seen
}

// logLines is the lines of a log, as they come.
type logLines chan string

func (l logLines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

func TestUsersThatAreOthersAreRefused(t *testing.T) {
	lines := make(logLines, 10)
	dir, _ := serveShared(t, Config{Log: slog.New(slog.NewTextHandler(lines, nil))})
	stranger, other := asOther(t, "stranger", dir)
	if !other {
		return // it waits for a server that closes it
	}
	stranger.expect(fmt.Sprintf("read %d bytes: <nil>", len(wire.KindHeartbeat.Frame()+wire.CloseReason{Code: wire.ReasonRefused}.Frame())))
	who := fmt.Sprintf("process %d of user %d", stranger.cmd.Process.Pid, otherUser)
	if line := <-lines; !strings.Contains(line, "connection refused") || !strings.Contains(line, who) {
		t.Errorf("log of a refused client: got %q, want the refusal of %s", line, who)
	}
}

func TestUsersThatMayConnectAreKnown(t *testing.T) {
	for name, clients := range map[string]Authorizer{
		"user": Users(fmt.Sprint(otherUser)), "group": Groups(fmt.Sprint(otherGroup)),
	} {
		dir, seen := serveShared(t, Config{ServerConfig: ServerConfig{Clients: clients}})
		client, other := asOther(t, "shared client", dir)
		client.expect("echo: hello <nil>")
		who, ok := (<-seen).Get()
		want := os.Geteuid()
		if other {
			want = otherUser
		}
		if !ok || who.UID != want || who.PID != 0 && who.PID != client.cmd.Process.Pid {
			t.Errorf("peer of the %s: got %+v, want user %d and process %d", name, who, want, client.cmd.Process.Pid)
		}
		if other && (who.GID != otherUser || len(who.Groups) != 1 || who.Groups[0] != otherGroup) {
			t.Errorf("peer of the %s: got %+v, want group %d and the groups [%d]", name, who, otherUser, otherGroup)
		}
	}
}

func TestUnixModeKeepsAnotherUserOut(t *testing.T) {
	dir := openDir(t)
	own, theirs := fmt.Sprint(os.Getegid()), fmt.Sprint(otherGroup)
	if os.Geteuid() != 0 {
		theirs = own // nobody can give a socket to a group that is not theirs
	}
	for _, test := range []struct {
		unix Unix
		want fs.FileMode
		in   bool
	}{
		{Unix{Dir: dir}, 0o600, false},
		{Unix{Dir: dir, Group: own}, 0o660, false},
		{Unix{Dir: dir, Group: theirs, Mode: 0o600}, 0o600, false},
		{Unix{Dir: dir, Group: theirs}, 0o660, true},
		{Unix{Dir: dir, Mode: 0o666}, 0o666, true},
	} {
		listener := mustListen(t, test.unix, counter)
		info, err := os.Lstat(filepath.Join(dir, "counter.sock"))
		if err != nil || info.Mode().Perm() != test.want {
			t.Errorf("listen with %+v: got the mode %v, %v, want %v", test.unix, info.Mode(), err, test.want)
		}
		accepted := make(chan error, 1)
		go func() {
			conn, err := listener.Accept()
			if err == nil {
				err = conn.Close()
			}
			accepted <- err
		}()
		stranger, other := asOther(t, "stranger", dir)
		if test.in || !other {
			stranger.expect("read 0 bytes: <nil>")
		} else {
			stranger.expect("not connected: true")
		}
		listener.Close()
		if err := <-accepted; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept a connection: %v", err)
		}
	}
}

func TestUnixLetsAnotherUserInAtNoMoment(t *testing.T) {
	dir := openDir(t)
	before := syscall.Umask(0)
	defer syscall.Umask(before)
	battering, other := asOther(t, "battering", dir)
	if !other {
		return
	}
	battering.expect("battering")
	for range rounds(t, 100) {
		mustListen(t, Unix{Dir: dir}, counter).Close()
	}
	battering.say("")
	battering.expect("got in 0 times")
}

func TestServersOfAnotherUserAreNotTrusted(t *testing.T) {
	dir, ctx := mkdir(t, 0o777, openDir(t), "shared"), within(t)
	server, other := asOther(t, "shared server", dir)
	server.expect("listening")
	err := shared(dir, Config{}).ConnectTo(ctx, counter).Err()
	if errors.Is(err, fs.ErrPermission) != other {
		t.Errorf("connect to a server in a shared folder: got %v, want fs.ErrPermission if it is another user's: %v", err, other)
	}
	who := Users(fmt.Sprint(otherUser))
	p, err := shared(dir, Config{ClientConfig: ClientConfig{Servers: who}}).ConnectTo(ctx, counter).Get()
	if err != nil {
		t.Fatalf("connect to a trusted server in a shared folder: %v", err)
	}
	if peer, ok := p.Peer().Get(); !ok || (peer.UID == otherUser) != other {
		t.Errorf("peer of the server: got %+v, want another user: %v", peer, other)
	}
	if err := p.Send(ctx, Text("stop")).Err(); err != nil {
		t.Errorf("send to the server of another user: %v", err)
	}
	server.expect("carried 0 false")
}

func TestMaxPerUserLeavesRoomForOthers(t *testing.T) {
	config, _ := logging(Config{ServerConfig: ServerConfig{Clients: Users(fmt.Sprint(otherUser)), MaxPerUser: 3, MaxConnections: 5}})
	dir, _ := serveShared(t, config)
	crowd, other := asOther(t, "crowd", dir)
	if !other {
		return // it may have all there are, and waits for more
	}
	crowd.expect("had 3")
	ctx := within(t)
	for range 2 {
		p, err := shared(dir, Config{}).ConnectTo(ctx, counter).Get()
		if err != nil {
			t.Fatalf("connect beside a crowd of another user: %v", err)
		}
		defer p.Close(ctx)
	}
}

func newLineLog(lines logLines) *slog.Logger { return slog.New(slog.NewTextHandler(lines, nil)) }
