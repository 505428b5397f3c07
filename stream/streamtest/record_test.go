package streamtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rxipc/rxipc/stream"
)

func TestRecorder(t *testing.T) {
	Run(t, func(b *Bench) {
		r := Record(b, b.Cold("-a--(bc)---#"))
		r.Next("a")
		if b.Now() != 1 {
			b.Errorf("wait for the value a: got frame %d, want 1", b.Now())
		}
		r.Nothing(3 * time.Millisecond) // b comes at the very end of it
		r.Next("b")
		if v := r.Value(); v != "c" {
			b.Errorf("wait for a value: got %q, want c", v)
		}
		r.Nothing(3 * time.Millisecond)
		r.Error(ErrFailed)
		r.Nothing(time.Hour)

		r = Record(b, stream.Just("a"))
		r.Next("a")
		r.Complete()

		endless := Record(b, stream.Interval(time.Minute))
		endless.Next(0)
		endless.Cancel()
		endless.Nothing(time.Hour)

		forgotten := Record(b, stream.Interval(time.Minute))
		forgotten.Nothing(time.Minute)
		forgotten.Next(0)
	})
}

func TestRecorderOfUserTimers(t *testing.T) {
	for range 20 {
		Run(t, func(b *Bench) {
			r := Record(b, stream.Interval(time.Millisecond))
			for n := range 10 {
				r.Nothing(time.Millisecond)
				r.Next(n)
			}
		})
	}
}

func TestRecordedDifferences(t *testing.T) {
	for want, f := range map[string]func(*Bench){
		"frame 1: expected \"b\", got \"a\"\n    (-expected +actual)\n      string(\n    - \t\"b\",\n    + \t\"a\",\n      )": func(b *Bench) {
			Record(b, b.Cold("-a")).Next("b")
		},
		`frame 2: expected "a", got completion`:            func(b *Bench) { Record(b, b.Cold("--|")).Next("a") },
		`expected "a", got nothing for 1h0m0s`:             func(b *Bench) { Record(b, b.Cold("--")).Next("a") },
		`expected a value, got nothing for 1h0m0s`:         func(b *Bench) { Record(b, b.Cold("--")).Value() },
		`frame 2: expected a value, got completion`:        func(b *Bench) { Record(b, b.Cold("--|")).Value() },
		`frame 1: expected completion, got "a"`:            func(b *Bench) { Record(b, b.Cold("-a")).Complete() },
		`frame 0: expected failure (boom), got completion`: func(b *Bench) { Record(b, b.Cold("|")).Error(errors.New("boom")) },
		"frame 2: expected nothing for 3ms, got \"a\"\nhere: nobody looked at \"a\" of frame 2, nor at 0 things after it": func(b *Bench) { Record(b, b.Cold("--a")).Nothing(3 * time.Millisecond) },
		`expected completion, got nothing for 1m0s`:              func(b *Bench) { b.Timeout = time.Minute; Record(b, b.Cold("-")).Complete() },
		`frame 0: expected "a", got exit of the run's goroutine`: func(b *Bench) { Record(b, b.exiting).Next("a") },
		`here: nobody looked at "b" of frame 2, nor at 2 things after it`: func(b *Bench) {
			r := Record(b, b.Cold("-a(bc)|"))
			r.Next("a")
			time.Sleep(10 * time.Millisecond)
		},
		`here: nobody looked at completion of frame 2, nor at 0 things after it`: func(b *Bench) {
			r := Record(b, b.Cold("-a|"))
			r.Next("a")
			r.Nothing(time.Millisecond)
			r.Cancel()
		},
		`here: nobody looked at "a" of frame 3, nor at 0 things after it`: func(b *Bench) {
			r := Record(b, b.Cold("-a"))
			time.Sleep(2 * time.Millisecond)
			r.Next("a")
			r = Record(b, b.Cold("-a"))
			time.Sleep(2 * time.Millisecond)
			r.Cancel()
		},
		`here: nobody looked at 0 of frame 1, nor at 999 things after it`: func(b *Bench) {
			Record(b, stream.Interval(time.Millisecond))
			time.Sleep(time.Minute)
		},
		`here: the recorded run went on for 2ms after it was cancelled`: func(b *Bench) {
			Record(b, func(ctx context.Context, _ func(int) bool) error {
				<-ctx.Done()
				time.Sleep(2 * time.Millisecond)
				return context.Cause(ctx)
			}).Cancel()
		},
	} {
		says(t, want, f)
	}
}

func (b *Bench) exiting(context.Context, func(string) bool) error {
	b.exit()
	return nil
}
