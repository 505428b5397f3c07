package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

func init() {
	roles["sandboxed"] = func(dir string) {
		info, err := os.Lstat("/")
		fmt.Println("the owner of / is known:", err == nil && info.Sys().(*syscall.Stat_t).Uid == 0)
		_, err = Unix{Dir: filepath.Join(dir, "own")}.Listen(context.Background(), counter)
		fmt.Println("own:", err)
		_, err = Unix{Dir: filepath.Join(dir, "theirs")}.Listen(context.Background(), counter)
		fmt.Println("refused:", errors.Is(err, fs.ErrPermission))
	}
}

// In a sandbox of an ordinary user, / and /tmp belong to nobody the process could name.
func TestUnixFolderInASandboxMustBeTheUsersOwn(t *testing.T) {
	user, group := os.Getuid(), os.Getgid()
	base := openDir(t)
	own, theirs := mkdir(t, 0o700, base, "own"), mkdir(t, 0o755, base, "theirs")
	cmd := exec.Command(programForAll(t))
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER}
	if user == 0 {
		user, group = otherUser, otherUser
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 7, Gid: 7, NoSetGroups: true}
		if err := os.Chown(own, user, group); err != nil {
			t.Fatalf("give a folder to user %d: %v", user, err)
		}
	} else if err := errors.Join(os.Remove(theirs), os.Symlink("/usr", theirs)); err != nil {
		t.Fatalf("replace a folder by a link: %v", err) // nobody can give a folder away here
	}
	cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 7, HostID: user, Size: 1}}
	cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 7, HostID: group, Size: 1}}
	sandboxed, err := startOr(t, cmd, "sandboxed", base)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOSPC) {
		t.Log("this system lets this user make no user namespace: ", err)
		return
	}
	if err != nil {
		t.Fatalf("start a process in a user namespace: %v", err)
	}
	sandboxed.expect("the owner of / is known: false")
	sandboxed.expect("own: <nil>")
	sandboxed.expect("refused: true")
}
