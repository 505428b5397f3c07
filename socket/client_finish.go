package socket

import (
	"context"
	"sync"
	"sync/atomic"
)

// finisher writes what earlier writes left, on a goroutine of its own: whoever reads
// must not wait for the server to read. Who waits for long has it start more than once.
type finisher struct {
	p       *Process
	ctx     context.Context
	cancel  context.CancelFunc
	running atomic.Bool
	joined  sync.WaitGroup
}

func (p *Process) newFinisher(ctx context.Context) *finisher {
	f := &finisher{p: p}
	f.ctx, f.cancel = context.WithCancel(ctx)
	return f
}

// start has it look, after something was left.
func (f *finisher) start() {
	if f.running.CompareAndSwap(false, true) {
		f.joined.Go(f.run)
	}
}

func (f *finisher) run() {
	for {
		for f.p.left.Load() || f.p.unsettled() { // what is owed found the token taken
			if f.finish() != nil {
				return // the reader meets it, too, but for the end of ctx
			}
		}
		f.running.Store(false)
		if !f.p.left.Load() || !f.running.CompareAndSwap(false, true) {
			return
		}
	}
}

func (f *finisher) finish() error {
	if err := f.p.acquire(f.ctx); err != nil {
		return err
	}
	defer f.p.release()
	f.p.settle()
	return f.p.flush(f.ctx)
}

// stop returns when it is through.
func (f *finisher) stop() {
	f.cancel()
	f.joined.Wait()
}
