//go:build unix

package systemd_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/rxipc/rxipc/socket/systemd"
)

// A service whose unit has WatchdogSec runs Watchdog beside its server. Here the example itself takes
// the place of the service manager, and reads one notification.
func ExampleWatchdog() {
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	address := &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"}
	manager, err := net.ListenUnixgram("unixgram", address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer manager.Close()
	os.Setenv("NOTIFY_SOCKET", address.Name)
	defer os.Unsetenv("NOTIFY_SOCKET")
	os.Setenv("WATCHDOG_USEC", "20000")
	defer os.Unsetenv("WATCHDOG_USEC")

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- systemd.Watchdog(ctx) }()
	notice := make([]byte, 100)
	n, err := manager.Read(notice)
	fmt.Println(string(notice[:n]), err)
	stop()
	fmt.Println(<-ended)
	// Output:
	// WATCHDOG=1 <nil>
	// context canceled
}
