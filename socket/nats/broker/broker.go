// Package broker runs a NATS server inside the process, so that one machine needs none to be
// installed. It opens no port by default, and keeps what JetStream stores in a folder.
//
//	b, err := broker.Start("/var/lib/counter")
//	if err != nil {
//		return err
//	}
//	defer b.Close()
//	conn, err := b.Connect()
//
// A program on a cluster connects with [nats.Connect] and a URL instead, and stays the same from
// there on.
package broker

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/rxipc/rxipc/socket/internal/unixsock"
)

// Broker is a NATS server in this process. Several goroutines may use it at the same time.
type Broker struct {
	server *server.Server
	close  func() error // once
}

// startTime limits how long a server that has started takes to accept connections.
const startTime = 30 * time.Second

// Start starts a server. It keeps what JetStream stores in the folder, which it makes with mode
// 0700 if it is missing, and which it locks: one process uses a folder at a time. With an empty
// folder there is no JetStream, and nothing is kept.
//
// The server has no port and no name in a cluster. The functions may change any of its options
// before it starts; a port needs DontListen = false and Port. Unless they set NoLog, warnings and
// errors go to slog.Default.
//
// Start fails with [socket.ErrInUse] if another process or Broker has the folder. It fails with
// the reason of the server if it cannot start, as with a corrupt folder or a port in use.
func Start(folder string, configure ...func(*server.Options)) (*Broker, error) {
	options := &server.Options{
		DontListen: true,
		NoSigs:     true,
		JetStream:  folder != "",
		StoreDir:   folder,

		DisableJetStreamBanner: true,
	}
	for _, change := range configure {
		change(options)
	}
	unlock, err := lock(folder)
	if err != nil {
		return nil, fmt.Errorf("start a broker: %w", err)
	}
	b := &Broker{}
	b.close = sync.OnceValue(func() error {
		if b.server != nil {
			b.server.Shutdown()
			b.server.WaitForShutdown()
		}
		return unlock()
	})
	if err := b.start(options); err != nil {
		b.Close()
		return nil, fmt.Errorf("start a broker: %w", err)
	}
	return b, nil
}

// lock makes the folder and locks it.
func lock(folder string) (unlock func() error, err error) {
	if folder == "" {
		return func() error { return nil }, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	return unixsock.Lock(filepath.Join(folder, ".lock"))
}

func (b *Broker) start(options *server.Options) (err error) {
	if b.server, err = server.NewServer(options); err != nil {
		return err
	}
	log := &log{}
	if !options.NoLog {
		log.to = slog.Default()
	}
	b.server.SetLoggerV2(log, false, false, false)
	b.server.Start()
	if reason := log.fatal.Load(); reason != nil {
		return fmt.Errorf("%s", *reason)
	}
	if !b.server.ReadyForConnections(startTime) {
		return fmt.Errorf("the server is not ready after %v", startTime)
	}
	return nil
}

// Connect connects to the server without a port. The options are those of [nats.Connect].
func (b *Broker) Connect(options ...nats.Option) (*nats.Conn, error) {
	return nats.Connect("", append([]nats.Option{nats.InProcessServer(b.server)}, options...)...)
}

// Server returns the server, for what nats-server offers beyond this package: its address, its
// state, its limits.
func (b *Broker) Server() *server.Server { return b.server }

// Close ends the server and its connections, once it has written what it stores, and frees the
// folder. Closing it again does nothing, but waits for the end and returns the same error.
func (b *Broker) Close() error { return b.close() }

// log is the logger of a server.
type log struct {
	to    *slog.Logger // nil: to nobody
	fatal atomic.Pointer[string]
}

func (l *log) line(level slog.Level, format string, args []any) {
	if l.to != nil {
		l.to.Log(context.Background(), level, fmt.Sprintf(format, args...))
	}
}

func (l *log) Noticef(string, ...any) {}
func (l *log) Debugf(string, ...any)  {}
func (l *log) Tracef(string, ...any)  {}

func (l *log) Warnf(format string, args ...any)  { l.line(slog.LevelWarn, format, args) }
func (l *log) Errorf(format string, args ...any) { l.line(slog.LevelError, format, args) }

// Fatalf keeps the reason for which the server cannot go on.
func (l *log) Fatalf(format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	l.fatal.CompareAndSwap(nil, &reason)
	l.line(slog.LevelError, "%s", []any{reason})
}
