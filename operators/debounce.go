package operators

import (
	"context"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// Debounce emits a value once quiet has passed without another after it, and so drops
// those that are followed sooner. When the source completes, the value that is pending
// is emitted at once; a failure drops it. A quiet of zero or less waits for no time, but
// still drops what was followed before the consumer saw it.
//
// The source runs on a goroutine of its own. While yield is at work, at most
// [stream.DefaultBuffer] values wait; then the source does. Time is measured from where
// a value is taken from there.
func Debounce[T any](quiet time.Duration) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Debounce", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			var alarm stream.Alarm
			last := pending[T]{yield: yield}
			err := stream.Timed(stream.WithBuffering(ctx, "Debounce"), source, &alarm, func(v T) bool {
				last.hold(v)
				alarm.Set(quiet)
				return true
			}, last.emit)
			return last.end(ctx, err)
		}
	}
}

// pending is a value that comes later, or never.
type pending[T any] struct {
	yield  func(T) bool
	value  T
	held   bool // there is one
	denied bool // yield wants no more
}

// hold keeps a value instead of the one before.
func (p *pending[T]) hold(v T) { p.value, p.held = v, true }

// emit emits the value, if there is one, and reports whether more is wanted.
func (p *pending[T]) emit() bool {
	if !p.held {
		return true
	}
	var none T
	v := p.value
	p.value, p.held = none, false
	p.denied = !p.yield(v)
	return !p.denied
}

// end emits the value if the run, which ended with err, has completed, and returns how it
// ends.
func (p *pending[T]) end(ctx context.Context, err error) error {
	if err = ended(ctx, err); err == nil && !p.denied && p.emit() {
		err = context.Cause(ctx)
	}
	return err
}
