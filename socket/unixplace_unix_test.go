//go:build unix

package socket

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

func init() {
	roles["setuid"] = func(dir string) {
		fmt.Println("root's power:", os.Geteuid() == 0 && os.Getuid() != 0)
		fmt.Println(DefaultDir())
	}
	roles["changing"] = playChanging
	roles["group server"] = func(dir string) {
		playServer(New(ofGroup(dir, Config{ServerConfig: ServerConfig{Listening: printListening, Clients: Anyone}})))
	}
	roles["group client"] = playGroupClient
}

// ofGroup is a config whose sockets are otherGroup's, or of the own group where nobody
// can give them to another.
func ofGroup(dir string, config Config) Config {
	group := otherGroup
	if os.Geteuid() != 0 && !slices.Contains(groups(), otherGroup) {
		group = os.Getegid()
	}
	config.Transport = Unix{Dir: dir, Group: fmt.Sprint(group)}
	return config
}

func groups() []int {
	all, err := os.Getgroups()
	if err != nil {
		return nil
	}
	return all
}

func playGroupClient(dir string) {
	ctx := context.Background()
	m, err := fold.Then(New(ofGroup(dir, Config{ClientConfig: ClientConfig{Servers: Anyone}})).Dial(ctx, counter),
		Closing(ctx, Request(ctx, Text("hello")))).Get()
	fmt.Println(m.Content(), err)
}

// playChanging makes an IPC as root, gives up its user, and uses it.
func playChanging(dir string) {
	config := Config{ServerConfig: ServerConfig{Listening: printListening}}
	if os.Geteuid() == 0 {
		config.Listening = func(Name) {
			failed := errors.Join(syscall.Setgroups(nil), syscall.Setgid(otherUser), syscall.Setuid(otherUser), os.Chdir("/"))
			fmt.Println("is another user:", failed)
		}
	} else {
		config.Listening = func(Name) { fmt.Println("is another user: <nil>") }
	}
	config.Dir = dir
	playServer(New(config))
}

func TestUnixStaysWhereItWasWhenTheProcessMoves(t *testing.T) {
	base := shortDir(t)
	t.Chdir(base)
	t.Setenv("XDG_RUNTIME_DIR", base)
	for what, config := range map[string]Config{
		"a relative folder":        {Dir: "relative"},
		"a relative Unix":          {Transport: Unix{Dir: "./relative"}},
		"a pointer to one":         {Transport: &Unix{Dir: "relative"}},
		"the default folder":       {},
		"the default by the class": {Transport: Unix{}},
	} {
		ipc := New(config)
		t.Chdir("/")
		t.Setenv("XDG_RUNTIME_DIR", shortDir(t))
		listener, err := ipc.config.Transport.Listen(t.Context(), counter)
		if err != nil {
			t.Fatalf("listening in %s after the process moved: %v", what, err)
		}
		if path := listener.Addr().String(); filepath.Dir(filepath.Dir(path)) != base {
			t.Errorf("%s is now %s, want one in %s", what, filepath.Dir(path), base)
		}
		conn, err := ipc.config.Transport.Dial(t.Context(), counter)
		if err != nil {
			t.Fatalf("connecting in %s after the process moved: %v", what, err)
		}
		conn.Close()
		listener.Close()
		t.Chdir(base)
		t.Setenv("XDG_RUNTIME_DIR", base)
	}
}

func TestUnixServesOnAfterItsProcessGaveUpItsUser(t *testing.T) {
	dir := mkdir(t, 0o700, openDir(t), "d")
	if os.Geteuid() != 0 {
		t.Log("not run by root: the server cannot become another user, and stays the same")
	}
	server := start(t, "changing", dir)
	server.expect("is another user: <nil>")
	ctx := within(t)
	err := fold.Then(New(Config{Dir: dir}).ConnectTo(ctx, counter), Send(ctx, Text("one"), Text("stop"))).Err()
	if err != nil {
		t.Error("sending to a server that gave up its user: ", err)
	}
	server.expect("carried 1 false")
	mustListen(t, Unix{Dir: dir}, counter)
}

func TestUnixGroupIsEnoughForAFolderThatIsMade(t *testing.T) {
	dir := filepath.Join(openDir(t), "parent", "d")
	server := start(t, "group server", dir)
	server.expect("listening")
	for what, path := range map[string]string{"folder": dir, "lock": filepath.Join(dir, ".counter.lock"), "socket": filepath.Join(dir, "counter.sock")} {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatalf("looking at the %s: %v", what, err)
		}
		if gid := int(info.Sys().(*syscall.Stat_t).Gid); os.Geteuid() == 0 && gid != otherGroup {
			t.Errorf("the %s is of group %d, want %d", what, gid, otherGroup)
		}
	}
	client, _ := asOther(t, "group client", dir)
	client.expect("echo: hello <nil>")
}

func TestLockOfAnotherUserOfTheGroupIsTakenOver(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not run by root: nobody here can be another user, so no lock of one can be left")
	}
	dir := mkdir(t, 0o770|fs.ModeSetgid, openDir(t), "d")
	if err := os.Chown(dir, 0, otherGroup); err != nil {
		t.Fatal("giving a folder to a group: ", err)
	}
	u := Unix{Dir: dir, Shared: true, Group: fmt.Sprint(otherGroup)}
	mustListen(t, u, counter).Close()
	starter, _ := asOther(t, "group starter", dir)
	starter.say("now")
	starter.expect("listening")
	starter.say("die")
	starter.cmd.Wait()
	mustListen(t, u, counter)

	if err := os.Chmod(filepath.Join(dir, ".counter.lock"), 0o600); err != nil {
		t.Fatal("closing the lock to the group: ", err)
	}
	starter, _ = asOther(t, "group starter", dir)
	starter.say("now")
	if said := starter.next(); !strings.Contains(said, "permission denied; the lock has mode -rw-------") {
		t.Errorf("a lock that is closed to the group: %q, want its mode and what helps", said)
	}
}

func init() {
	roles["group starter"] = func(dir string) {
		told := bufio.NewScanner(os.Stdin)
		for told.Scan() && told.Text() != "die" {
			_, err := Unix{Dir: dir, Shared: true, Group: fmt.Sprint(otherGroup)}.Listen(context.Background(), counter)
			if err != nil {
				fmt.Println(err)
				continue
			}
			fmt.Println("listening")
		}
	}
}

func TestUnixDefaultDirIsThatOfTheEffectiveUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not run by root: no program of another user can be made")
	}
	program := programForAll(t)
	if err := os.Chmod(program, 0o755|fs.ModeSetuid); err != nil {
		t.Fatal("making a program run as root: ", err)
	}
	cmd := exec.Command(program)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR=", "TMPDIR=")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: otherUser, Gid: otherUser}}
	asRoot := startCommand(t, cmd, "setuid", "")
	if asRoot.next() != "root's power: true" {
		t.Skip("programs do not run as their owner in ", filepath.Dir(program))
	}
	asRoot.expect("/tmp/rxipc-0")
}
