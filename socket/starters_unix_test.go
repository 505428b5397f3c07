//go:build unix

package socket

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func init() {
	roles["starter"] = playStarter
	roles["foreign server"] = func(dir string) {
		listener, err := net.Listen("unix", filepath.Join(dir, "counter.sock"))
		fmt.Println("listening:", err)
		for err == nil {
			var conn net.Conn
			if conn, err = listener.Accept(); err == nil {
				conn.Close()
			}
		}
	}
}

// playStarter listens each time it is told to, and closes what it got when it is told
// again.
func playStarter(dir string) {
	told := bufio.NewScanner(os.Stdin)
	for told.Scan() {
		listener, err := Unix{Dir: dir}.Listen(context.Background(), counter)
		switch {
		case errors.Is(err, ErrInUse):
			fmt.Println("in use")
		case err != nil:
			fmt.Println(err)
		default:
			fmt.Println("listening")
		}
		told.Scan()
		if err == nil && told.Text() == "close" {
			listener.Close()
		}
		if told.Text() == "die" {
			os.Exit(1)
		}
		fmt.Println("done")
	}
}

func TestListenIsWonByExactlyOneOfTwoProcesses(t *testing.T) {
	dir := shortDir(t)
	path := filepath.Join(dir, "counter.sock")
	starters := []*started{start(t, "starter", dir), start(t, "starter", dir)}
	for round := range 200 {
		if round%2 == 0 {
			leaveStale(t, path)
		}
		for _, s := range starters {
			s.say("now")
		}
		won := 0
		for _, s := range starters {
			switch said := s.next(); said {
			case "listening":
				won++
			case "in use":
			default:
				t.Fatalf("start the server: the process printed %q, want listening or in use", said)
			}
		}
		conn, err := Unix{Dir: dir}.Dial(t.Context(), counter)
		if won != 1 || err != nil {
			t.Fatalf("round %d: %d servers won, and dialing returned %v; want one, and no error", round, won, err)
		}
		conn.Close()
		for _, s := range starters {
			s.say("close")
			s.expect("done")
		}
	}
}

func TestListenAfterAServerThatDiedSucceedsAtOnce(t *testing.T) {
	dir := shortDir(t)
	for range 10 {
		dying := start(t, "starter", dir)
		dying.say("now")
		dying.expect("listening")
		dying.say("die")
		dying.cmd.Wait()
		if _, err := os.Lstat(filepath.Join(dir, "counter.sock")); err != nil {
			t.Fatal("it left no socket behind: ", err)
		}
	}
	mustListen(t, Unix{Dir: dir}, counter)
}

func TestErrInUseNamesTheProcess(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	inUse := func(want string) {
		t.Helper()
		_, err := u.Listen(context.Background(), counter)
		if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), want) {
			t.Errorf("listening on a name in use: %v; want ErrInUse and %q", err, want)
		}
	}
	own := mustListen(t, u, counter)
	inUse(fmt.Sprintf("process %d (%s), this one, holds %s", os.Getpid(), filepath.Base(os.Args[0]), filepath.Join(u.Dir, ".counter.lock")))
	own.Close()

	other := start(t, "starter", u.Dir)
	other.say("now")
	other.expect("listening")
	inUse(fmt.Sprintf("process %d (%s) holds ", other.cmd.Process.Pid, filepath.Base(os.Args[0])))
	other.kill()
	mustListen(t, u, counter).Close()

	foreign := start(t, "foreign server", u.Dir)
	foreign.expect("listening: <nil>")
	switch runtime.GOOS {
	case "linux":
		inUse(fmt.Sprintf("process %d (", foreign.cmd.Process.Pid))
	case "darwin":
		inUse(fmt.Sprintf("process %d ", foreign.cmd.Process.Pid))
	default:
		inUse("a server listens")
	}
}
