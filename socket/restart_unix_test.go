//go:build unix

package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
)

func TestFollowSurvivesAServerThatIsKilled(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	server := start(t, "server", dir)
	var lost []error
	follow := New(Config{Dir: dir}).Follow(counter, FollowConfig{
		Subscribe: Subscribe(Text("news, please")),
		Lost:      func(err error) { lost = append(lost, err) },
	})
	came := 0
	err := follow(ctx, func(m Message) bool {
		if m != Text("echo: news, please") {
			t.Error(m)
		}
		if came++; came == 3 {
			return false
		}
		server.kill()
		server = start(t, "server", dir)
		return true
	})
	if err != nil || came != 3 || len(lost) != 2 || !errors.Is(lost[0], io.ErrUnexpectedEOF) {
		t.Error(err, came, lost)
	}
}

// TestPoolSurvivesAServerThatIsKilled has many goroutines ask another process, that is
// killed in the middle.
func TestPoolSurvivesAServerThatIsKilled(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	server := start(t, "server", dir)
	pool := New(Config{Dir: dir}).Pool(counter, PoolConfig{})
	var asking sync.WaitGroup
	var answered, failed atomic.Int32
	third, killed := make(chan struct{}), make(chan struct{})
	for i := range 64 {
		asking.Go(func() {
			for j := range 60 {
				if j == 20 && i == 0 {
					close(third)
				}
				if j == 40 {
					<-killed
				}
				content := fmt.Sprint(i, ":", j)
				m, err := pool.Request(ctx, Text(content)).Get()
				switch {
				case err == nil && m == Text("echo: "+content):
					answered.Add(1)
				case err == nil:
					t.Error(m)
				case sendError(t, err).Sent != 1 || !errors.Is(err, io.ErrUnexpectedEOF):
					t.Error(err)
				default:
					failed.Add(1)
				}
			}
		})
	}
	<-third
	server.kill()
	start(t, "server", dir)
	close(killed)
	asking.Wait()
	if n := answered.Load(); n+failed.Load() != 64*60 || failed.Load() > 4*64 {
		t.Error(n, failed.Load())
	}
	if err := pool.Close(context.Background()).Err(); err != nil {
		t.Error(err)
	}
}
