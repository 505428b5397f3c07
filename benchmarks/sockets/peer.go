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
	id     string // what the server process is told to be
	name   string
	module string // of which the version is told; empty: none

	// serve serves at place until the process ends, and calls ready once clients can
	// connect.
	serve func(place place, job job, ready func()) error

	// dial connects to it, for exchanges of the one message.
	dial func(ctx context.Context, place place, message []byte) (conn, error)

	// hold opens a connection that has made a request and is idle from then on; wait
	// answers what it is sent until it ends. nil for a peer that sends it nothing.
	hold func(ctx context.Context, place place, message []byte) (wait func() error, err error)

	// gogc is how much garbage, in percent of what is in use, both of its processes let
	// come together (package runtime); 0 is Go's 100.
	gogc int

	// absent says why a kind of measurement has no figure, note what a figure means
	// that is not what the others mean.
	absent, note map[kind]string
}

// conn is a client's connection. Its methods are called by one goroutine at a time.
type conn interface {
	// ask sends the message and gives the response, which is good until the next call.
	ask() ([]byte, error)

	// askAhead sends the message n times, with at most window responses outstanding,
	// and hands over each response.
	askAhead(n, window int, got func([]byte) error) error

	// push sends the message n times to a server that does not respond, and returns
	// when the last was acknowledged. There, too, it may keep pushWindow on their way.
	push(n int) error

	close() error
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

// pushWindow is how many messages wait for their acknowledgement, for peers that
// leave the number to their user.
const pushWindow = 64

// place is where a server is found.
type place struct {
	dir  string // its own
	path string // a socket in it
}

// job is what the handler of a server does with a message.
type job struct {
	Count     bool // tally it and respond nothing, or as little as possible; else respond with it
	Operators int  // how many stand in the pipeline, of the peers that have one
}

// tally is what a server has received, for the client to compare: the number of
// messages, which one was the last, and how often one was not like the one before. It
// costs an atomic addition a message.
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

// markOf is the length of a message and its two ends.
func markOf[T ~string | ~[]byte](message T) uint64 {
	if len(message) == 0 {
		return 0
	}
	return uint64(len(message))<<16 | uint64(message[0])<<8 | uint64(message[len(message)-1])
}

// handle is what a server that responds with bytes does.
func (j job) handle(message []byte) []byte {
	if j.Count {
		add(&received, message)
		return nil
	}
	return message
}

// connectTo connects to a socket. While the queue of its server is full it tries again,
// which net does not.
func connectTo(ctx context.Context, place place) (net.Conn, error) {
	for {
		conn, err := net.Dial("unix", place.path)
		if !errors.Is(err, syscall.EAGAIN) || ctx.Err() != nil {
			return conn, err
		}
		time.Sleep(time.Millisecond)
	}
}

// callers is askAhead for a connection that several goroutines may ask: as many as
// the window is wide.
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

// ignore is for answers that say nothing.
func ignore([]byte) error { return nil }

// title is the name of a peer and its version, which the program was built with.
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
