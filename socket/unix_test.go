//go:build unix

package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestNobodyListens(t *testing.T) {
	for _, dir := range []string{shortDir(t), "/no/such/folder"} {
		_, err := Unix{Dir: dir}.Dial(t.Context(), counter)
		if !errors.Is(err, ErrNotListening) || !errors.Is(err, syscall.ENOENT) {
			t.Errorf("%v", err)
		}
		var structured *Error
		if !errors.As(err, &structured) || structured.Op != "dial" || structured.Name != "counter" {
			t.Errorf("%#v", err)
		}
	}
}

func TestAMissingFolderHasNoNames(t *testing.T) {
	if names, err := (Unix{Dir: "/no/such/folder"}).Names(t.Context()); len(names) != 0 || err != nil {
		t.Errorf("%v, %v", names, err)
	}
}

func TestUnixHeedsItsContext(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	leaveStale(t, filepath.Join(u.Dir, "counter.sock"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := u.Listen(ctx, counter); !errors.Is(err, context.Canceled) {
		t.Errorf("Listen: %v", err)
	}
	if _, err := u.Dial(ctx, counter); !errors.Is(err, context.Canceled) || errors.Is(err, ErrNotListening) {
		t.Errorf("Dial: %v", err)
	}
	if _, err := u.Names(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Names: %v", err)
	}
}

func TestUnixRefusesTheZeroName(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	if _, err := u.Listen(t.Context(), Name{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("Listen: %v", err)
	}
	if _, err := u.Dial(t.Context(), Name{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("Dial: %v", err)
	}
}

func TestThePathLimitIsExplained(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	room := maxSocketPath() - len(filepath.Join(u.Dir, ".sock"))
	fits := MustParseName(strings.Repeat("n", room))
	mustListen(t, u, fits)
	conn, err := u.Dial(t.Context(), fits)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()

	long := MustParseName(strings.Repeat("n", room+1))
	_, listenErr := u.Listen(t.Context(), long)
	_, dialErr := u.Dial(t.Context(), long)
	want := fmt.Sprintf("the socket path %s has %d bytes, the system allows %d",
		filepath.Join(u.Dir, long.String()+".sock"), maxSocketPath()+1, maxSocketPath())
	for _, err := range []error{listenErr, dialErr} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant it to say %s", err, want)
		}
	}
	if entries, _ := os.ReadDir(u.Dir); len(entries) != 2 {
		t.Errorf("something was made for it: %v", entries)
	}
}

func TestASocketThatDeniesIsTriedAgainForAMoment(t *testing.T) {
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
			got, err := undenied(t.Context(), func() (*net.UnixConn, error) {
				err := test.errs[min(tries, len(test.errs)-1)]
				tries++
				return conn, err
			})
			if !errors.Is(err, test.want) || (got == nil) != (test.want != nil) || time.Since(start) != test.took {
				t.Error(got, err, time.Since(start))
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(reason)
			if _, err := undenied(ctx, func() (*net.UnixConn, error) { return nil, denied }); err != reason {
				t.Error(err)
			}
		})
	}
}

func TestDirMayBeRelative(t *testing.T) {
	t.Chdir(shortDir(t))
	u := Unix{Dir: "@d"} // a socket path that begins with @ is not a file on Linux
	listener := mustListen(t, u, counter)
	if _, err := os.Lstat("@d/counter.sock"); err != nil {
		t.Error(err)
	}
	t.Chdir("/")
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
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

func TestTheDefaultFolderIsMadePrivate(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", shortDir(t))
	if _, err := (Unix{}).Dial(t.Context(), counter); !errors.Is(err, ErrNotListening) {
		t.Errorf("before it is there: %v", err)
	}
	mustListen(t, Unix{}, counter)
	if info, err := os.Lstat(DefaultDir()); err != nil || info.Mode() != fs.ModeDir|0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	conn, err := Unix{}.Dial(t.Context(), counter)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestADefaultFolderThatSomebodyElsePreparedIsNotTrusted(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", openDir(t))
	dir := DefaultDir()
	for name, prepare := range map[string]func() error{
		"open to others": func() error { return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o733)) },
		"a link":         func() error { return os.Symlink(shortDir(t), dir) },
		"a file":         func() error { return os.WriteFile(dir, nil, 0o600) },
	} {
		if err := prepare(); err != nil {
			t.Fatal(err)
		}
		_, listenErr := Unix{}.Listen(t.Context(), counter)
		_, dialErr := Unix{}.Dial(t.Context(), counter)
		for _, err := range []error{listenErr, dialErr} {
			if err == nil || !strings.Contains(err.Error(), dir) || errors.Is(err, ErrNotListening) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
}
