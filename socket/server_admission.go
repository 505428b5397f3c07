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

// door is where connections come in: it lets in who may, and no more than there is
// room for. One goroutine calls next.
type door struct {
	config   *Config
	name     string
	listener net.Listener
	accepted stream.Observable[net.Conn]
	places   chan struct{} // one for each connection, and the one that is awaited; nil: no bound
	crowded  throttle
	refusals throttle

	mu     sync.Mutex
	guests map[int]int // connections of other users, by user
}

func newDoor(config *Config, name string, listener net.Listener) *door {
	d := &door{config: config, name: name, listener: listener, guests: map[int]int{}}
	d.accepted = operators.Retry[net.Conn](whilePassing)(d.accept)
	if config.MaxConnections > 0 {
		d.places = make(chan struct{}, config.MaxConnections)
	}
	return d
}

// next accepts a connection that may come in. It fails with ctx's cause, or what the
// listener fails with for good.
func (d *door) next(ctx context.Context) (net.Conn, admission, error) {
	if err := d.takePlace(ctx); err != nil {
		return nil, admission{}, err
	}
	for {
		conn, err := d.accepted.First(ctx).Get()
		if err != nil {
			return nil, admission{}, err
		}
		guest, err := d.admit(conn)
		if err == nil {
			return conn, guest, nil
		}
		if hook := d.config.Hooks.Refused; hook != nil {
			callHook(d.config.Log, hook, Refusal{Name: d.name, Peer: guest.peer, Err: err})
		}
		args := []any{"name", d.name, "reason", Reason(err), "error", err}
		if peer, known := guest.peer.Get(); known {
			args = append(args, "peer", peer)
		}
		d.refusals.warn(d.config.Log, "connection refused", args...)
	}
}

// takePlace waits until there is room for one more connection. Clients wait meanwhile
// where the system has them wait, which costs nothing here.
func (d *door) takePlace(ctx context.Context) error {
	if d.places == nil {
		return nil
	}
	select {
	case d.places <- struct{}{}:
		return nil
	default:
	}
	d.crowded.warn(d.config.Log, "as many connections as may be; the next wait", "name", d.name, "connections", cap(d.places))
	select {
	case d.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// accept emits the next connection. It fails once, with ctx's cause or the listener's failure.
func (d *door) accept(ctx context.Context, yield func(net.Conn) bool) error {
	conn, err := d.listener.Accept()
	switch {
	case ctx.Err() != nil:
		if err == nil {
			conn.Close()
		}
		return context.Cause(ctx)
	case err == nil:
		yield(conn)
	case isPassing(err):
		d.config.Log.Warn("accept failed, it is tried again", "name", d.name, "error", err)
	default:
		err = &Error{Op: "accept", Name: d.name, Err: err}
	}
	return err
}

// whilePassing is how a server tries to accept again.
var whilePassing = operators.RetryPolicy{Delay: 5 * time.Millisecond, MaxDelay: time.Second, Jitter: -1, If: isPassing}

// admit lets a connection in, or closes it. It tells who it was in either case.
func (d *door) admit(conn net.Conn) (a admission, err error) {
	in := false
	defer func() {
		switch {
		case err != nil:
			refuse(conn, err)
		case !in: // what is asked has panicked
			conn.Close()
		}
	}()
	a.door = d
	if a.peer, err = authorize(d.config.Clients, conn); err == nil {
		err = d.count(a)
	}
	in = err == nil
	return a, err
}

// refuse closes a connection that may not come in. To a client of ours it says why, if
// that can be said at once; to others that is as good as the end of file.
func refuse(conn net.Conn, err error) {
	why := closeReasonFor(err, 0)
	why.Code = cmp.Or(why.Code, wire.ReasonRefused)
	out := wire.NewOutput(wire.KindHeartbeat.Frame() + why.Frame())
	framed.TryWrite(conn, &out)
	conn.Close()
}

// count counts a connection among those of its user.
func (d *door) count(a admission) error {
	uid, ok := a.guest()
	if !ok {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.guests[uid] >= d.config.MaxPerUser {
		return fmt.Errorf("user %d has %d connections, %w", uid, d.guests[uid], errTooMany)
	}
	d.guests[uid]++
	return nil
}

// left counts a connection out.
func (d *door) left(a admission) {
	if uid, ok := a.guest(); ok {
		d.mu.Lock()
		if d.guests[uid]--; d.guests[uid] == 0 {
			delete(d.guests, uid)
		}
		d.mu.Unlock()
	}
	if d.places != nil {
		<-d.places
	}
}

// admission is who was let in, and by which door.
type admission struct {
	peer fold.Maybe[Peer]
	door *door
}

// leave gives the place back, once the connection is closed.
func (a admission) leave() {
	if a.door != nil {
		a.door.left(a)
	}
}

// name is the door's, none for a connection that came in by none.
func (a admission) name() string {
	if a.door == nil {
		return ""
	}
	return a.door.name
}

// guest is the user whose connections are counted: not this one, nor root.
func (a admission) guest() (uid int, ok bool) {
	peer, ok := a.peer.Get()
	return peer.UID, ok && !peer.isOurs()
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

// isPassing reports whether a failure to accept may pass: a client that left while
// it waited, or a want of descriptors or memory.
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
