package socket

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
)

// supplied runs a source of n messages of a size against a supply, and returns how many
// it has got rid of.
func supplied(ctx context.Context, s *supply, n, size int) *int {
	pushed := new(int)
	go func() {
		for range n {
			if !s.push(ctx, Text(strings.Repeat("x", size))) {
				return
			}
			*pushed++
		}
	}()
	return pushed
}

func TestSupplyReadsAWindowAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newSupply(&Config{ClientConfig: ClientConfig{Window: 10, WindowBytes: 1 << 20}})
		pushed := supplied(ctx, s, 100, 1)
		expect := func(want int) {
			t.Helper()
			synctest.Wait()
			if *pushed != want {
				t.Fatalf("%d messages were read ahead, want %d", *pushed, want)
			}
		}
		expect(20)
		var queue fifo[Message]
		s.take(10, &queue)
		expect(20) // they are in flight
		s.landed(4)
		expect(20) // not worth a wake-up
		s.landed(1)
		expect(25)
		s.landed(5)
		expect(30)
		cancel()
	})
}

func TestSupplyReadsNoMoreThanWindowBytesAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newSupply(&Config{ClientConfig: ClientConfig{Window: 1000, WindowBytes: 10_000}})
		pushed := supplied(ctx, s, 1000, 1000)
		synctest.Wait()
		if *pushed != 10 {
			t.Fatalf("%d messages of 1000 bytes were read ahead, the limit is 10,000 bytes", *pushed)
		}
		var queue fifo[Message]
		s.take(4, &queue)
		synctest.Wait()
		if *pushed != 10 {
			t.Fatal("a source was woken for little room")
		}
		s.take(2, &queue)
		synctest.Wait()
		if *pushed != 16 {
			t.Fatal(*pushed)
		}
		cancel()
	})
}
