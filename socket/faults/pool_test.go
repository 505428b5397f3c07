//go:build unix

package faults

import (
	"context"
	"errors"
	"fmt"
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
	Sent int    // whether it may have been handled, as its error says
	Text string // of its error
}

// span is from a time to another one.
type span struct{ From, To time.Time }

func (s span) overlaps(other span) bool { return !s.To.Before(other.From) && !other.To.Before(s.From) }

// askAPool has several callers make requests of a pool for a while, through whatever
// happens to the server. A request that was answered was handled; one may only fail that
// was under way when a server was killed, and may have been handled by it.
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
					panic(fmt.Sprintf("the reply to %v is %v", messages[0], reply))
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
		panic(err)
	}
}

func failureOf(err error, during span) failure {
	f := failure{span: during, Text: err.Error()}
	var told *socket.SendError
	if errors.As(err, &told) {
		f.Sent = told.Sent
	}
	return f
}

// unexcused are the failures that must not be: where no server was killed, or of a request
// that was not sent, and could have been made again.
func unexcused(failed []failure, killed []span) []failure {
	return slices.DeleteFunc(slices.Clone(failed), func(f failure) bool {
		return f.Sent == 1 && slices.ContainsFunc(killed, f.overlaps)
	})
}

func TestFailuresAreExcusedByServersThatWereKilledMeanwhile(t *testing.T) {
	at := func(from, to int64) span { return span{time.Unix(from, 0), time.Unix(to, 0)} }
	killed := []span{at(10, 11), at(20, 21)}
	for _, test := range []struct {
		failure
		excused bool
	}{
		{failure{span: at(1, 9), Sent: 1}, false},
		{failure{span: at(1, 10), Sent: 1}, true},
		{failure{span: at(1, 10), Sent: 0}, false},
		{failure{span: at(11, 19), Sent: 1}, true},
		{failure{span: at(12, 19), Sent: 1}, false},
		{failure{span: at(12, 30), Sent: 1}, true},
		{failure{span: at(22, 30), Sent: 1}, false},
	} {
		if got := len(unexcused([]failure{test.failure}, killed)) == 0; got != test.excused {
			t.Errorf("a failure %+v where servers were killed at %v: excused is %v, want %v", test.failure, killed, got, test.excused)
		}
	}
}
