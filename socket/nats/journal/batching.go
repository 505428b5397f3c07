package journal

import (
	"context"
	"sync"

	"github.com/rxipc/rxipc/stream"
)

// batching runs process over batches of the source's values. A batch has what came while the one
// before was processed, up to maxBatch values and maxBatchBytes. The source waits while twice that
// many values wait. The source, process and the consumer have a goroutine each.
func batching[A, B any](size func(A) int, process stream.Operator[[]A, B]) stream.Operator[A, B] {
	return func(source stream.Observable[A]) stream.Observable[B] {
		return stream.Gather(stream.DefaultBuffer, func(g *stream.Group[B]) {
			w := &waiting[A]{size: size, changed: make(chan struct{}, 1), room: make(chan struct{}, 1)}
			g.Go(func(ctx context.Context, _ func(B) bool) error {
				w.end(source(ctx, func(v A) bool { return w.put(ctx, v) }))
				return nil
			})
			g.Go(process(w.batches))
		})
	}
}

// waiting has the values that wait for their batch.
type waiting[A any] struct {
	size    func(A) int
	changed chan struct{} // a token for the reader: a value, or the end
	room    chan struct{} // a token for the source

	mu     sync.Mutex
	values []A
	bytes  int
	ended  bool
	err    error // of the source
}

// put adds a value when there is room. It returns false when ctx ends.
func (w *waiting[A]) put(ctx context.Context, v A) bool {
	for !w.tryPut(v) {
		select {
		case <-w.room:
		case <-ctx.Done():
			return false
		}
	}
	signal(w.changed)
	return true
}

func (w *waiting[A]) tryPut(v A) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.values) >= 2*maxBatch || w.bytes >= maxBatchBytes {
		return false
	}
	w.values = append(w.values, v)
	w.bytes += w.size(v)
	return true
}

// end notes the end of the source.
func (w *waiting[A]) end(err error) {
	w.mu.Lock()
	w.ended, w.err = true, err
	w.mu.Unlock()
	signal(w.changed)
}

// batches emits what waits, whenever yield has returned. It ends as the source does.
func (w *waiting[A]) batches(ctx context.Context, yield func([]A) bool) error {
	for {
		batch, ended, err := w.take()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case len(batch) > 0:
			signal(w.room)
			if !yield(batch) {
				return nil
			}
		case ended:
			return err
		default:
			select {
			case <-w.changed:
			case <-ctx.Done():
			}
		}
	}
}

// take takes a batch, which is empty if nothing waits.
func (w *waiting[A]) take() (batch []A, ended bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, bytes := 0, 0
	for n < len(w.values) && n < maxBatch && (n == 0 || bytes+w.size(w.values[n]) <= maxBatchBytes) {
		bytes += w.size(w.values[n])
		n++
	}
	batch = w.values[:n:n]
	w.values = append([]A(nil), w.values[n:]...)
	w.bytes -= bytes
	return batch, w.ended, w.err
}

// signal leaves a token.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
