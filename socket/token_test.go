package socket

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
)

func TestTokenGoesToOneWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var token token
		if !token.tryTake() || token.tryTake() {
			t.Fatal("it is not one's alone")
		}
		ctx, cancel := context.WithCancel(t.Context())
		patient, impatient := make(chan error, 1), make(chan error, 1)
		go func() { patient <- token.take(t.Context()) }()
		go func() { impatient <- token.take(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-impatient; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		token.put()
		if err := <-patient; err != nil {
			t.Error(err)
		}
		token.put()
		if !token.tryTake() {
			t.Error("it was lost")
		}
	})
}

// TestTokenIsNeverLost has many take it, half of whom may give up in the moment in
// which they get it.
func TestTokenIsNeverLost(t *testing.T) {
	var token token
	var all sync.WaitGroup
	held := 0
	for i := range 8 {
		all.Go(func() {
			for range 500 {
				ctx, cancel := context.WithCancel(t.Context())
				if i%2 == 0 {
					go cancel()
				}
				if token.take(ctx) == nil {
					held++ // the race detector watches
					token.put()
				}
				cancel()
			}
		})
	}
	all.Wait()
	if held < 4*500 || !token.tryTake() {
		t.Errorf("held %d times", held)
	}
}
