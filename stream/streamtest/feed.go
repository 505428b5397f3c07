package streamtest

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// feed is the source that an operator under check is given: a good one, that
// ends as it is told to and remembers what happened to it.
type feed[A any] struct {
	inputs []A
	cycles int           // how often the inputs come; zero is once
	pace   time.Duration // waited before each input and before the end
	end    func() error  // what comes after the inputs; nil completes
	unwell error         // what a run returns that is no longer wanted

	runs    atomic.Int64
	active  atomic.Int64
	reads   atomic.Int64
	marked  atomic.Bool // a run was told that what follows buffers
	stopped atomic.Bool // a run was told that it is no longer wanted, or cancelled
}

func (f *feed[A]) run(ctx context.Context, yield func(A) bool) error {
	f.runs.Add(1)
	f.active.Add(1)
	defer f.active.Add(-1)
	if stream.Buffering(ctx) != "" {
		f.marked.Store(true)
	}
	for range max(1, f.cycles) {
		for _, input := range f.inputs {
			if err := f.rest(ctx); err != nil {
				return err
			}
			f.reads.Add(1)
			if !yield(input) {
				f.stopped.Store(true)
				return f.unwell
			}
		}
	}
	if err := f.rest(ctx); err != nil {
		return err
	}
	if f.end != nil {
		return f.end()
	}
	return nil
}

// rest waits for as long as the pace says.
func (f *feed[A]) rest(ctx context.Context) error {
	if ctx.Err() == nil && f.pace > 0 {
		timer := time.NewTimer(f.pace)
		defer timer.Stop()
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
	if ctx.Err() != nil {
		f.stopped.Store(true)
		return context.Cause(ctx)
	}
	return nil
}

// left says what the operator has left of the feed's runs.
func (f *feed[A]) left() string {
	if n := f.active.Load(); n > 0 {
		return fmt.Sprintf("%d runs of the source go on", n)
	}
	return ""
}

// reachedEnd reports whether what comes after the inputs came to the operator.
func (f *feed[A]) reachedEnd() bool { return f.runs.Load() > 0 && !f.stopped.Load() }
