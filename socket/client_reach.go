package socket

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"runtime"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

const (
	// firstPause and longestPause bound how long ConnectTo waits before it tries again. The
	// pause doubles from one to the other.
	firstPause   = time.Millisecond
	longestPause = 50 * time.Millisecond

	// quietPause is the longest time between two tries of a client that waits for news of a
	// name, in case the news got lost.
	quietPause = 5 * time.Second

	// firstDelay and longestDelay bound how long a [Pool] and [IPC.Follow] wait before they
	// connect again, unless their policy says otherwise.
	firstDelay   = 10 * time.Millisecond
	longestDelay = time.Second
)

// keepUp returns the rules for keeping a connection up: policy, with defaults filled in.
func keepUp(policy operators.RetryPolicy) keeping {
	told := policy.Delay == 0 && policy.Times == 0
	policy.Delay = cmp.Or(policy.Delay, firstDelay)
	policy.MaxDelay = cmp.Or(policy.MaxDelay, max(longestDelay, policy.Delay))
	policy.ResetOnValue = true
	if policy.If == nil {
		policy.If = IsPassing
	}
	return keeping{policy, told}
}

// keeping is the rules for keeping a connection up.
type keeping struct {
	policy operators.RetryPolicy
	told   bool // wait for news of a server, where the transport gives them, instead of Delay
}

// untilConnected is how ConnectTo tries again.
var untilConnected = keeping{
	operators.RetryPolicy{Delay: firstPause, MaxDelay: longestPause, Jitter: -1, If: comesBack}, true,
}

// reach connects once. While nobody listens and the transport gives news of servers, it waits
// for news and tries again, after 1 ms to 50 ms at first, then after quietPause. Each failure
// goes to failed, which returns the error for the caller, or nil if the connection is not
// wanted any more. Then reach returns nil, nil.
func (ipc *IPC) reach(ctx context.Context, name Name, k keeping, failed func(error) error) (*Process, error) {
	var news <-chan struct{} // of the name
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		p, err := ipc.try(ctx, name)
		if err == nil {
			return p, nil
		}
		transport, told := ipc.config.Transport.(watcher)
		told = told && k.told && tellsNews(err)
		if err = failed(err); err == nil || !told || !k.policy.If(err) {
			return nil, err
		}
		if news == nil {
			var stop func()
			news, stop = transport.watchName(name)
			defer stop()
			continue // the name may have become reachable before
		}
		wait := pause
		if pause == longestPause {
			wait = quietPause
		}
		select {
		case <-time.After(wait):
		case <-news:
			pause = firstPause / 2 // the server may not listen yet
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// IsPassing reports whether connecting again may help after a failure: no server listens, it is
// busy, it went away, or it is too slow. [IPC.Follow] and [Pool] connect again then. A server that
// is too slow may be overloaded or stopped, and better next time. ConnectTo takes it for a
// server of another protocol, since it has not even greeted.
func IsPassing(err error) bool { return comesBack(err) || errors.Is(err, ErrTooSlow) }

// tellsNews reports whether a server that starts after this failure to connect will make a
// file. Systems other than Linux also refuse a connection when the queue is full.
func tellsNews(err error) bool {
	return errors.Is(err, ErrNotListening) && (errors.Is(err, fs.ErrNotExist) || runtime.GOOS == "linux")
}

// try connects once.
func (ipc *IPC) try(ctx context.Context, name Name) (*Process, error) {
	conn, peer, err := ipc.dial(ctx, name)
	if e, structured := err.(*Error); structured && e.Name == name.text {
		return nil, e.Err // the caller adds the operation
	}
	if err != nil {
		return nil, err
	}
	return ipc.attach(ctx, conn, name, peer)
}

// comesBack reports whether a later try may succeed after a failure to connect.
func comesBack(err error) bool {
	if errors.Is(err, ErrRefused) && !errors.Is(err, ErrBusy) {
		return false
	}
	return errors.Is(err, ErrNotListening) || errors.Is(err, ErrBusy) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrDisconnected) || framed.IsReset(err) ||
		errors.Is(err, ErrNoHandshake) || errors.Is(err, ErrSilent) || metDeadline(err)
}

// metDeadline reports whether a failure to dial comes of a context's deadline, which the
// dialer may meet before the context does. The system calls a full queue a timeout, too.
func metDeadline(err error) bool {
	return wire.IsTimeout(err) && !errors.Is(err, ErrTooSlow) && !errors.Is(err, ErrBusy)
}
