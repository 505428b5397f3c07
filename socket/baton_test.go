package socket

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
)

func TestBatonGoesToOneWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var baton baton
		if !baton.tryTake() || baton.tryTake() {
			t.Fatal("it is not one's alone")
		}
		ctx, cancel := context.WithCancel(t.Context())
		patient, impatient := make(chan error, 1), make(chan error, 1)
		go func() { patient <- baton.take(t.Context()) }()
		go func() { impatient <- baton.take(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-impatient; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		baton.put()
		if err := <-patient; err != nil {
			t.Error(err)
		}
		baton.put()
		if !baton.tryTake() {
			t.Error("it was lost")
		}
	})
}

// TestBatonIsNeverLost has many take it, half of whom may give up in the moment in
// which they get it.
func TestBatonIsNeverLost(t *testing.T) {
	var baton baton
	var all sync.WaitGroup
	held := 0
	for i := range 8 {
		all.Go(func() {
			for range 500 {
				ctx, cancel := context.WithCancel(t.Context())
				if i%2 == 0 {
					go cancel()
				}
				if baton.take(ctx) == nil {
					held++ // the race detector watches
					baton.put()
				}
				cancel()
			}
		})
	}
	all.Wait()
	if held < 4*500 || !baton.tryTake() {
		t.Errorf("held %d times", held)
	}
}
