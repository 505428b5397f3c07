package socket

import (
	"context"
	"sync"
)

// finisher finishes writes on a goroutine of its own, since a call that reads must not wait for
// the server to read. A call that waits for long starts it more than once.
type finisher struct {
	p      *Process
	ctx    context.Context
	cancel context.CancelFunc
	joined sync.WaitGroup
}

func (p *Process) newFinisher(ctx context.Context) *finisher {
	f := &finisher{p: p}
	f.ctx, f.cancel = context.WithCancel(ctx)
	return f
}

// start finishes the write, unless another goroutine writes. If that leaves bytes, its Unlock
// interrupts the reader, which starts the finisher again.
func (f *finisher) start() {
	if f.p.frames.TryLock() {
		f.joined.Go(func() {
			defer f.p.frames.Unlock()
			f.p.frames.Flush(f.ctx) // the reader meets an error, too
		})
	}
}

// stop returns when nothing of f writes any more.
func (f *finisher) stop() {
	f.cancel()
	f.joined.Wait()
}
