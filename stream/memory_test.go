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
		"lane":    gather(32, boxes(count)),
		"mailbox": boxed(count),
	} {
		t.Run(name, func(t *testing.T) {
			var given []weak.Pointer[[64]byte]
			err := source.ForEach(t.Context(), func(box *[64]byte) {
				if box != nil {
					given = append(given, weak.Make(box))
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
					t.Errorf("%d values of %d are kept", kept, count)
				}
			})
			wantError(t, err, nil)
			if len(given) != count {
				t.Errorf("%d values came", len(given))
			}
		})
	}
}

// boxes are things in memory, then nil.
func boxes(count int) stream.Observable[*[64]byte] {
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

// boxed are boxes by way of a subject.
func boxed(count int) stream.Observable[*[64]byte] {
	return func(ctx context.Context, yield func(*[64]byte) bool) error {
		var s stream.Subject[*[64]byte]
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for s.Observers() == 0 {
				runtime.Gosched()
			}
			_ = boxes(count).ForEach(ctx, s.Next)
			s.Complete()
		}()
		defer func() { <-ended }()
		return s.Observe(32, stream.Block)(ctx, yield)
	}
}
