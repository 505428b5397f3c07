package stream_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// wantValues fails the test unless got are the values.
func wantValues[T comparable](t *testing.T, got []T, want ...T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// wantError fails the test unless got is the error.
func wantError(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got error %v, want %v", got, want)
	}
}

func TestFromSliceReadsDuringTheRun(t *testing.T) {
	values := []int{1, 2}
	source := stream.FromSlice(values)
	values[0] = 7
	got, err := source.Collect(t.Context())
	wantError(t, err, nil)
	wantValues(t, got, 7, 2)
}

func TestTimerGivesTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		now, err := stream.Timer(time.Hour).First(t.Context()).Get()
		wantError(t, err, nil)
		if got := now.Sub(start); got != time.Hour || time.Since(start) != time.Hour {
			t.Errorf("timer gave %v after %v", got, time.Since(start))
		}
	})
}

func TestIntervalSkipsWhatASlowYieldMisses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		err := stream.Interval(time.Second)(t.Context(), func(n int) bool {
			at = append(at, time.Since(start))
			if n == 0 {
				time.Sleep(3500 * time.Millisecond) // until 4.5 s
			}
			return n < 2
		})
		wantError(t, err, nil)
		// One tick waits for a slow yield; the others are gone.
		wantValues(t, at, time.Second, 4500*time.Millisecond, 5*time.Second)
	})
}

func TestCancelledTimersNeverWinATie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 64 { // a select of two that are ready tosses a coin
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(errBroken) })
			got, err := stream.Interval(time.Second).Collect(ctx)
			if len(got) == 0 {
				wantError(t, err, errBroken)
			}

			ctx, cancel = context.WithCancelCause(t.Context())
			got = nil
			err = stream.Interval(time.Second)(ctx, func(n int) bool {
				got = append(got, n)
				cancel(errBroken)
				time.Sleep(5 * time.Second) // a tick has come meanwhile
				return true
			})
			wantError(t, err, errBroken)
			wantValues(t, got, 0)

			_, err = stream.Timer(0).Collect(ctx)
			wantError(t, err, errBroken)
		}
	})
}

func TestChannelIsSharedByRuns(t *testing.T) {
	source := stream.FromChannel(filled(1, 2, 3))
	first, err := source.First(t.Context()).Get()
	wantError(t, err, nil)
	rest, err := source.Collect(t.Context())
	wantError(t, err, nil)
	if first != 1 {
		t.Errorf("got %v first", first)
	}
	wantValues(t, rest, 2, 3)
}

func TestFromSeqEndsTheIteratorItLeaves(t *testing.T) {
	cleaned := false
	source := stream.FromSeq(func(yield func(int) bool) {
		defer func() { cleaned = true }()
		_ = yield(1) && yield(2)
	})
	wantValues(t, []int{source.First(t.Context()).GetOr(0)}, 1)
	if !cleaned {
		t.Error("the iterator was not ended")
	}
}

func TestThrowNothingCompletes(t *testing.T) {
	wantError(t, stream.Throw[int](nil).Run(t.Context()), nil)
}
