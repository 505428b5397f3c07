package journal

import (
	"cmp"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/rxipc/rxipc/socket"
)

// Config configures a [Journal]. The zero Config is ready for use: everything is kept for ever, and
// what is acknowledged has been synced to the disk.
type Config struct {
	// MaxAge, MaxBytes and MaxMessages limit what the journal keeps. Beyond a limit the oldest
	// messages are removed, see Refuse. Zero means no limit. A [State] that has not folded a
	// message before it is removed fails with a [*GapError].
	MaxAge      time.Duration
	MaxBytes    int64
	MaxMessages int64

	// Refuse makes a journal that has reached MaxBytes or MaxMessages refuse further messages
	// with [ErrFull], instead of removing the oldest.
	Refuse bool

	// SyncEvery is the time after which an embedded broker syncs what it has written. By default
	// it syncs before it acknowledges, once for each batch of messages. With a SyncEvery, what is
	// acknowledged survives the death of the process, and the death of the system only if it is
	// older than that. A cluster has its own setting, sync_interval, and its replicas; there
	// SyncEvery must be zero.
	SyncEvery time.Duration

	// Replicas is the number of servers of a cluster that keep each message; default 1.
	Replicas int

	// Window is the time for which the id of a message is remembered, so that the same message
	// is not stored twice; default 2 min. The journal also forgets an id when it removes the
	// message.
	Window time.Duration

	// ID is the name of the media type's parameter that has the id of a message; default "id".
	// A message without it is never taken for a duplicate.
	ID string

	// Timeout is the time within which the broker must answer; default 10 s. Beyond it a call
	// fails with [ErrUnavailable].
	Timeout time.Duration

	// Connect are further options of the connection to the broker: users, TLS, names.
	Connect []nats.Option

	// Broker may change the options of the embedded broker before it starts.
	Broker func(*server.Options)
}

// Limits of one atomic batch. The number is the default of NATS, which does not tell a client its
// own setting.
const (
	maxBatch      = 1000
	maxBatchBytes = 8 << 20
)

// maxPayload is the largest message of an embedded broker, its headers included: the largest that
// NATS advises.
const maxPayload = 8 << 20

func (c Config) withDefaults() Config {
	c.Replicas = cmp.Or(c.Replicas, 1)
	c.Window = cmp.Or(c.Window, 2*time.Minute)
	c.ID = cmp.Or(c.ID, "id")
	c.Timeout = cmp.Or(c.Timeout, 10*time.Second)
	return c
}

// check reports a config that cannot work.
func (c Config) check(embedded bool) error {
	switch {
	case c.MaxAge < 0 || c.MaxBytes < 0 || c.MaxMessages < 0:
		return fmt.Errorf("%w: a negative limit of the journal: set MaxAge, MaxBytes and MaxMessages to zero for no limit", socket.ErrInvalid)
	case c.Replicas < 0 || c.Window < 0 || c.Timeout < 0 || c.SyncEvery < 0:
		return fmt.Errorf("%w: Replicas, Window, Timeout and SyncEvery of the journal must not be negative", socket.ErrInvalid)
	case c.Refuse && c.MaxBytes == 0 && c.MaxMessages == 0:
		return fmt.Errorf("%w: Refuse of the journal needs MaxBytes or MaxMessages", socket.ErrInvalid)
	case c.MaxAge > 0 && c.Window > c.MaxAge:
		return fmt.Errorf("%w: Window (%v) of the journal exceeds MaxAge (%v): an id is forgotten with its message", socket.ErrInvalid, c.Window, c.MaxAge)
	case !embedded && c.SyncEvery > 0:
		return fmt.Errorf("%w: SyncEvery of the journal is for an embedded broker: set sync_interval of the servers instead", socket.ErrInvalid)
	case !embedded && c.Broker != nil:
		return fmt.Errorf("%w: Broker of the journal is for an embedded broker", socket.ErrInvalid)
	case embedded && c.Replicas > 1:
		return fmt.Errorf("%w: %d Replicas of the journal need a cluster: open it with a URL", socket.ErrInvalid, c.Replicas)
	}
	return nil
}
