//go:build unix

package socket

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

// TestPoolGoesOnWhenItsServerHandsOver lets a process hand over to another, and that to the
// next, under many callers, and compares the responses with the carries.
func TestPoolGoesOnWhenItsServerHandsOver(t *testing.T) {
	const generations, callers = 3, 64
	dir, ctx := shortDir(t), within(t)
	server := start(t, "relay", dir)
	var current int
	if line := server.next(); !scanned(line, &current) {
		t.Fatalf("the first process printed %q, want that it listens", line)
	}
	pool := New(Config{Dir: dir}).Pool(counter, PoolConfig{})
	asking, stop := context.WithCancel(ctx)
	var askers sync.WaitGroup
	var answered atomic.Int64
	for range callers {
		askers.Go(func() {
			for asking.Err() == nil {
				if err := pool.Request(ctx, Text("hello")).Err(); err != nil {
					t.Errorf("a request failed while servers handed over: %v", err)
					return
				}
				answered.Add(1)
			}
		})
	}
	carried := int64(0)
	for range generations {
		if err := syscall.Kill(current, syscall.SIGHUP); err != nil {
			t.Fatalf("telling process %d to hand over: %v", current, err)
		}
		next, n := succeeded(t, server, current)
		carried += int64(n)
		current = next
	}
	stop()
	askers.Wait()
	if m, err := pool.Request(ctx, Text("stop")).Get(); err != nil || m != Text(strconv.Itoa(current)) {
		t.Errorf("the last request was answered with %v, %v; want process %d", m, err, current)
	}
	carried += int64(counted(t, server.next(), current)) - 1
	if carried != answered.Load() || carried == 0 {
		t.Errorf("%d requests were answered and %d handled, want as many", answered.Load(), carried)
	}
	closePool(t, pool)
}

// scanned reads the number of a process that listens.
func scanned(line string, pid *int) bool {
	_, err := fmt.Sscanf(line, "%d listening", pid)
	return err == nil
}

// TestPoolRestartOverRealSocketsFailsNoRequest has a server stop and start again each time
// that a share of the requests was handled.
func TestPoolRestartOverRealSocketsFailsNoRequest(t *testing.T) {
	t.Parallel()
	const restarts, callers, each = 10, 64, 50
	dir, ctx := shortDir(t), within(t)
	var seen tally
	due := make(chan struct{}, restarts+1) // a restart
	var handled atomic.Int64
	handle := seen.counting(func(m Message, c Continuation[int], n int) Continuation[int] {
		if handled.Add(1)%(callers*each/(restarts+1)) == 0 {
			due <- struct{}{}
		}
		return echo(m, c, n)
	})
	pool := New(Config{Dir: dir}).Pool(counter, PoolConfig{InFlight: 4})
	var asking sync.WaitGroup
	for i := range callers {
		asking.Go(func() {
			for j := range each {
				ask(ctx, t, pool, fmt.Sprint(i, ":", j))
			}
		})
	}
	serve := func(until func()) {
		serving, end := context.WithCancel(ctx)
		served := make(chan error, 1)
		go func() { served <- Serve(New(Config{Dir: dir}), counter, fold.Sum[int]()).With(serving, handle).Err() }()
		until()
		end()
		if err := <-served; !errors.Is(err, context.Canceled) {
			t.Errorf("a server ended with %v, want the end of its context", err)
		}
	}
	for range restarts {
		serve(func() { <-due })
	}
	serve(asking.Wait)
	seen.eachOnce(t, callers*each)
	if stats := pool.Stats(); stats.Answered != callers*each || stats.Lost == 0 {
		t.Errorf("the pool counted %+v, want %d answered over connections lost", stats, callers*each)
	}
	closePool(t, pool)
}
