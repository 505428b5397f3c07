package socket

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// TestSessionStormOfParkingAndResuming has clients talk, be pushed to and be called while their
// sessions park as often as they can.
func TestSessionStormOfParkingAndResuming(t *testing.T) {
	t.Parallel()
	s := serveOnSocket(t, Config{ServerConfig: ServerConfig{restAfter: time.Microsecond}}, echo)
	const clients = 8
	turns := int(rounds(t, 15))
	over := make(chan struct{})
	var working, disturbing sync.WaitGroup
	for i := range clients {
		client, c := s.dial()
		disturbing.Go(func() { disturb(over, c.frames.Interrupt) })
		working.Go(func() {
			random := newRandom(uint64(i))
			for range turns {
				switch random.IntN(4) {
				case 0:
					awaitParked(t, c)
				case 1:
					client.send(wire.KindHeartbeat)
				case 2:
					if err := c.Send(t.Context(), Text("pushed")); err != nil {
						t.Errorf("Send to a client that is there: got %v, want nil", err)
					}
					client.expect(`"pushed"`)
				}
				client.send("a", "b")
				client.expect("ack", `"echo: a"`, "ack", `"echo: b"`)
			}
			if i%2 == 0 {
				client.leave()
			} else {
				client.conn.Close()
			}
		})
	}
	working.Wait()
	s.end()
	interrupted(t, <-s.result, clients*(2*turns+1), context.Canceled)
	close(over)
	disturbing.Wait()
}

// disturb does something all the time.
func disturb(over <-chan struct{}, what func()) {
	for {
		select {
		case <-over:
			return
		default:
			what()
			runtime.Gosched()
		}
	}
}
