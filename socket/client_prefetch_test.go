package socket

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/socket/internal/fifo"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// pushAll pushes n messages of a size from a goroutine, and returns how many were pushed.
func pushAll(ctx context.Context, f *prefetcher, n, size int) *int {
	pushed := new(int)
	go func() {
		for range n {
			if !f.push(ctx, Text(strings.Repeat("x", size))) {
				return
			}
			*pushed++
		}
	}()
	return pushed
}

func TestPrefetcherReadsAWindowAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newPrefetcher(&Config{ClientConfig: ClientConfig{Window: 10, WindowBytes: 1 << 20}})
		pushed := pushAll(ctx, s, 100, 1)
		expect := func(want int) {
			t.Helper()
			synctest.Wait()
			if *pushed != want {
				t.Fatalf("%d messages were read ahead, want %d", *pushed, want)
			}
		}
		expect(20)
		var queue fifo.Queue[Message]
		s.take(10, &queue)
		expect(20) // they are in flight
		s.conclude(4)
		expect(20) // not worth a wake-up
		s.conclude(1)
		expect(25)
		s.conclude(5)
		expect(30)
		cancel()
	})
}

func TestPrefetcherReadsNoMoreThanWindowBytesAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newPrefetcher(&Config{ClientConfig: ClientConfig{Window: 1000, WindowBytes: 10_000}})
		pushed := pushAll(ctx, s, 1000, 1000)
		synctest.Wait()
		if *pushed != 10 {
			t.Fatalf("%d messages of 1000 bytes were read ahead, want 10, which is the limit of 10,000 bytes", *pushed)
		}
		var queue fifo.Queue[Message]
		s.take(4, &queue)
		synctest.Wait()
		if *pushed != 10 {
			t.Fatalf("%d messages were read ahead when there was little room, want 10: a source is not woken for it", *pushed)
		}
		s.take(2, &queue)
		synctest.Wait()
		if *pushed != 16 {
			t.Fatalf("%d messages were read ahead once 6 were taken, want 16", *pushed)
		}
		cancel()
	})
}

// TestSendAllNoticesTheEndOfTheConnectionWhileItsSourceWaits has a source that emits nothing.
func TestSendAllNoticesTheEndOfTheConnectionWhileItsSourceWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := opened(t, Config{Heartbeat: -1}, 0)
		go server.send(wire.KindClose)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := p.SendAll(stream.Never[Message]()).Run(ctx); !errors.Is(err, ErrDisconnected) || ctx.Err() != nil {
			t.Errorf("SendAll of a silent source, when the server closes: %v, want %v at once", err, ErrDisconnected)
		}
	})
}
