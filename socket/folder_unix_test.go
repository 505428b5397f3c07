//go:build unix

package socket

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// openDir is a folder that others may enter: what is in it, is not hidden.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(shortDir(t))
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// mkdir makes a folder of a mode, whatever the umask is.
func mkdir(t *testing.T, mode fs.FileMode, path ...string) string {
	t.Helper()
	dir := filepath.Join(path...)
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, mode)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOnlyFoldersThatOthersCannotChangeAreTrusted(t *testing.T) {
	for name, test := range map[string]struct {
		make func(t *testing.T, base string) string // the folder to use
		bad  string                                 // what is to blame, below base; empty: it is good
	}{
		"of this user":             {func(t *testing.T, base string) string { return mkdir(t, 0o700, base, "d") }, ""},
		"that others may read":     {func(t *testing.T, base string) string { return mkdir(t, 0o755, base, "d") }, ""},
		"that its group may write": {func(t *testing.T, base string) string { return mkdir(t, 0o770, base, "d") }, "d"},
		"that anybody may write":   {func(t *testing.T, base string) string { return mkdir(t, 0o777, base, "d") }, "d"},
		"that is like /tmp":        {func(t *testing.T, base string) string { return mkdir(t, 0o777|fs.ModeSticky, base, "d") }, "d"},
		"below one like /tmp": {func(t *testing.T, base string) string {
			return mkdir(t, 0o700, mkdir(t, 0o777|fs.ModeSticky, base, "tmp"), "d")
		}, ""},
		"below one others can move": {func(t *testing.T, base string) string { return mkdir(t, 0o700, mkdir(t, 0o777, base, "up"), "d") }, "up"},
		"below one nobody enters":   {func(t *testing.T, base string) string { return mkdir(t, 0o777, mkdir(t, 0o700, base, "up"), "d") }, ""},
		"to be made":                {func(t *testing.T, base string) string { return filepath.Join(base, "new", "d") }, ""},
		"to be made in a bad one":   {func(t *testing.T, base string) string { return filepath.Join(mkdir(t, 0o777, base, "up"), "d") }, "up"},
		"a link":                    {func(t *testing.T, base string) string { return symlink(t, mkdir(t, 0o700, base, "there"), base, "d") }, "d"},
		"through a link": {func(t *testing.T, base string) string {
			mkdir(t, 0o700, mkdir(t, 0o755, base, "there"), "d")
			return filepath.Join(symlink(t, "there", base, "here"), "d")
		}, ""},
		"through a link to a bad one": {func(t *testing.T, base string) string {
			mkdir(t, 0o700, mkdir(t, 0o777, base, "there"), "d")
			return filepath.Join(symlink(t, filepath.Join(base, "there"), base, "here"), "d")
		}, "there"},
		"up from where a link leads": {func(t *testing.T, base string) string {
			mkdir(t, 0o700, mkdir(t, 0o755, base, "good"), "d")
			bad := mkdir(t, 0o777, base, "bad")
			mkdir(t, 0o700, bad, "good")
			mkdir(t, 0o700, bad, "good", "d")
			mkdir(t, 0o700, bad, "in")
			symlink(t, "bad/in", base, "in")
			return filepath.Join(symlink(t, "in/../good", base, "here"), "d")
		}, "bad"},
	} {
		t.Run(name, func(t *testing.T) {
			base := openDir(t)
			u := Unix{Dir: test.make(t, base)}
			listener, err := u.Listen(t.Context(), counter)
			if test.bad == "" {
				if err != nil {
					t.Fatal(err)
				}
				defer listener.Close()
				conn, err := u.Dial(t.Context(), counter)
				if err != nil {
					t.Fatal(err)
				}
				conn.Close()
				return
			}
			_, dialErr := u.Dial(t.Context(), counter)
			listErr := New(Config{Transport: u}).Names(t.Context()).Err()
			for _, err := range []error{err, dialErr, listErr} {
				if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), filepath.Join(base, test.bad)+" ") ||
					!strings.Contains(err.Error(), "Unix.Shared") || errors.Is(err, ErrNotListening) {
					t.Errorf("%v; want %s to blame", err, test.bad)
				}
			}
			if _, err := os.Lstat(filepath.Join(u.Dir, ".counter.lock")); err == nil {
				t.Error("something was made there")
			}
			u.Shared = true
			mustListen(t, u, counter).Close()
		})
	}
}

func symlink(t *testing.T, target string, path ...string) string {
	t.Helper()
	if err := os.Symlink(target, filepath.Join(path...)); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(path...)
}

func TestLinksInACircleAreNoFolder(t *testing.T) {
	base := openDir(t)
	symlink(t, "b", base, "a")
	symlink(t, "a", base, "b")
	if err := (Unix{}).place().checkWay(filepath.Join(base, "a", "d"), false); !errors.Is(err, syscall.ELOOP) {
		t.Error(err)
	}
}

func TestAFileIsNoFolder(t *testing.T) {
	path := filepath.Join(openDir(t), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Unix{Dir: path}).Dial(t.Context(), counter); err == nil || !strings.Contains(err.Error(), "is not a folder") {
		t.Error(err)
	}
}

func TestFolderThatIsMissingIsNoFolder(t *testing.T) {
	if err := (Unix{Dir: filepath.Join(shortDir(t), "missing")}).place().isFolder(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("looking at a folder that is missing: %v, want %v", err, fs.ErrNotExist)
	}
}

func TestDefaultDirIsMadeByItsUserAlone(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("TMPDIR", openDir(t))
	place := Unix{}.place()
	place.dir = filepath.Join(openDir(t), "missing")
	place.user++ // who it was when the place was found
	if err := place.makeFolder(); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "set Dir") {
		t.Errorf("making the default folder of another user: %v, want ErrPermission and what helps", err)
	}
}
