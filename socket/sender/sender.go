package sender

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// Config configures a [Sender]. A zero field means its default.
type Config struct {
	// Buffer is how many messages wait in memory for their acknowledgements, at most, without a
	// spool; default 8,192. BufferBytes limits the same in bytes of contents; default 8 MiB.
	// One message may wait in any case. More of them than socket.ClientConfig.Window, and as
	// many bytes as its WindowBytes, help nothing while the server is there.
	Buffer      int
	BufferBytes int // see Buffer

	// Spool is a folder for the messages that wait, instead of memory. It is made if it is
	// missing, and is of one run at a time: another one fails with socket.ErrInUse.
	Spool string

	// SpoolBytes is the highest length of the files in the spool; default 1 GiB. A message that
	// does not fit into an empty spool fails the run with socket.ErrTooLarge.
	SpoolBytes int64

	// Sync makes each message of the spool reach the disk before it counts as taken, so that it
	// survives a crash of the system. That takes the disk's time for each message.
	Sync bool

	// Overflow is what happens with a message for which there is no room: stream.Block makes the
	// source wait, the default; stream.DropNewest drops the message, which counts in the
	// stream.Drops of the run; stream.Fail fails the run with stream.ErrOverflow.
	// stream.DropOldest is refused with socket.ErrInvalid, since the oldest may be on its way.
	Overflow stream.Overflow

	// Attempts is how often a message is sent at which the server fails: its handler rejects it
	// or panics, or it is too large for the server. Then it is given up, with an error in its
	// [Delivery]; default 3. A negative value means without end.
	Attempts int

	// Retry says how long a run waits before it connects again after a failure, and how often;
	// by default from 10 ms to 1 s, without end. Each delivery starts its count afresh. A run
	// waits for a server to appear in any case. A nil If retries failures that pass with
	// time, see socket.IsPassing.
	Retry operators.RetryPolicy

	// Lost is called when a connection is lost, or was not made, with the reason, on the goroutine
	// of the run. By default nothing is called.
	Lost func(error)
}

// Delivery is the end of a message.
type Delivery struct {
	Message socket.Message // as the source emitted it

	// Doubtful reports whether the message may have been handled before as well: it was sent, and
	// not acknowledged, or a spool had it from an earlier run.
	Doubtful bool

	// Err is nil if the server has acknowledged the message. Otherwise the message is given up
	// after [Config.Attempts], and Err wraps socket.ErrRejected, ErrPanicked, ErrTooLarge or
	// ErrProtocol.
	Err error
}

// Sender sends messages to the server of a name. It may have several runs at the same time, but only
// one if it has a spool.
type Sender struct {
	ipc    *socket.IPC
	name   socket.Name
	config Config
}

// New makes a sender. It connects when a run of SendAll has something to send.
func New(ipc *socket.IPC, name socket.Name, config Config) *Sender {
	config.Buffer = max(1, cmp.Or(config.Buffer, 8192))
	config.BufferBytes = max(0, cmp.Or(config.BufferBytes, 8<<20))
	config.SpoolBytes = cmp.Or(config.SpoolBytes, 1<<30)
	config.Attempts = cmp.Or(config.Attempts, 3)
	config.Retry.Delay = cmp.Or(config.Retry.Delay, 10*time.Millisecond)
	config.Retry.MaxDelay = cmp.Or(config.Retry.MaxDelay, max(time.Second, config.Retry.Delay))
	config.Retry.ResetOnValue = true
	if config.Lost == nil {
		config.Lost = func(error) {}
	}
	mayPass := config.Retry.If
	if mayPass == nil {
		mayPass = socket.IsPassing
	}
	config.Retry.If = func(err error) bool { return !errors.As(err, new(*fatal)) && (isBlame(err) || mayPass(err)) }
	return &Sender{ipc, name, config}
}

// SendAll sends what an observable emits, and emits each message once it is acknowledged or given
// up, in order. It is Process.SendAll across connections: see that for how many messages are in
// flight. Responses of the server, and other messages, are dropped.
//
// A run completes when the source has completed and all messages are delivered. A failure of the
// source ends the run after that, too. So does a message that cannot be sent at all, with
// socket.ErrInvalid, ErrReserved or ErrTooLarge; socket.IPC.Check tells such messages before. The
// run fails with an [*Error] that counts what is left if ctx ends, if [Config.Retry] gives up,
// or if the spool fails. Without a spool what is left is lost then, and when yield wants no more.
//
// With a spool the run first sends what earlier runs have left. The source's yield returns when the
// message is in the spool. So a server that sends on what it receives acknowledges it when it is
// safe: it calls socket.Exchange.Respond before this stage.
func (s *Sender) SendAll(messages stream.Observable[socket.Message]) stream.Observable[Delivery] {
	if messages == nil {
		panic("sender: Sender.SendAll of a nil observable")
	}
	return func(ctx context.Context, yield func(Delivery) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		backlog, err := s.openBacklog()
		if err != nil {
			return &Error{Name: s.name, Err: err}
		}
		r := &run{Sender: s, backlog: backlog, doubtful: backlog.len(), wanted: true}
		defer backlog.storage.close()
		if err := r.run(ctx, messages, yield); err != nil {
			return r.failure(err)
		}
		return nil
	}
}

// openBacklog opens the backlog of a run, with what earlier runs have left.
func (s *Sender) openBacklog() (*backlog, error) {
	if s.config.Overflow == stream.DropOldest {
		return nil, fmt.Errorf("%w: the overflow stream.DropOldest, since the oldest message may be on its way", socket.ErrInvalid)
	}
	if s.config.Spool == "" {
		return &backlog{storage: &memory{limit: s.config.Buffer, limitBytes: s.config.BufferBytes}}, nil
	}
	spool, err := openSpool(s.config.Spool, s.config.SpoolBytes, s.config.Sync)
	if err != nil {
		return nil, fmt.Errorf("open the spool %s: %w", s.config.Spool, err)
	}
	return &backlog{storage: spool, done: spool.first, read: spool.first, end: spool.end}, nil
}

// Error is the failure of a run, with the numbers of its messages.
type Error struct {
	Name      socket.Name // of the server
	Delivered int         // messages that were delivered, or given up, in this run
	Doubtful  int         // messages that were sent and not acknowledged; they may have been handled
	Unsent    int         // messages behind them, that were not handled
	Err       error       // why the run failed
}

// Error returns the cause and the numbers.
func (e *Error) Error() string {
	text := fmt.Sprintf("sender: send to %s: %v", e.Name, e.Err)
	if e.Delivered+e.Doubtful+e.Unsent > 0 {
		text += fmt.Sprintf("; %d messages delivered, %d that may have been handled, %d unsent", e.Delivered, e.Doubtful, e.Unsent)
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// fatal is a failure after which a run does not connect again.
type fatal struct{ error }

func (f *fatal) Unwrap() error { return f.error }

// isBlame reports whether a server has closed the connection because of the first message that it
// had not acknowledged.
func isBlame(err error) bool {
	if !errors.Is(err, socket.ErrDisconnected) {
		return false
	}
	for _, blame := range []error{socket.ErrRejected, socket.ErrPanicked, socket.ErrTooLarge, socket.ErrProtocol} {
		if errors.Is(err, blame) {
			return true
		}
	}
	return false
}
