package socket

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestSessionThatIsCalledHasNotHeardFromItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client, c := pushing(t, Config{Heartbeat: time.Second}, 0)
		start := time.Now()
		time.Sleep(900 * time.Millisecond)
		c.frames.Interrupt()
		client.expect("heartbeat")
		same(t, []time.Duration{time.Since(start)}, time.Second)
		client.leave()
	})
}

// TestSessionOverNoSocketNeverParks needs no time for it: there is no timer either.
func TestSessionOverNoSocketNeverParks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client, c := pushing(t, Config{Heartbeat: -1}, 0)
		time.Sleep(time.Hour)
		if c.frames.Parking.Load() != nil {
			t.Error("a session over a pipe may park, want that it keeps its goroutine")
		}
		client.leave()
	})
}
