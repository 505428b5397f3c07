// Package systemd reports the state of the process to a service manager, and reads and writes
// the variables by which a service manager passes sockets: sd_notify(3), sd_watchdog_enabled(3)
// and sd_listen_fds(3). It works with every manager that uses these variables. Without a manager
// its functions do nothing.
//
//	config.Listening = func(socket.Name) { systemd.Notify(ctx, systemd.Ready) }
//	go systemd.Watchdog(ctx)
//
// All functions may be called from any goroutine.
package systemd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// States for [Notify].
const (
	Ready    = "READY=1"    // the service serves
	Stopping = "STOPPING=1" // the service is about to end
)

const (
	notifySocket = "NOTIFY_SOCKET"
	watchdogUsec = "WATCHDOG_USEC"
	watchdogPID  = "WATCHDOG_PID"
	stillThere   = "WATCHDOG=1"
)

// Status is a state for [Notify]: a line that the manager shows to its users. Line breaks become
// spaces.
func Status(text string) string { return "STATUS=" + strings.ReplaceAll(text, "\n", " ") }

// MainPID is a state for [Notify]: the process with the given ID is the main process of the
// service from now on.
func MainPID(pid int) string { return "MAINPID=" + strconv.Itoa(pid) }

// Notify sends states of the process to the service manager, all of them in one datagram.
// A server is ready when it listens:
//
//	socket.Config{Listening: func(socket.Name) { systemd.Notify(ctx, systemd.Ready) }}
//
// It returns nil without a manager, that is when NOTIFY_SOCKET is not set. It blocks while the
// manager is too busy to receive. When ctx ends meanwhile, it returns the cause of ctx. It
// wraps an error of the system. A process may ignore the error and go on.
func Notify(ctx context.Context, states ...string) error {
	address := os.Getenv(notifySocket)
	if address == "" || len(states) == 0 {
		return nil
	}
	// Package net handles an address that begins with @, which is outside the file system.
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("systemd: notify: %w", err)
	}
	defer context.AfterFunc(ctx, func() { conn.SetWriteDeadline(time.Now()) })()
	_, err = conn.Write([]byte(strings.Join(states, "\n")))
	err = errors.Join(err, conn.Close())
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return fmt.Errorf("systemd: notify: %w", err)
}

// Watchdog notifies the service manager that the process is alive, twice in each period of
// WATCHDOG_USEC. It returns the cause of ctx when ctx ends. It returns nil at once when the
// manager does not ask for notifications, and an error when WATCHDOG_USEC is not a period or
// [Notify] fails.
func Watchdog(ctx context.Context) error {
	period, err := watchdogPeriod()
	if period == 0 || err != nil {
		return err
	}
	ticker := time.NewTicker(period / 2)
	defer ticker.Stop()
	for {
		if err := Notify(ctx, stillThere); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// watchdogPeriod returns the longest time between two notifications, zero if the manager does
// not ask for them.
func watchdogPeriod() (time.Duration, error) {
	usec, pid := os.Getenv(watchdogUsec), os.Getenv(watchdogPID)
	if usec == "" || os.Getenv(notifySocket) == "" || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0, nil
	}
	n, err := strconv.ParseInt(usec, 10, 64)
	if err != nil || n <= 0 || n > int64(1<<62/time.Microsecond) {
		return 0, fmt.Errorf("systemd: watchdog: %s is %.64q, want a number of microseconds", watchdogUsec, usec)
	}
	return time.Duration(n) * time.Microsecond, nil
}
