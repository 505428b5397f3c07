package stream_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/rxipc/rxipc/stream"
)

// A producer that is about to wait for room looks again: the consumer may have taken the
// last value in between, and waits for the next one itself then.
func TestGatherOfCapacityOneNeverStalls(t *testing.T) {
	const count = 300_000
	next := 0
	err := gather(1, stream.Range(0, count)).ForEach(t.Context(), func(v int) {
		if v != next {
			t.Errorf("values one at a time: got %d, want %d", v, next)
		}
		next++
	})
	wantError(t, err, nil)
	if next != count {
		t.Errorf("values one at a time: got %d, want %d", next, count)
	}
}

// What a producer leaves behind goes when it has ended, not when the run does.
func TestGatherForgetsProducersThatEnded(t *testing.T) {
	const count = 50
	var given []weak.Pointer[[64]byte]
	ended := make(chan struct{})
	err := stream.Gather(1, func(g *stream.Group[int]) {
		var pushed sync.WaitGroup
		taken := 0
		for range count {
			box := new([64]byte)
			given = append(given, weak.Make(box))
			pushed.Add(1)
			g.GoThen(func(_ context.Context, yield func(int) bool) error {
				defer pushed.Done()
				yield(1)
				return nil
			}, func() {
				runtime.KeepAlive(box)
				if taken++; taken == count {
					close(ended)
				}
			})
		}
		g.Go(func(_ context.Context, yield func(int) bool) error {
			<-ended
			yield(2)
			return nil
		})
		pushed.Wait() // all queues are in one round
	}).ForEach(t.Context(), func(v int) {
		if v == 1 {
			return
		}
		runtime.GC()
		if kept := kept(given); kept > 2 { // a register or a stack may still hold one
			t.Errorf("%d producers have ended: %d are kept, want none", count, kept)
		}
	})
	wantError(t, err, nil)
}

// The producer may hold a Unicast long after its observer has left.
func TestUnicastForgetsWhatItsObserverLeft(t *testing.T) {
	u := stream.NewUnicast[*[64]byte](t.Context(), 64, stream.DropOldest)
	var given []weak.Pointer[[64]byte]
	for range 50 {
		box := new([64]byte)
		given = append(given, weak.Make(box))
		u.Next(box)
	}
	wantError(t, u.Observe(t.Context(), func(*[64]byte) bool { return false }), nil)
	runtime.GC()
	if kept := kept(given); kept > 2 {
		t.Errorf("the observer has left: %d of its 50 values are kept, want none", kept)
	}
	runtime.KeepAlive(u)
}

func TestSubjectEndsItsObservers(t *testing.T) {
	for _, observers := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			var s stream.Subject[int]
			for range observers {
				defer s.Observe(1, stream.Block).Subscribe(t.Context(), stream.Observer[int]{}).Wait()
			}
			synctest.Wait()
			var counts []int
			audience := s.Audience().Subscribe(t.Context(), stream.Observer[int]{Next: func(n int) { counts = append(counts, n) }})
			synctest.Wait()
			s.Complete()
			wantError(t, audience.Wait(), nil)
			if len(counts) == 0 || counts[0] != observers {
				t.Errorf("the audience of a subject with %d observers: got %v", observers, counts)
			}
		})
	}
}
