//go:build unix

package socket_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/rxipc/rxipc/socket"
)

// BenchmarkPool makes requests of 32 bytes to another process by so many callers, over pools
// of so many connections and requests in flight on each. The first is the default.
func BenchmarkPool(b *testing.B) {
	dir := startWindowPeer(b)
	m := socket.Text(strings.Repeat("x", 32))
	ipc := socket.New(socket.Config{Dir: dir})
	for _, callers := range []int{1, 16, 64, 256} {
		for _, shape := range []socket.PoolConfig{{}, {Connections: 16, InFlight: 16}, {Connections: 4, InFlight: 64}, {Connections: 1, InFlight: 256}} {
			name := fmt.Sprintf("%d callers/default", callers)
			if shape.InFlight > 0 {
				name = fmt.Sprintf("%d callers/%d connections of %d in flight", callers, shape.Connections, shape.InFlight)
			}
			b.Run(name, func(b *testing.B) {
				pool := ipc.Pool(socket.MustParseName("echo"), shape)
				defer pool.Close(b.Context())
				b.ReportAllocs()
				defer reportCPU(b)()
				var asking sync.WaitGroup
				for i := range callers {
					asking.Go(func() {
						for range b.N/callers + min(1, max(0, b.N%callers-i)) {
							if answer, err := pool.Request(b.Context(), m).Get(); answer != m || err != nil {
								b.Errorf("a request got %v, %v, want %v", answer, err, m)
								return
							}
						}
					})
				}
				asking.Wait()
			})
		}
	}
}
