package journal

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats/broker"
)

// Journal is a stream of messages on the disk, in the order in which they were appended, numbered
// from 1. Several goroutines and processes may use it at the same time.
type Journal struct {
	name     string
	config   Config
	conn     *nats.Conn
	js       jetstream.JetStream
	stream   jetstream.Stream
	identity string         // another one if the stream was deleted and made again
	broker   *broker.Broker // embedded; nil if there is none
	closing  func() error   // once
}

// Entry is a message of a journal, with its number. Numbers grow by one, but for messages that the
// limits of the journal have removed.
type Entry struct {
	Sequence uint64
	socket.Message
}

// Metadata of our streams.
const (
	identityKey = "rxipc-journal"
	kindKey     = "rxipc-kind"
)

var names = regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)

// Open opens the journal of that name, and makes it if it does not exist. The place is a folder, in
// which a broker embedded in this process keeps it, or a URL of a broker with JetStream, such as
// nats://host or tls://host,tls://other. A folder serves one process at a time: with another one
// Open fails with [socket.ErrInUse].
//
// The limits of an existing journal are set to those of the config. ctx limits the time of opening.
// [Journal.Close] ends the connection and the embedded broker.
func Open(ctx context.Context, place, name string, config Config) (*Journal, error) {
	j, err := open(ctx, place, name, config)
	if err != nil {
		return nil, fmt.Errorf("journal: open %s in %s: %w", name, place, explained(ctx, err))
	}
	return j, nil
}

func open(ctx context.Context, place, name string, config Config) (*Journal, error) {
	embedded := !strings.Contains(place, "://")
	if err := config.check(embedded); err != nil {
		return nil, err
	}
	if !embedded {
		conn, err := nats.Connect(place, config.Connect...)
		if err != nil {
			return nil, err
		}
		return on(ctx, conn, nil, name, config, func() error { conn.Close(); return nil })
	}
	if place == "" {
		return nil, fmt.Errorf("%w: the folder is empty", socket.ErrInvalid)
	}
	b, err := broker.Start(place, func(o *server.Options) {
		o.SyncAlways, o.SyncInterval = config.SyncEvery == 0, config.SyncEvery
		o.MaxPayload = maxPayload
		o.MaxPending = 4 * maxPayload
		if config.Broker != nil {
			config.Broker(o)
		}
	})
	if err != nil {
		return nil, err
	}
	conn, err := b.Connect(config.Connect...)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return on(ctx, conn, b, name, config, func() error { conn.Close(); return b.Close() })
}

// On is Open on a connection that the caller has, and which Close leaves open. Connect, Broker and
// SyncEvery of the config must not be set.
func On(ctx context.Context, conn *nats.Conn, name string, config Config) (*Journal, error) {
	err := config.check(false)
	if err == nil {
		var j *Journal
		if j, err = on(ctx, conn, nil, name, config, func() error { return nil }); err == nil {
			return j, nil
		}
	}
	return nil, fmt.Errorf("journal: open %s: %w", name, explained(ctx, err))
}

// on calls closing when it fails.
func on(ctx context.Context, conn *nats.Conn, b *broker.Broker, name string, config Config, closing func() error) (*Journal, error) {
	j := &Journal{name: name, config: config.withDefaults(), conn: conn, broker: b, closing: sync.OnceValue(closing)}
	if err := j.setUp(ctx); err != nil {
		return nil, errors.Join(err, j.closing())
	}
	return j, nil
}

func (j *Journal) setUp(ctx context.Context) (err error) {
	if !names.MatchString(j.name) {
		return fmt.Errorf("%w: the name %q of a journal has letters, digits, _ and - only", socket.ErrInvalid, j.name)
	}
	if err := j.health(); err != nil { // such as a stream that cannot be recovered, and would be made anew
		return fmt.Errorf("%w: %w; restore the folder from a copy, or remove that stream from it", ErrCorrupt, err)
	}
	ctx, cancel := j.limited(ctx)
	defer cancel()
	if j.js, err = jetstream.New(j.conn,
		jetstream.WithPublishAsyncMaxPending(2*maxBatch),
		jetstream.WithPublishAsyncTimeout(j.config.Timeout+heartbeat), // frees the room of a message that nobody waits for any more
	); err != nil {
		return err
	}
	config := jetstream.StreamConfig{
		MaxAge:     j.config.MaxAge,
		MaxBytes:   orNone(j.config.MaxBytes),
		MaxMsgs:    orNone(j.config.MaxMessages),
		Duplicates: j.config.Window,
		DenyDelete: true,
	}
	if j.config.Refuse {
		config.Discard = jetstream.DiscardNew
	}
	if j.stream, err = j.streamOf(ctx, j.name, j.subject(), "messages", config); err != nil {
		return err
	}
	j.identity = j.stream.CachedInfo().Config.Metadata[identityKey]
	return nil
}

// streamOf opens a stream, or makes it. It refuses a stream that is not ours.
func (j *Journal) streamOf(ctx context.Context, name, subject, kind string, config jetstream.StreamConfig) (jetstream.Stream, error) {
	config.Name, config.Subjects = name, []string{subject}
	config.Storage, config.Replicas = jetstream.FileStorage, j.config.Replicas
	config.AllowAtomicPublish = true
	there, err := j.js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		config.Metadata = map[string]string{identityKey: nuid.Next(), kindKey: kind}
		var made jetstream.Stream
		if made, err = j.js.CreateStream(ctx, config); !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return made, err
		}
		there, err = j.js.Stream(ctx, name) // another process has made it meanwhile
	}
	if err != nil {
		return nil, err
	}
	config.Metadata = there.CachedInfo().Config.Metadata
	if config.Metadata[kindKey] != kind {
		return nil, fmt.Errorf("%w: %s: give the journal another name", ErrForeign, name)
	}
	return j.js.UpdateStream(ctx, config)
}

// health returns what ails an embedded broker.
func (j *Journal) health() error {
	if j.broker == nil {
		return nil
	}
	if text := j.broker.Server().Healthz(&server.HealthzOptions{}).Error; text != "" {
		return errors.New(text)
	}
	return nil
}

// orNone returns the limit for NATS.
func orNone(limit int64) int64 {
	if limit == 0 {
		return -1
	}
	return limit
}

// subject is the subject of the messages.
func (j *Journal) subject() string { return "rxipc.journal." + j.name + ".messages" }

// limited returns a context for a question to the broker.
func (j *Journal) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, j.config.Timeout)
}

// Name returns the name of the journal.
func (j *Journal) Name() string { return j.name }

// Conn returns the connection to the broker.
func (j *Journal) Conn() *nats.Conn { return j.conn }

// Last returns the number of the last message, 0 if there was none yet.
func (j *Journal) Last(ctx context.Context) (uint64, error) {
	state, err := j.state(ctx)
	return state.LastSeq, j.fail(ctx, "look at", err)
}

// state asks for the state of the journal. It fails if the journal was made again.
func (j *Journal) state(ctx context.Context) (jetstream.StreamState, error) {
	info, err := j.infoOf(ctx, j.stream)
	if err != nil {
		return jetstream.StreamState{}, err
	}
	if info.Config.Metadata[identityKey] != j.identity {
		return jetstream.StreamState{}, fmt.Errorf("%w: it was deleted and made again; open it again", ErrCorrupt)
	}
	return info.State, nil
}

// infoOf asks for the state of a stream of the journal.
func (j *Journal) infoOf(ctx context.Context, stored jetstream.Stream) (*jetstream.StreamInfo, error) {
	inner, cancel := j.limited(ctx)
	defer cancel()
	info, err := stored.Info(inner)
	if err != nil {
		return nil, explained(ctx, err)
	}
	return info, nil
}

// Close ends what Open started. Runs that use the journal fail with ErrUnavailable, so end them
// before. Closing it again does nothing, but waits for the end and returns the same error.
func (j *Journal) Close() error {
	if err := j.closing(); err != nil {
		return &Error{Op: "close", Journal: j.name, Err: err}
	}
	return nil
}
