package framed

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
)

func TestMutexGoesToAWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m mutex
		if !m.tryLock() || m.tryLock() {
			t.Fatal("it is not one's alone")
		}
		ctx, cancel := context.WithCancel(t.Context())
		patient, impatient := make(chan error, 1), make(chan error, 1)
		go func() { patient <- m.lock(t.Context()) }()
		go func() { impatient <- m.lock(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-impatient; !errors.Is(err, context.Canceled) {
			t.Errorf("lock with a context that ends: got %v, want context.Canceled", err)
		}
		m.unlock()
		if err := <-patient; err != nil {
			t.Errorf("lock after an unlock: got %v, want no error", err)
		}
		m.unlock()
		if !m.tryLock() {
			t.Error("it was lost")
		}
	})
}

// TestMutexIsNeverLost has many take it, half of whom may give up in the moment in
// which they get it.
func TestMutexIsNeverLost(t *testing.T) {
	var m mutex
	var all sync.WaitGroup
	held := 0
	for i := range 8 {
		all.Go(func() {
			for range 500 {
				ctx, cancel := context.WithCancel(t.Context())
				if i%2 == 0 {
					go cancel()
				}
				if m.lock(ctx) == nil {
					held++ // the race detector watches
					m.unlock()
				}
				cancel()
			}
		})
	}
	all.Wait()
	if held < 4*500 || !m.tryLock() {
		t.Errorf("held %d times", held)
	}
}
