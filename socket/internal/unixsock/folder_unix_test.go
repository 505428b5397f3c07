//go:build unix

package unixsock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestFolderThatOthersCanChangeIsNotTrusted(t *testing.T) {
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
			u := Options{Dir: test.make(t, base)}
			if test.bad == "" {
				mustListen(t, u, counter)
				mustConnect(t, u)
				return
			}
			_, listenErr := New(u).Listen(t.Context(), counter)
			_, dialErr := New(u).Dial(t.Context(), counter)
			_, namesErr := New(u).Names(t.Context())
			for _, err := range []error{listenErr, dialErr, namesErr} {
				if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), filepath.Join(base, test.bad)+" ") ||
					!strings.Contains(err.Error(), "Unix.Shared") || errors.Is(err, ErrNotListening) {
					t.Errorf("using a folder %s: %v; want ErrPermission that blames %s", name, err, test.bad)
				}
			}
			if _, err := os.Lstat(filepath.Join(u.Dir, ".counter.lock")); err == nil {
				t.Errorf("a lock was made in a folder %s, want none", name)
			}
			u.Shared = true
			mustListen(t, u, counter).Close()
		})
	}
}

func TestFolderBehindLinksInACircleIsAnError(t *testing.T) {
	base := openDir(t)
	symlink(t, "b", base, "a")
	symlink(t, "a", base, "b")
	if err := New(Options{}).checkWay(filepath.Join(base, "a", "d"), false); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("looking at a folder behind links in a circle: %v, want %v", err, syscall.ELOOP)
	}
}

func TestFolderThatIsAFileIsAnError(t *testing.T) {
	path := filepath.Join(openDir(t), "file")
	must(t, "making a file", os.WriteFile(path, nil, 0o600))
	if _, err := New(Options{Dir: path}).Dial(t.Context(), counter); err == nil || !strings.Contains(err.Error(), "is not a folder") {
		t.Errorf("dialing in a file: %v, want that it is not a folder", err)
	}
}

func TestFolderThatIsMissingIsAnError(t *testing.T) {
	if err := New(Options{Dir: filepath.Join(shortDir(t), "missing")}).isFolder(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("looking at a folder that is missing: %v, want %v", err, fs.ErrNotExist)
	}
}

func TestDefaultDirIsMadeByItsUserAlone(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("TMPDIR", openDir(t))
	place := New(Options{})
	place.dir = filepath.Join(openDir(t), "missing")
	place.user++ // who it was when the place was found
	if err := place.makeFolder(); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "set Dir") {
		t.Errorf("making the default folder of another user: %v, want ErrPermission and what helps", err)
	}
}

func TestFolderOfAnotherUserIsNotTrusted(t *testing.T) {
	const otherUser = 12345
	base := openDir(t)
	for _, dir := range []string{mkdir(t, 0o755, base, "theirs"), filepath.Join(mkdir(t, 0o755, base, "above"), "d")} {
		if err := os.Chown(strings.TrimSuffix(dir, "/d"), otherUser, otherUser); err != nil {
			t.Skip("not run by root: no folder can be given away here: ", err)
		}
		_, err := New(Options{Dir: dir}).Listen(t.Context(), counter)
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), fmt.Sprintf("belongs to user %d", otherUser)) {
			t.Errorf("listening in %s, which is another user's or in such a folder: %v; want ErrPermission and whose it is", dir, err)
		}
	}
}
