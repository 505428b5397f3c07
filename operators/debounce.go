package operators

import (
	"context"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// Debounce emits a value when quiet has passed after it without another value. A value that
// is followed sooner is dropped. When the source completes, the pending value is emitted at
// once; a failure drops it. A quiet of zero or less does not wait, but a value is still
// dropped if another one comes before the consumer takes it.
//
// The source runs on a goroutine of its own. While yield runs, at most
// [stream.DefaultBuffer] values wait; the source waits when there are more. The time of a
// value is when the operator takes it from the waiting ones.
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

// pending holds a value that may be emitted later.
type pending[T any] struct {
	yield  func(T) bool
	value  T
	held   bool // there is a value
	denied bool // yield wants no more
}

// hold keeps a value instead of the one before.
func (p *pending[T]) hold(v T) { p.value, p.held = v, true }

// emit emits the value, if there is a value, and reports whether more is wanted.
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

// end emits the value if the source, which ended with err, has completed. It returns how
// the run ends.
func (p *pending[T]) end(ctx context.Context, err error) error {
	if err = ended(ctx, err); err == nil && !p.denied && p.emit() {
		err = context.Cause(ctx)
	}
	return err
}
