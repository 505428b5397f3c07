//go:build unix

package unixsock

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// errNoFolder is the system's error for a file in the place of a folder.
const errNoFolder = syscall.ENOTDIR

// checkWay walks from the root to dir. It follows links on the way, but not a link in the place
// of dir. Each folder and link must belong to this user or to root, and must not be writable by
// others. The sticky bit is enough for a folder on the way, but not for dir. Below a folder that
// only this user can enter, folders may be writable by others, who do not get there. A client
// also trusts a folder of the sockets' group that only its owner may write to.
func (p *Place) checkWay(dir string, client bool) error {
	at, enclosed, links := "/", false, 0
	rest := steps(dir)
	for {
		info, err := os.Lstat(at)
		if err != nil {
			return err
		}
		owner, perm, last := ownerOf(info), info.Mode().Perm(), len(rest) == 0
		switch {
		case !p.trusts(owner) && (last || !isUnmapped(owner)) && !(client && p.isOfGroup(info)):
			return untrusted(at, "belongs to user %d, neither to user %d nor to root", owner, p.user)
		case info.Mode().Type() == fs.ModeSymlink && last:
			return untrusted(at, "is a link")
		case info.Mode().Type() == fs.ModeSymlink:
			if links++; links > 40 {
				return &os.PathError{Op: "follow", Path: dir, Err: syscall.ELOOP}
			}
			target, err := os.Readlink(at)
			if err != nil {
				return err
			}
			at, rest = filepath.Dir(at), slices.Concat(steps(target), rest)
			if filepath.IsAbs(target) {
				at, enclosed = "/", false
			}
			continue
		case perm&0o022 != 0 && !enclosed && (last || info.Mode()&fs.ModeSticky == 0):
			return untrusted(at, "has mode %#o, others may write to it", perm)
		case last:
			return nil
		}
		enclosed = rest[0] != ".." && (enclosed || perm&0o077 == 0 && p.isUser(owner))
		at, rest = filepath.Join(at, rest[0]), rest[1:]
	}
}

// isUser reports whether uid is the user of this process, now or when the place was made.
func (p *Place) isUser(uid int) bool { return uid == p.user || uid == os.Geteuid() }

func (p *Place) trusts(uid int) bool { return uid == 0 || p.isUser(uid) }

// isOfGroup reports whether a folder is of the sockets' group. Only a member can give a folder to
// a group.
func (p *Place) isOfGroup(info fs.FileInfo) bool {
	return p.group >= 0 && info.IsDir() && int(info.Sys().(*syscall.Stat_t).Gid) == p.group
}

// isAnothers reports whether a folder belongs to another user than the effective one.
func isAnothers(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && ownerOf(info) != os.Geteuid()
}

// steps splits a path and does not clean it: ".." behind a link is the parent of its target.
func steps(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == filepath.Separator })
}

// ownerOf is the number of the user that a file belongs to.
func ownerOf(info fs.FileInfo) int { return int(info.Sys().(*syscall.Stat_t).Uid) }

// untrusted is the error of a folder, or one above it, that others control.
func untrusted(path, why string, args ...any) error {
	return fmt.Errorf("%w: %s %s; Unix.Shared takes it nevertheless",
		fs.ErrPermission, path, fmt.Sprintf(why, args...))
}

// isUnmapped reports whether a number stands for all users without a number in this user
// namespace. In a sandbox of an ordinary user, root is one of them, and / and /tmp seem to belong
// to that number.
func isUnmapped(uid int) bool { return uid == overflowUser() }

// overflowUser is the number of unmapped users, or -1 where all are mapped, as on every system
// but Linux.
var overflowUser = sync.OnceValue(func() int {
	const number = 65534 // of the kernel, unless somebody changed it
	mapped, err := os.ReadFile("/proc/self/uid_map")
	fields := strings.Fields(string(mapped))
	if err != nil || len(fields) == 3 && fields[2] == "4294967295" {
		return -1
	}
	return number
})
