package socket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// acceptor accepts the connections of a server: those that are allowed, and no more than there are
// slots for. One goroutine calls next.
type acceptor struct {
	config   *Config
	name     string
	listener net.Listener
	accepted stream.Observable[net.Conn]
	slots    chan struct{} // has a token for each connection, and for the next one; nil: no limit
	crowded  throttle
	refusals throttle

	mu      sync.Mutex
	perUser map[string]int // connections of other users, by user
}

func newAcceptor(config *Config, name string, listener net.Listener) *acceptor {
	a := &acceptor{config: config, name: name, listener: listener, perUser: map[string]int{}}
	a.accepted = operators.Retry[net.Conn](whilePassing)(a.accept)
	if config.MaxConnections > 0 {
		a.slots = make(chan struct{}, config.MaxConnections)
	}
	return a
}

// next returns the next connection that is allowed. It fails with ctx's cause, or with a failure
// of the listener that does not pass.
func (a *acceptor) next(ctx context.Context) (net.Conn, admission, error) {
	if err := a.takeSlot(ctx); err != nil {
		return nil, admission{}, err
	}
	for {
		conn, err := a.accepted.First(ctx).Get()
		if err != nil {
			return nil, admission{}, err
		}
		admitted, err := a.admit(conn)
		if err == nil {
			return conn, admitted, nil
		}
		if hook := a.config.Hooks.Refused; hook != nil {
			callHook(a.config.Log, hook, Refusal{Name: a.name, Peer: fold.FromPointer(admitted.peer), Err: err})
		}
		args := []any{"name", a.name, "reason", Reason(err), "error", err}
		if admitted.peer != nil {
			args = append(args, "peer", *admitted.peer)
		}
		a.refusals.warn(a.config.Log, "connection refused", args...)
	}
}

// takeSlot waits for a free slot. Clients wait in the queue of the system meanwhile, which costs
// nothing here.
func (a *acceptor) takeSlot(ctx context.Context) error {
	if a.slots == nil {
		return nil
	}
	select {
	case a.slots <- struct{}{}:
		return nil
	default:
	}
	a.crowded.warn(a.config.Log, "as many connections as may be; the next wait", "name", a.name, "connections", cap(a.slots))
	select {
	case a.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// accept emits the next connection. It fails once, with ctx's cause or the listener's failure.
func (a *acceptor) accept(ctx context.Context, yield func(net.Conn) bool) error {
	conn, err := a.listener.Accept()
	switch {
	case ctx.Err() != nil:
		if err == nil {
			conn.Close()
		}
		return context.Cause(ctx)
	case err == nil:
		yield(conn)
	case isPassing(err):
		a.config.Log.Warn("accept failed, it is tried again", "name", a.name, "error", err)
	default:
		err = &Error{Op: "accept", Name: a.name, Err: err}
	}
	return err
}

// whilePassing is how a server tries to accept again.
var whilePassing = operators.RetryPolicy{Delay: 5 * time.Millisecond, MaxDelay: time.Second, Jitter: -1, If: isPassing}

// admit admits a connection, or closes it. It returns the peer in either case.
func (a *acceptor) admit(conn net.Conn) (admitted admission, err error) {
	admitted.acceptor = a
	in := false
	defer func() {
		switch {
		case err != nil:
			refuse(conn, err)
		case !in: // the authorizer has panicked
			conn.Close()
		}
	}()
	peer, err := authorize(a.config.Clients, conn)
	admitted.peer = peer.Pointer()
	if err == nil {
		err = a.count(admitted)
	}
	in = err == nil
	return admitted, err
}

// refuse closes a connection that is not allowed. It writes the reason, if that can be written at
// once. Clients of rxipc read it; to others it is as good as the end of file.
func refuse(conn net.Conn, err error) {
	why := closeReasonFor(err, 0)
	why.Code = cmp.Or(why.Code, wire.ReasonRefused)
	out := wire.NewOutput(wire.KindHeartbeat.Frame() + why.Frame())
	framed.TryWrite(conn, &out)
	conn.Close()
}

// count counts a connection for its user. It fails if the user has as many as allowed.
func (a *acceptor) count(admitted admission) error {
	user, ok := admitted.countedUser()
	if !ok {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.perUser[user] >= a.config.MaxPerUser {
		return fmt.Errorf("%s has %d connections, %w", user, a.perUser[user], errTooMany)
	}
	a.perUser[user]++
	return nil
}

// release frees the slot of a connection, and counts it for its user no more.
func (a *acceptor) release(admitted admission) {
	if user, ok := admitted.countedUser(); ok {
		a.mu.Lock()
		if a.perUser[user]--; a.perUser[user] == 0 {
			delete(a.perUser, user)
		}
		a.mu.Unlock()
	}
	if a.slots != nil {
		<-a.slots
	}
}

// admission is the peer of a connection, and the acceptor that has a slot for it.
type admission struct {
	peer     *Peer // nil if it is not known; not a Maybe, which would make each Connection larger
	acceptor *acceptor
}

// leave frees the slot, once the connection is closed.
func (a admission) leave() {
	if a.acceptor != nil {
		a.acceptor.release(a)
	}
}

// name is the acceptor's, empty for a connection without one.
func (a admission) name() string {
	if a.acceptor == nil {
		return ""
	}
	return a.acceptor.name
}

// countedUser returns the user whose connections are counted: any but this one and root.
func (a admission) countedUser() (user string, ok bool) {
	if a.peer == nil || a.peer.isOurs() {
		return "", false
	}
	return a.peer.user(), true
}

// throttle lets one line a second into the log: a stranger must not fill it.
type throttle struct {
	next    time.Time
	omitted int
}

func (t *throttle) warn(log *slog.Logger, message string, args ...any) {
	now := time.Now()
	if now.Before(t.next) {
		t.omitted++
		return
	}
	log.Warn(message, append(args, "omitted", t.omitted)...)
	t.next, t.omitted = now.Add(time.Second), 0
}

// isPassing reports whether a failure to accept may pass: a client left while it waited, or
// descriptors or memory are short.
func isPassing(err error) bool {
	for _, passing := range []error{
		syscall.ECONNABORTED, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
	} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}
