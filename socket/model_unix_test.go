//go:build unix

package socket

import (
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"testing"
	"time"
)

// TestModelHoldsOverRealSockets runs worlds over sockets with buffers of all
// sizes, in which nobody waits for time to pass.
func TestModelHoldsOverRealSockets(t *testing.T) {
	t.Parallel()
	for seed := range rounds(t, 4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			runWorld(t, seed, environment{
				ends: func(random *rand.Rand) (net.Conn, net.Conn) {
					a, b := unixPair(t)
					for _, conn := range []net.Conn{a, b} {
						conn.(*net.UnixConn).SetWriteBuffer(1 << (10 + random.IntN(10)))
					}
					return a, b
				},
				sleep:  func(time.Duration) { runtime.Gosched() },
				limit:  func(random *rand.Rand) time.Duration { return time.Duration(random.IntN(5000)) * time.Microsecond },
				enough: time.Minute,
				large:  300_000,
				grace:  50 * time.Millisecond,
			})
		})
	}
}
