package unixsock

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestFolderWatchHasTheSystemWatchOneFolderAtATime(t *testing.T) {
	dir := filepath.Join(shortDir(t), "made", "later")
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Skip("this system watches no more folders: ", err)
	}
	n := &inotify{watch: &FolderWatch{Dir: dir}, file: os.NewFile(uintptr(fd), "inotify")}
	defer n.file.Close()
	for _, made := range []string{"", filepath.Dir(dir), dir} {
		if err := os.MkdirAll(made, 0o700); made != "" && err != nil {
			t.Fatal("making a folder: ", err)
		}
		if err := n.arm(); err != nil {
			t.Fatalf("watching for %s when there is %q: %v", dir, made, err)
		}
		info, err := os.ReadFile(fmt.Sprint("/proc/self/fdinfo/", fd))
		if err != nil {
			t.Skip("this system does not tell what is watched: ", err)
		}
		if watched := strings.Count(string(info), "inotify wd:"); watched != 1 {
			t.Errorf("%d folders are watched when there is %q, want 1", watched, made)
		}
	}
}
