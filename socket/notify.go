package socket

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// States for [Notify], as systemd has them (sd_notify(3)).
const (
	Ready    = "READY=1"    // the service serves
	Stopping = "STOPPING=1" // it is about to end
)

const (
	notifySocket = "NOTIFY_SOCKET"
	watchdogUsec = "WATCHDOG_USEC"
	watchdogPID  = "WATCHDOG_PID"
	stillThere   = "WATCHDOG=1"
)

// Status is a state for [Notify]: a line that the manager shows to people.
func Status(text string) string { return "STATUS=" + strings.ReplaceAll(text, "\n", " ") }

// Notify tells the manager of services that started the process, if one did that
// wants to know (NOTIFY_SOCKET is set), what state it is in. All states go in one
// datagram. A server says that it is ready when it listens:
//
//	socket.Config{Listening: func(socket.Name) { socket.Notify(socket.Ready) }}
//
// Without a manager it does nothing and returns nil. It waits for one that is too busy
// to take what it is told. A process may go on when it fails.
func Notify(states ...string) error { return notify(context.Background(), states...) }

// notify is Notify until ctx ends.
func notify(ctx context.Context, states ...string) error {
	address := os.Getenv(notifySocket)
	if address == "" || len(states) == 0 {
		return nil
	}
	// An address that begins with @ is outside the file system; net knows that, too.
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return &Error{Op: "notify", Err: err}
	}
	defer context.AfterFunc(ctx, func() { conn.SetWriteDeadline(longAgo) })()
	_, err = conn.Write([]byte(strings.Join(states, "\n")))
	err = errors.Join(err, conn.Close())
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return &Error{Op: "notify", Err: err}
}

// Watchdog tells the manager of services that the process is alive, twice in each
// period that it asks for (WATCHDOG_USEC), until ctx ends; it then returns ctx's
// cause. It returns nil at once when nobody asks, and the error when telling fails.
func Watchdog(ctx context.Context) error {
	period, err := watchdogPeriod()
	if period == 0 || err != nil {
		return err
	}
	for {
		if err := notify(ctx, stillThere); err != nil {
			return err
		}
		if err := sleep(ctx, period/2); err != nil {
			return err
		}
	}
}

// watchdogPeriod is within which the manager wants to hear of the process, zero if
// it does not.
func watchdogPeriod() (time.Duration, error) {
	usec, pid := os.Getenv(watchdogUsec), os.Getenv(watchdogPID)
	if usec == "" || os.Getenv(notifySocket) == "" || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0, nil
	}
	n, err := strconv.ParseInt(usec, 10, 64)
	if err != nil || n <= 0 || n > int64(1<<62/time.Microsecond) {
		return 0, &Error{Op: "watchdog", Err: errors.New(watchdogUsec + " is " + wire.Quote(usec))}
	}
	return time.Duration(n) * time.Microsecond, nil
}
