package rpc

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestWorkersKeepFewIdleGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const jobs = 10 * maxIdle
		var running, done atomic.Int32
		release := make(chan struct{})
		w := newWorkers(func(int) {
			running.Add(1)
			<-release
			done.Add(1)
		})
		for i := range jobs {
			w.do(i)
		}
		synctest.Wait()
		if running.Load() != jobs {
			t.Errorf("give %d jobs: %d run, want all at the same time", jobs, running.Load())
		}
		close(release)
		synctest.Wait()
		if idle := w.idle.Load(); idle != maxIdle {
			t.Errorf("when %d jobs are done: %d goroutines wait for more, want %d", jobs, idle, maxIdle)
		}
		w.do(0)
		synctest.Wait()
		if idle := w.idle.Load(); idle != maxIdle {
			t.Errorf("give one more job: %d goroutines wait, want %d: one that waited has run it", idle, maxIdle)
		}
		w.wait() // and the bubble sees that no goroutine is left
		if done.Load() != jobs+1 {
			t.Errorf("wait: %d jobs are done, want %d", done.Load(), jobs+1)
		}
	})
}
