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
	// Times is how often the source is run again at most, after its first run. Zero
	// is no limit, less than zero not at all.
	Times int

	// Delay is waited before the first retry; zero is 100 ms, less than zero none at
	// all, before any retry.
	Delay time.Duration

	// MaxDelay is what the delay grows to; the same as Delay keeps it constant. Zero
	// or less is 30 s, or Delay if that is longer.
	MaxDelay time.Duration

	// Jitter is the part of each delay, from 0 to 1, that chance may take away, so
	// that those who failed together do not come back together. Zero is a half, less
	// than zero none, more than 1 is 1. NaN panics.
	Jitter float64

	// After returns the delay before a retry, if it says ok: for servers that say when to
	// come back (Retry-After), and for delays of your own. Retries are counted from one.
	// err is the error of the run before. That delay is waited as it is, without MaxDelay
	// and Jitter; zero or less is none. Without ok, and if After is nil, the delay is the
	// one of the other fields.
	After func(retry int, err error) (delay time.Duration, ok bool)

	// If reports whether an error is worth another run; nil says that all are.
	If func(error) bool

	// ResetOnValue makes a value that came start the count of retries afresh, and with it
	// Times and Delay: for sources that fail now and then and are to be kept up.
	ResetOnValue bool
}

// Retry runs the source again when it fails, as the policy says; values that came
// before stay delivered, so a source that starts afresh delivers them once more. It
// completes when a run of the source does, and fails with the error of the last run
// when the policy gives up. The end of the run's own context ends a delay and is
// never retried.
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

// again reports whether an error that follows so many other failures is retried.
func (p RetryPolicy) again(failures int, err error) bool {
	return (p.Times == 0 || failures < p.Times) && (p.If == nil || p.If(err))
}

// delay is what is waited before the retry that follows so many others and an error.
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

// pause waits, unless d is zero or less, and returns the cause of ctx's end if that
// comes before.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	return stream.Timer(d).Run(ctx)
}
