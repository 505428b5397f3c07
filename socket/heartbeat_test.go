package socket

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// TestHeartbeatsOfAServerComeAfterSilence has connections that came at different times, some of which
// say something now and then: each gets a heartbeat after an interval of silence, or up
// to an eighth later, and whoever is alone at its time.
func TestHeartbeatsOfAServerComeAfterSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newMemoryListener()
		go New(Config{Heartbeat: 800 * time.Millisecond}).Accept(listener)(t.Context(), func(c *Connection) bool {
			go c.Exchanges().Run(t.Context())
			return true
		})
		for i := range 50 {
			client := listener.client(t, 0).greet()
			synctest.Wait()
			last := time.Now()
			go func() {
				for beats := 0; beats < 20; beats++ {
					if got := client.next(); got != "heartbeat" {
						t.Errorf("read frame %d: got %s, want heartbeat", beats, got)
					}
					if silence := time.Since(last); silence < 800*time.Millisecond || silence > 900*time.Millisecond {
						t.Errorf("client %d: a heartbeat came after %v, want 800 to 900 ms", i, silence)
					}
					if last = time.Now(); i%3 == 0 {
						time.Sleep(time.Duration(i) * 7 * time.Millisecond)
						client.send(wire.KindHeartbeat)
						last = time.Now()
					}
				}
				client.leave()
			}()
			time.Sleep(13 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		listener.Close()
	})
}
