//go:build unix

package unixsock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestDialTellsOfOtherFolders(t *testing.T) {
	temp := shortDir(t)
	t.Setenv("TMPDIR", temp)
	t.Setenv("XDG_RUNTIME_DIR", shortDir(t))
	nowhere := New(Options{Dir: shortDir(t)})
	noHint := func(p *Place, what string) {
		_, err := p.Dial(t.Context(), counter)
		if !errors.Is(err, ErrNotListening) || strings.Contains(err.Error(), "but there is") {
			t.Errorf("dialing a name that %s: %v, want ErrNotListening and no hint", what, err)
		}
	}
	noHint(nowhere, "no folder has")
	leaveStale(t, filepath.Join(temp, "counter.sock"))
	noHint(New(Options{Dir: temp}), "a dead server left behind in the folder itself")
	for _, dir := range []string{filepath.Join(temp, "innmind", "ipc"), temp, DefaultDir(), temporaryDir()} {
		listener := mustListen(t, Options{Dir: dir, Shared: true}, counter)
		_, err := nowhere.Dial(t.Context(), counter)
		want := "but there is " + listener.Addr().String() + ", which Dir " + dir + " is for"
		if !errors.Is(err, ErrNotListening) || !strings.Contains(err.Error(), want) {
			t.Errorf("dialing a name that another folder has: %v; want %q", err, want)
		}
		listener.Close()
	}
}

func TestListenNamesTheFileInTheWay(t *testing.T) {
	for what, test := range map[string]struct {
		path string
		want error
	}{
		"a file in the socket's place": {"d/counter.sock", fs.ErrExist},
		"a file in the folder's place": {"d", errNoFolder},
	} {
		base := shortDir(t)
		path := filepath.Join(base, test.path)
		must(t, "making "+what, errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)))
		_, err := New(Options{Dir: filepath.Join(base, "d")}).Listen(t.Context(), counter)
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("listening with %s: %v; want %v and %s", what, err, test.want, path)
		}
	}
}

func TestDialWithoutAServerFails(t *testing.T) {
	for _, dir := range []string{shortDir(t), "/no/such/folder"} {
		_, err := New(Options{Dir: dir}).Dial(t.Context(), counter)
		if !errors.Is(err, ErrNotListening) || !errors.Is(err, syscall.ENOENT) {
			t.Errorf("dialing in %s: %v, want ErrNotListening and %v", dir, err, syscall.ENOENT)
		}
	}
}

func TestNamesOfAMissingFolderAreNone(t *testing.T) {
	if names, err := New(Options{Dir: "/no/such/folder"}).Names(t.Context()); len(names) != 0 || err != nil {
		t.Errorf("names of a missing folder: %v, %v; want none", names, err)
	}
}

func TestPlaceHeedsItsContext(t *testing.T) {
	u := Options{Dir: shortDir(t)}
	leaveStale(t, filepath.Join(u.Dir, "counter.sock"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(u).Listen(ctx, counter); !errors.Is(err, context.Canceled) {
		t.Errorf("listening with a context that has ended: %v, want %v", err, context.Canceled)
	}
	if _, err := New(u).Dial(ctx, counter); !errors.Is(err, context.Canceled) || errors.Is(err, ErrNotListening) {
		t.Errorf("dialing with a context that has ended: %v, want %v", err, context.Canceled)
	}
	if _, err := New(u).Names(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("listing names with a context that has ended: %v, want %v", err, context.Canceled)
	}
}

func TestPlaceRefusesWhatIsNoName(t *testing.T) {
	p := New(Options{Dir: shortDir(t)})
	for _, name := range []string{"", "../counter"} {
		if _, err := p.Listen(t.Context(), name); !errors.Is(err, ErrInvalid) {
			t.Errorf("listening on %q: %v, want ErrInvalid", name, err)
		}
		if _, err := p.Dial(t.Context(), name); !errors.Is(err, ErrInvalid) {
			t.Errorf("dialing %q: %v, want ErrInvalid", name, err)
		}
	}
}

func TestPlaceWithInvalidOptionsSaysWhatIsWrong(t *testing.T) {
	for want, o := range map[string]Options{
		"none-here":                      {Group: "none-here"},
		"an octal number begins with 0o": {Mode: 660},
		"lets nobody write":              {Mode: 0o444},
		"a zero byte":                    {Dir: "a\x00b"},
	} {
		_, listenErr := New(o).Listen(t.Context(), counter)
		_, dialErr := New(o).Dial(t.Context(), counter)
		_, namesErr := New(o).Names(t.Context())
		for _, err := range []error{listenErr, dialErr, namesErr} {
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
				t.Errorf("using %+v: %v; want ErrInvalid and %q", o, err, want)
			}
		}
	}
}

func TestPlaceGivesNewsOfANewServer(t *testing.T) {
	o := Options{Dir: filepath.Join(shortDir(t), "made", "later")}
	p := New(o)
	news, stop := p.Watch(counter)
	defer stop()
	mustListen(t, o, counter)
	select {
	case <-news:
	case <-within(t).Done():
		t.Error("no news of a new server, want some")
	}
}

func TestPlaceExplainsTheLimitOfPaths(t *testing.T) {
	o := Options{Dir: shortDir(t)}
	room := maxSocketPath() - len(filepath.Join(o.Dir, ".sock"))
	fits, long := strings.Repeat("n", room), strings.Repeat("n", room+1)
	mustListen(t, o, fits)
	conn, err := New(o).Dial(t.Context(), fits)
	must(t, "dialing the longest name", err)
	conn.Close()
	_, listenErr := New(o).Listen(t.Context(), long)
	_, dialErr := New(o).Dial(t.Context(), long)
	want := fmt.Sprintf("the socket path %s has %d bytes, the system allows %d",
		filepath.Join(o.Dir, long+".sock"), maxSocketPath()+1, maxSocketPath())
	for _, err := range []error{listenErr, dialErr} {
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("using a name that is too long: %v; want ErrInvalid and %s", err, want)
		}
	}
	if entries, err := os.ReadDir(o.Dir); len(entries) != 2 {
		t.Errorf("the folder has %v, %v; want the socket and the lock of the other name", entries, err)
	}
}

func TestDialTriesASocketAgainThatDeniesPermission(t *testing.T) {
	denied := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EACCES)}
	reason, conn := errors.New("reason"), new(net.UnixConn)
	for _, test := range []struct {
		errs []error // of one try after the other; the last stays
		want error
		took time.Duration
	}{
		{[]error{nil}, nil, 0},
		{[]error{denied, denied, nil}, nil, 3 * time.Millisecond},
		{[]error{denied, ErrNotListening}, ErrNotListening, time.Millisecond},
		{[]error{denied}, fs.ErrPermission, 127 * time.Millisecond},
		{[]error{reason}, reason, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			start, tries := time.Now(), 0
			got, err := undenied(t.Context(), func(context.Context) (*net.UnixConn, error) {
				err := test.errs[min(tries, len(test.errs)-1)]
				tries++
				return conn, err
			})
			if !errors.Is(err, test.want) || (got == nil) != (test.want != nil) || time.Since(start) != test.took {
				t.Errorf("dialing a socket that answers %v: %v, %v after %v; want %v after %v", test.errs, got, err, time.Since(start), test.want, test.took)
			}
			ctx, cancel := context.WithTimeoutCause(t.Context(), 2*time.Millisecond, reason)
			defer cancel()
			if _, err := undenied(ctx, func(context.Context) (*net.UnixConn, error) { return nil, denied }); err != reason {
				t.Errorf("dialing again until the context ends: %v, want %v", err, reason)
			}
		})
	}
}

func TestPlaceMayBeRelative(t *testing.T) {
	t.Chdir(shortDir(t))
	listener := mustListen(t, Options{Dir: "@d"}, counter) // a socket path that begins with @ is no file on Linux
	exists(t, "@d/counter.sock", "the socket in a relative folder")
	t.Chdir("/")
	must(t, "closing the listener in another folder", listener.Close())
}

func TestDefaultDir(t *testing.T) {
	t.Setenv("TMPDIR", "/some/tmp")
	temporary := fmt.Sprintf("/some/tmp/rxipc-%d", os.Getuid())
	for runtimeDir, want := range map[string]string{
		"/run/user/7": "/run/user/7/rxipc",
		"":            temporary,
		"relative":    temporary,
	} {
		t.Setenv("XDG_RUNTIME_DIR", runtimeDir)
		if got := DefaultDir(); got != want {
			t.Errorf("XDG_RUNTIME_DIR=%q: %s, want %s", runtimeDir, got, want)
		}
	}
}

func TestDefaultDirIsMadePrivate(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", shortDir(t))
	if _, err := New(Options{}).Dial(t.Context(), counter); !errors.Is(err, ErrNotListening) {
		t.Errorf("dialing in a default folder that is missing: %v, want ErrNotListening", err)
	}
	mustListen(t, Options{}, counter)
	if info, err := os.Lstat(DefaultDir()); err != nil || info.Mode() != fs.ModeDir|0o700 {
		t.Errorf("the default folder has mode %v, %v; want 0700", info.Mode(), err)
	}
	mustConnect(t, Options{})
}

func TestDefaultDirThatAnotherUserPreparedIsNotTrusted(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", openDir(t))
	dir := DefaultDir()
	for name, prepare := range map[string]func() error{
		"open to others": func() error { return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o733)) },
		"a link":         func() error { return os.Symlink(shortDir(t), dir) },
		"a file":         func() error { return os.WriteFile(dir, nil, 0o600) },
	} {
		must(t, "preparing a folder", prepare())
		_, listenErr := New(Options{}).Listen(t.Context(), counter)
		_, dialErr := New(Options{}).Dial(t.Context(), counter)
		for _, err := range []error{listenErr, dialErr} {
			if err == nil || !strings.Contains(err.Error(), dir) || errors.Is(err, ErrNotListening) {
				t.Errorf("using a default folder that is %s: %v, want an error that names it", name, err)
			}
		}
		remove(t, dir)
	}
}

func TestNamesListsSocketsOnly(t *testing.T) {
	u := Options{Dir: shortDir(t)}
	for _, text := range []string{"b", "a", "a-b", "A"} {
		mustListen(t, u, text)
	}
	leaveStale(t, filepath.Join(u.Dir, "left-over.sock"))
	leaveStale(t, filepath.Join(u.Dir, "not.a.name.sock"))
	leaveStale(t, filepath.Join(u.Dir, "another-end"))
	must(t, "making a file", os.WriteFile(filepath.Join(u.Dir, "file.sock"), nil, 0o600))
	got, err := New(u).Names(t.Context())
	if want := []string{"A", "a", "a-b", "b", "left-over"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("the names are %q, %v; want %q", got, err, want)
	}
}

func TestListenMakesFilesAndFoldersWhateverTheUmask(t *testing.T) {
	own := fmt.Sprint(os.Getegid())
	for _, test := range []struct {
		unix                 Options
		folder, socket, lock fs.FileMode
	}{
		{Options{}, 0o700, 0o600, 0o600},
		{Options{Group: own}, 0o750, 0o660, 0o660},
		{Options{Mode: 0o620}, 0o750, 0o620, 0o620},
		{Options{Mode: 0o666}, 0o755, 0o666, 0o660},
		{Options{Mode: 0o666, Shared: true}, 0o755, 0o666, 0o666},
		{Options{Mode: 0o777, Shared: true}, 0o755, 0o777, 0o666},
	} {
		for _, umask := range []int{0, 0o777} {
			u := test.unix
			u.Dir = filepath.Join(openDir(t), "parent", "d")
			before := syscall.Umask(umask)
			listener, err := New(u).Listen(t.Context(), counter)
			syscall.Umask(before)
			if err != nil {
				t.Fatalf("listening with %+v and umask %#o: %v", u, umask, err)
			}
			for path, want := range map[string]fs.FileMode{
				"../": fs.ModeDir | test.folder, ".": fs.ModeDir | test.folder,
				"counter.sock": fs.ModeSocket | test.socket, ".counter.lock": test.lock,
			} {
				if info, err := os.Lstat(filepath.Join(u.Dir, path)); err != nil || info.Mode() != want {
					t.Errorf("%+v, umask %#o: %s is %v, %v; want %v", u, umask, path, info.Mode(), err, want)
				}
			}
			listener.Close()
		}
	}
}

func TestDefaultDirIsNotInAFolderOfAnotherUser(t *testing.T) {
	theirs := mkdir(t, 0o755, openDir(t), "theirs")
	if err := os.Chown(theirs, 12345, -1); err != nil {
		t.Skip("not run by root: no folder can be given away here: ", err)
	}
	t.Setenv("XDG_RUNTIME_DIR", theirs)
	if got, want := DefaultDir(), temporaryDir(); got != want {
		t.Errorf("the default folder is %s where XDG_RUNTIME_DIR is another user's, want %s", got, want)
	}
}
