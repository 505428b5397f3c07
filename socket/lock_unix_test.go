//go:build unix

package socket

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func init() {
	// An older server holds NAME.lock, and has not made its socket yet.
	roles["older server"] = func(dir string) {
		file, err := os.OpenFile(filepath.Join(dir, "counter.lock"), os.O_RDWR|os.O_CREATE, 0o600)
		if err == nil {
			err = tryLock(file)
		}
		fmt.Println("holds the older lock:", err)
		bufio.NewReader(os.Stdin).ReadString('\n')
		file.Close()
	}
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

func TestLockOfAnOlderServerIsRespected(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	older := start(t, "older server", u.Dir)
	older.expect("holds the older lock: <nil>")
	if _, err := u.Listen(t.Context(), counter); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "counter.lock") {
		t.Errorf("listening beside an older server: %v, want ErrInUse and its lock", err)
	}
	older.kill()
	listener := mustListen(t, u, counter)
	file, err := os.OpenFile(filepath.Join(u.Dir, "counter.lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal("opening the older lock: ", err)
	}
	defer file.Close()
	if err := tryLock(file); err != nil {
		t.Error("locking what older servers lock, while a server listens: ", err)
	}
	listener.Close()
}

func TestLockInThePlaceOfAnOlderOneIsNoObstacle(t *testing.T) {
	for what, makeIt := range map[string]func(path string) error{
		"a folder":        func(path string) error { return os.Mkdir(path, 0o700) },
		"a link":          func(path string) error { return os.Symlink("elsewhere", path) },
		"a lock not held": func(path string) error { return os.WriteFile(path, nil, 0o600) },
	} {
		u := Unix{Dir: shortDir(t)}
		if err := makeIt(filepath.Join(u.Dir, "counter.lock")); err != nil {
			t.Fatalf("making %s: %v", what, err)
		}
		if listener, err := u.Listen(t.Context(), counter); err != nil {
			t.Errorf("listening beside %s called like an older lock: %v", what, err)
		} else {
			listener.Close()
		}
	}
}

func TestLockBeginsWithADot(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	mustListen(t, u, counter)
	entries, err := os.ReadDir(u.Dir)
	if err != nil {
		t.Fatal("listing the folder: ", err)
	}
	var listed []string // by those who take each file that is not hidden for a process
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") {
			listed = append(listed, entry.Name())
		}
	}
	same(t, listed, "counter.sock")
}

func TestLockThatWasRemovedBeforeItIsHeldIsNotTheLock(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	path := filepath.Join(u.Dir, "counter.sock")
	first, err := u.place().acquireLock(path)
	if err != nil {
		t.Fatal("locking: ", err)
	}
	defer first.release()
	remove(t, lockPath(path))
	if first.isAt(lockPath(path)) {
		t.Error("a lock is taken for the one at its path, which was removed")
	}
	second, err := u.place().acquireLock(path)
	if err != nil {
		t.Fatal("locking after the lock was removed: ", err)
	}
	defer second.release()
	if first.isAt(lockPath(path)) || !second.isAt(lockPath(path)) {
		t.Error("the lock at the path is not the second one's")
	}
}

func TestLockSaysOnlyWhoHoldsIt(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	path := filepath.Join(u.Dir, "counter.sock")
	if err := os.WriteFile(lockPath(path), []byte(strings.Repeat("a former process\n", 100)), 0o600); err != nil {
		t.Fatal("writing a lock: ", err)
	}
	lock, err := u.place().acquireLock(path)
	if err != nil {
		t.Fatal("locking: ", err)
	}
	defer lock.release()
	want := fmt.Sprintf("%d %s\n", os.Getpid(), filepath.Base(os.Args[0]))
	if got, err := os.ReadFile(lockPath(path)); string(got) != want {
		t.Errorf("a lock that said more before says %q, %v; want %q", got, err, want)
	}
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

func TestErrInUseTrustsNoLockThatSaysNonsense(t *testing.T) {
	for _, text := range []string{"", "\n", "7", "x y\n", "-1 a\n", "0 a\n", "99999999999 a\n", strings.Repeat("1", 300)} {
		path := filepath.Join(shortDir(t), "lock")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal("writing a lock: ", err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal("opening a lock: ", err)
		}
		if got := signature(file); got != "another server" {
			t.Errorf("a lock that says %q is held by %q, want another server", text, got)
		}
		file.Close()
	}
	if got := processText(7, "a\x1b[31m"); strings.ContainsRune(got, 0x1b) {
		t.Errorf("a command is shown as %q, want nothing that a terminal obeys", got)
	}
}

func TestNobodyListensTellsOfOtherFolders(t *testing.T) {
	temp := shortDir(t)
	t.Setenv("TMPDIR", temp)
	t.Setenv("XDG_RUNTIME_DIR", shortDir(t))
	nowhere := New(Config{Dir: shortDir(t)})
	noHint := func(ipc *IPC, what string) {
		err := ipc.Dial(t.Context(), counter).Err()
		if !errors.Is(err, ErrNotListening) || strings.Contains(err.Error(), "but there is") {
			t.Errorf("dialing a name that %s: %v, want ErrNotListening and no hint", what, err)
		}
	}
	noHint(nowhere, "no folder has")
	leaveStale(t, filepath.Join(temp, "counter.sock"))
	noHint(New(Config{Dir: temp}), "a dead server left behind in the folder itself")
	for _, dir := range []string{filepath.Join(temp, "innmind", "ipc"), temp, DefaultDir(), temporaryDir()} {
		listener := mustListen(t, Unix{Dir: dir, Shared: true}, counter)
		err := nowhere.Dial(t.Context(), counter).Err()
		want := "but there is " + listener.Addr().String() + ", which Dir " + dir + " is for"
		if !errors.Is(err, ErrNotListening) || !strings.Contains(err.Error(), want) {
			t.Errorf("dialing a name that another folder has: %v; want %q", err, want)
		}
		listener.Close()
	}
}

func TestErrorsOfFilesInTheWayCanBeTold(t *testing.T) {
	for what, test := range map[string]struct {
		path string
		want error
	}{
		"a file in the socket's place": {"d/counter.sock", fs.ErrExist},
		"a file in the folder's place": {"d", errNoFolder},
	} {
		base := shortDir(t)
		path := filepath.Join(base, test.path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
			t.Fatalf("making %s: %v", what, err)
		}
		_, err := Unix{Dir: filepath.Join(base, "d")}.Listen(t.Context(), counter)
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("listening with %s: %v; want %v and %s", what, err, test.want, path)
		}
	}
}
