package stream_test

import (
	"context"
	"runtime"
	"testing"
	"weak"

	"github.com/rxipc/rxipc/stream"
)

// TestBuffersForgetWhatTheyDelivered looks in the middle of a run for values that
// were taken long ago.
func TestBuffersForgetWhatTheyDelivered(t *testing.T) {
	const count = 500
	for name, source := range map[string]stream.Observable[*[64]byte]{
		"a queue of Gather":    gather(32, pointers(count)),
		"an observer's buffer": throughSubject(count),
	} {
		t.Run(name, func(t *testing.T) {
			var given []weak.Pointer[[64]byte]
			err := source.ForEach(t.Context(), func(p *[64]byte) {
				if p != nil {
					given = append(given, weak.Make(p))
					return
				}
				runtime.GC()
				kept := 0
				for _, p := range given {
					if p.Value() != nil {
						kept++
					}
				}
				if kept > 2 { // a register or a stack may still hold one
					t.Errorf("%d values were delivered: %d are kept, want none", count, kept)
				}
			})
			wantError(t, err, nil)
			if len(given) != count {
				t.Errorf("%s: got %d values, want %d", name, len(given), count)
			}
		})
	}
}

// pointers emits pointers to fresh memory, then nil.
func pointers(count int) stream.Observable[*[64]byte] {
	return func(_ context.Context, yield func(*[64]byte) bool) error {
		for range count {
			if !yield(new([64]byte)) {
				return nil
			}
		}
		yield(nil)
		return nil
	}
}

// throughSubject emits what pointers emits, through a subject.
func throughSubject(count int) stream.Observable[*[64]byte] {
	return func(ctx context.Context, yield func(*[64]byte) bool) error {
		var s stream.Subject[*[64]byte]
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for s.Observers() == 0 {
				runtime.Gosched()
			}
			_ = pointers(count).ForEach(ctx, s.Next)
			s.Complete()
		}()
		defer func() { <-ended }()
		return s.Observe(32, stream.Block)(ctx, yield)
	}
}
