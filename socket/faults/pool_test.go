//go:build unix

package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// failure is a request of a pool that failed.
type failure struct {
	span
	Sent int    // 1 if its error says that it may have been handled
	Gone bool   // its error says that the server was gone without a word
	Text string // text of the error
}

// span is the time between two instants.
type span struct{ From, To time.Time }

func (s span) overlaps(other span) bool { return !s.To.Before(other.From) && !other.To.Before(s.From) }

// askAPool makes requests of a pool from several goroutines for a while, whatever happens to
// the server. An answered request was handled. A request may fail only if it was sent to a
// server that was killed meanwhile.
func (c *client) askAPool(ctx context.Context) {
	pool := c.ipc.Pool(victim, socket.PoolConfig{Connections: 1 + c.chance.IntN(4)})
	var mu sync.Mutex
	one := func() (messages []socket.Message, numbers []uint64) {
		mu.Lock()
		defer mu.Unlock()
		return c.messages(1, true)
	}
	end := time.Now().Add(time.Duration(c.chance.IntN(3000)) * time.Millisecond)
	var callers sync.WaitGroup
	for range 1 + c.chance.IntN(16) {
		own := rand.New(rand.NewPCG(c.chance.Uint64(), 0))
		callers.Go(func() {
			for ctx.Err() == nil && time.Now().Before(end) {
				messages, numbers := one()
				from := time.Now()
				reply, err := pool.Request(context.Background(), messages[0]).Get()
				switch {
				case err != nil:
					mu.Lock()
					c.failed = append(c.failed, failureOf(err, span{from, time.Now()}))
					mu.Unlock()
				case reply != messages[0]:
					panic(fmt.Sprintf("request %v of a pool: got the reply %v", messages[0], reply))
				default:
					c.acked.add(numbers...)
					mu.Lock()
					c.played["answered by a pool"]++
					mu.Unlock()
				}
				pause(ctx, time.Duration(own.IntN(50))*time.Millisecond)
			}
		})
	}
	callers.Wait()
	if err := pool.Close(context.Background()).Err(); err != nil {
		panic(fmt.Errorf("close the pool: %w", err))
	}
}

func failureOf(err error, during span) failure {
	f := failure{span: during, Gone: errors.Is(err, io.ErrUnexpectedEOF), Text: err.Error()}
	var partly *socket.SendError
	if errors.As(err, &partly) {
		f.Sent = partly.Sent
	}
	return f
}

// unexcused returns the failures that must not happen: those while no server was killed, and
// those of requests that were not sent, which the pool should have repeated. A server that ends in
// good order is never gone without a word.
func unexcused(failed []failure, killed []span) []failure {
	return slices.DeleteFunc(slices.Clone(failed), func(f failure) bool {
		return f.Sent == 1 && f.Gone && slices.ContainsFunc(killed, f.overlaps)
	})
}

func TestUnexcusedAcceptsFailuresWhileAServerWasKilled(t *testing.T) {
	at := func(from, to int64) span { return span{time.Unix(from, 0), time.Unix(to, 0)} }
	killed := []span{at(10, 11), at(20, 21)}
	for _, test := range []struct {
		failure
		excused bool
	}{
		{failure{span: at(1, 9), Sent: 1, Gone: true}, false},
		{failure{span: at(1, 10), Sent: 1, Gone: true}, true},
		{failure{span: at(1, 10), Sent: 0, Gone: true}, false},
		{failure{span: at(1, 10), Sent: 1, Gone: false}, false},
		{failure{span: at(11, 19), Sent: 1, Gone: true}, true},
		{failure{span: at(12, 19), Sent: 1, Gone: true}, false},
		{failure{span: at(12, 30), Sent: 1, Gone: true}, true},
		{failure{span: at(22, 30), Sent: 1, Gone: true}, false},
	} {
		if got := len(unexcused([]failure{test.failure}, killed)) == 0; got != test.excused {
			t.Errorf("failure %+v with servers killed at %v: excused: got %v, want %v", test.failure, killed, got, test.excused)
		}
	}
}
