package recording

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// ErrCut means that a recording cannot be played, because contents that are to be sent were cut or
// hidden.
var ErrCut = errors.New("contents are missing in the recording")

// PlayClients plays the clients of a recording to a server: the first connection at once, each other
// one as long after it as in the recording, and not before those have ended that had ended before
// it. With [Player].Fast it does not wait for the time. Function dial connects to the server of a name: that of the [Header], unless
// the connection is of another. PlayClients returns what the server did differently, in the order
// of connections.
//
// It fails with [ErrCut] before it connects. When ctx ends, it closes the connections, and returns
// the cause beside what was found by then.
func (r Recording) PlayClients(ctx context.Context, p Player, dial func(ctx context.Context, name string) (net.Conn, error)) ([]Difference, error) {
	connections := r.Connections()
	if err := playable(connections, Client); err != nil {
		return nil, err
	}
	found, begin := make([][]Difference, len(connections)), time.Now()
	ended := make([]chan struct{}, len(connections))
	for i := range connections {
		ended[i] = make(chan struct{})
	}
	var playing sync.WaitGroup
	for i, entries := range connections {
		playing.Go(func() {
			defer close(ended[i])
			first := entries[0]
			for j, other := range connections {
				if other[len(other)-1].Time < first.Time {
					<-ended[j]
				}
			}
			if p.await(ctx, begin.Add(first.Time-connections[0][0].Time)); ctx.Err() != nil {
				return
			}
			name := r.Name
			if first.Name != "" {
				name = first.Name
			}
			conn, err := dial(ctx, name)
			if err != nil {
				found[i] = []Difference{{Connection: first.Connection, Time: first.Time, Side: Server, Recorded: first, Err: err}}
				return
			}
			found[i] = p.play(ctx, conn, Client, entries)
		})
	}
	playing.Wait()
	return slices.Concat(found...), context.Cause(ctx)
}

// PlayServer plays the server of a recording to the clients that connect to a listener: the first
// one gets the first connection of the recording, and so on. It returns what the clients did
// differently, once the last connection has ended.
//
// It fails with [ErrCut], with the error of the listener, and with the cause of ctx. When ctx ends,
// it closes the listener and the connections.
func (r Recording) PlayServer(ctx context.Context, p Player, listener net.Listener) ([]Difference, error) {
	connections := r.Connections()
	if err := playable(connections, Server); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	found := make([][]Difference, len(connections))
	var playing sync.WaitGroup
	var failure error
	for i, entries := range connections {
		conn, err := listener.Accept()
		if err != nil {
			failure = err
			break
		}
		playing.Go(func() { found[i] = p.play(ctx, conn, Server, entries) })
	}
	playing.Wait()
	if cause := context.Cause(ctx); cause != nil {
		failure = cause
	}
	return slices.Concat(found...), failure
}

// playable returns ErrCut if a side cannot be played.
func playable(connections [][]Entry, side Side) error {
	for _, entries := range connections {
		for _, e := range entries {
			if e.From == side && e.Missing > 0 {
				return fmt.Errorf("%w: connection %d, %v: %v", ErrCut, e.Connection, e.Time, e)
			}
		}
	}
	return nil
}

// await waits until a time, unless the player is fast, or until ctx ends.
func (p Player) await(ctx context.Context, due time.Time) {
	if p.Fast {
		return
	}
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
