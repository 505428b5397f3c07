package operators

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// RetryPolicy says when [Retry] runs its source again, and how long it waits before.
// The delay doubles with each failure, from Delay up to MaxDelay. The zero policy
// retries after every failure, without end, after delays from 100 ms to 30 s of
// which up to half is left to chance.
type RetryPolicy struct {
	// Times is how often the source is run again at most, after its first run. Zero means no
	// limit, a negative value no retry.
	Times int

	// Delay is the time before the first retry. Zero means 100 ms, a negative value no delay
	// before any retry.
	Delay time.Duration

	// MaxDelay limits the growth of the delay; if it equals Delay, the delay is constant. Zero
	// or less means 30 s, or Delay if that is longer.
	MaxDelay time.Duration

	// Jitter is the part of each delay, from 0 to 1, by which chance may shorten it, so that
	// callers that failed together do not retry together. Zero means one half, a negative value
	// none, more than 1 means 1. NaN panics.
	Jitter float64

	// After returns the delay before a retry, and ok. It serves errors that say when to come
	// back (Retry-After), and delays of your own. Retries are counted from one, and err is the
	// error of the run before. MaxDelay and Jitter do not change this delay; zero or less is
	// none. If ok is false, or After is nil, the other fields set the delay.
	After func(retry int, err error) (delay time.Duration, ok bool)

	// If reports whether an error is worth another run; nil says that all are.
	If func(error) bool

	// ResetOnValue makes each value of the source reset the count of retries, on which Times
	// and the delay depend. It suits sources that fail now and then and are kept up for long.
	ResetOnValue bool
}

// Retry runs the source again when it fails, as the policy says. Values from before the
// failure have been emitted, so a source that starts afresh emits them once more. Retry
// completes when a run of the source completes. When the policy gives up, it fails with the
// error of the last run. The end of the run's own context ends a delay and is not retried.
func Retry[T any](policy RetryPolicy) stream.Operator[T, T] {
	if math.IsNaN(policy.Jitter) {
		panic("operators: Retry with a jitter of NaN, want 0 to 1")
	}
	policy = policy.withDefaults()
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Retry", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			failures := 0
			wanted := true
			pass := func(v T) bool {
				if policy.ResetOnValue {
					failures = 0
				}
				wanted = yield(v)
				return wanted
			}
			for {
				err := source(ctx, pass)
				if err == nil || !wanted || ctx.Err() != nil || !policy.again(failures, err) {
					return ended(ctx, err)
				}
				if err := pause(ctx, policy.delay(failures, err)); err != nil {
					return err
				}
				failures++
			}
		}
	}
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	if p.Delay == 0 {
		p.Delay = 100 * time.Millisecond
	}
	if p.MaxDelay <= 0 {
		p.MaxDelay = max(30*time.Second, p.Delay)
	}
	if p.Jitter == 0 {
		p.Jitter = 0.5
	}
	p.Jitter = min(max(0, p.Jitter), 1)
	return p
}

// again reports whether an error is retried after the given number of other failures.
func (p RetryPolicy) again(failures int, err error) bool {
	return (p.Times == 0 || failures < p.Times) && (p.If == nil || p.If(err))
}

// delay returns the delay before the next retry, after the given number of retries and an
// error.
func (p RetryPolicy) delay(failures int, err error) time.Duration {
	if p.After != nil {
		if d, ok := p.After(failures+1, err); ok {
			return d
		}
	}
	d := p.Delay
	for ; failures > 0 && 0 < d && d < p.MaxDelay; failures-- {
		d += min(d, p.MaxDelay-d) // twice as much would overflow
	}
	d = min(d, p.MaxDelay)
	return d - time.Duration(rand.Float64()*p.Jitter*float64(d))
}

// pause waits for d, unless d is zero or less. If ctx ends before, it returns its cause.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	return stream.Timer(d).Run(ctx)
}
