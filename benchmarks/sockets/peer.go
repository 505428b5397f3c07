package sockets

import (
	"context"
	"errors"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// peer is one way for two processes to exchange messages over a unix socket.
type peer struct {
	id     string // identifies the peer to the server process
	name   string
	module string // its version is shown; empty for none

	// serve serves at place until the process ends, and calls ready once clients can
	// connect.
	serve func(place place, job job, ready func()) error

	// dial connects to the server, to exchange the given message.
	dial func(ctx context.Context, place place, message []byte) (conn, error)

	// hold opens a connection, makes a request and leaves it idle. Function wait answers
	// heartbeats until the connection ends. It is nil for a peer without heartbeats.
	hold func(ctx context.Context, place place, message []byte) (wait func() error, err error)

	// gogc is GOGC of both processes (package runtime); 0 means the default, 100.
	gogc int

	// absent is the reason why a kind of measurement has no figure. note explains a figure whose
	// meaning differs from that of the others.
	absent, note map[kind]string
}

// conn is a client's connection. Its methods are called by one goroutine at a time.
type conn interface {
	// ask sends the message and returns the response, which is valid until the next call.
	ask() ([]byte, error)

	// askAhead sends the message n times, with at most window responses outstanding, and calls
	// got with each response.
	askAhead(n, window int, got func([]byte) error) error

	// push sends the message n times to a server that does not respond, and returns after the
	// last acknowledgement. It may have pushWindow messages in flight.
	push(n int) error

	close() error
}

// lender is a conn that lends responses. use gets a response that is valid until it returns.
type lender interface {
	askLent(use func([]byte) error) error
}

// request sends the message on c and gives the response to use.
func request(c conn, use func([]byte) error) error {
	if l, ok := c.(lender); ok {
		return l.askLent(use)
	}
	answer, err := c.ask()
	if err != nil {
		return err
	}
	return use(answer)
}

// kind is a kind of measurement.
type kind int

const (
	oneByOne kind = iota
	inFlight
	manyConnections
	oneWay
	reconnect
	idle
)

// pushWindow is the number of unacknowledged messages, for peers whose user has to choose it.
const pushWindow = 64

// place is the address of a server.
type place struct {
	dir  string // a folder of the server alone
	path string // a socket in the folder
}

// job is the task of a server's handler.
type job struct {
	Count     bool // count messages and respond as little as possible, instead of echoing them
	Operators int  // number of operators, for peers with a pipeline
}

// tally records the messages that a server has received, for the client to compare: their number,
// the last one, and how many differed from the one before. It costs an atomic addition per
// message.
type tally struct {
	messages, last, changes atomic.Uint64
}

var received tally

func add[T ~string | ~[]byte](t *tally, message T) {
	t.messages.Add(1)
	mark := markOf(message)
	if last := t.last.Load(); mark != last && t.last.CompareAndSwap(last, mark) {
		t.changes.Add(1)
	}
}

// markOf combines the length of a message with its first and last byte.
func markOf[T ~string | ~[]byte](message T) uint64 {
	if len(message) == 0 {
		return 0
	}
	return uint64(len(message))<<16 | uint64(message[0])<<8 | uint64(message[len(message)-1])
}

// handle returns the response to a message.
func (j job) handle(message []byte) []byte {
	if j.Count {
		add(&received, message)
		return nil
	}
	return message
}

// connectTo connects to a socket. Unlike package net, it retries while the server's queue is full.
func connectTo(ctx context.Context, place place) (net.Conn, error) {
	for {
		conn, err := net.Dial("unix", place.path)
		if !errors.Is(err, syscall.EAGAIN) || ctx.Err() != nil {
			return conn, err
		}
		time.Sleep(time.Millisecond)
	}
}

// callers is askAhead for a connection that several goroutines may use. It starts window
// goroutines.
func callers(n, window int, ask func() ([]byte, error), got func([]byte) error) error {
	var left atomic.Int64
	left.Store(int64(n))
	var failure atomic.Pointer[error]
	var all sync.WaitGroup
	for range min(n, window) {
		all.Go(func() {
			for failure.Load() == nil && left.Add(-1) >= 0 {
				answer, err := ask()
				if err == nil {
					err = got(answer)
				}
				if err != nil {
					failure.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	all.Wait()
	if err := failure.Load(); err != nil {
		return *err
	}
	return nil
}

// ignore ignores a response.
func ignore([]byte) error { return nil }

// title returns the name of a peer and the version of its module in this program.
func (p peer) title() string {
	if p.module == "" {
		return p.name
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			if dependency.Path == p.module {
				return p.name + " " + dependency.Version
			}
		}
	}
	return p.name
}
