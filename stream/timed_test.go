package stream_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// ringing emits the values of the source and, d after the last one, -1.
func ringing(d time.Duration) stream.Operator[int, int] {
	return func(source stream.Observable[int]) stream.Observable[int] {
		return func(ctx context.Context, yield func(int) bool) error {
			var alarm stream.Alarm
			value := func(v int) bool {
				alarm.Set(d)
				return yield(v)
			}
			return stream.Timed(ctx, source, &alarm, value, func() bool { return yield(-1) })
		}
	}
}

func init() {
	maps.Copy(contracts, map[string]func(*testing.T){
		"Timed": func(t *testing.T) {
			streamtest.CheckOperator(t, ringing(time.Hour), []int{1, 2, 3}, []int{1, 2, 3}, streamtest.ReadAhead(stream.DefaultBuffer+1))
			silent := func(ctx context.Context, yield func(int) bool) error {
				_ = yield(1)
				return stream.Never[int]().Run(ctx)
			}
			streamtest.Check(t, ringing(time.Second)(silent), []int{1, -1}, streamtest.Endless())
		},
		"Buffered": func(t *testing.T) {
			for _, overflow := range []stream.Overflow{stream.Block, stream.DropOldest, stream.DropNewest, stream.Fail} {
				t.Run(fmt.Sprint("overflow ", overflow), func(t *testing.T) {
					buffered := func(s stream.Observable[int]) stream.Observable[int] { return stream.Buffered(s, 8, overflow) }
					ahead := -1
					if overflow == stream.Block {
						ahead = 9
					}
					streamtest.CheckOperator(t, buffered, []int{1, 2, 3}, []int{1, 2, 3}, streamtest.ReadAhead(ahead))
				})
			}
		},
	})
}

// What came in time counts, even if the consumer gets to it late.
func TestTimedTakesWhatWaitsBeforeItRings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := func(ctx context.Context, yield func(int) bool) error {
			for i := range 3 {
				_ = yield(i)
				time.Sleep(time.Second)
			}
			return nil
		}
		var alarm stream.Alarm
		var got []any
		err := stream.Timed(t.Context(), source, &alarm, func(v int) bool {
			got = append(got, v)
			alarm.Set(1500 * time.Millisecond)
			if v == 0 {
				time.Sleep(10 * time.Second)
			}
			return true
		}, func() bool {
			got = append(got, "ring")
			return true
		})
		wantError(t, err, nil)
		if s := fmt.Sprint(got); s != "[0 1 2]" {
			t.Errorf("got %v", s)
		}
	})
}

// A source that never rests does not keep the alarm from ringing.
func TestTimedRingsBesideABusySource(t *testing.T) {
	busy := func(_ context.Context, yield func(int) bool) error {
		for yield(1) {
		}
		return nil
	}
	var alarm stream.Alarm
	alarm.Set(time.Millisecond)
	rings := 0
	err := stream.Timed(t.Context(), busy, &alarm, func(int) bool { return true }, func() bool {
		rings++
		alarm.Set(time.Millisecond)
		return rings < 3
	})
	wantError(t, err, nil)
	if rings != 3 {
		t.Errorf("it rang %d times", rings)
	}
}

// Rings and values race for the consumer; none is lost, none comes twice.
func TestTimedLosesNothingToTheAlarm(t *testing.T) {
	const count = 20_000
	var alarm stream.Alarm
	alarm.Set(0)
	next, rings := 0, 0
	err := stream.Timed(t.Context(), stream.Range(0, count), &alarm, func(v int) bool {
		if v != next {
			t.Errorf("got %d, want %d", v, next)
		}
		next++
		return true
	}, func() bool {
		rings++
		alarm.Set(time.Microsecond)
		return true
	})
	wantError(t, err, nil)
	if next != count || rings == 0 {
		t.Errorf("%d values, %d rings", next, rings)
	}
}

func TestAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var alarm stream.Alarm
		alarm.Stop() // fine before it was ever set
		alarm.Set(time.Second)
		alarm.Set(time.Minute)
		start := time.Now()
		var rang []time.Duration
		err := stream.Timed(ctx, stream.Never[int](), &alarm, nil, func() bool {
			rang = append(rang, time.Since(start))
			switch len(rang) {
			case 1:
				alarm.Set(-1)
			case 2:
				alarm.Set(time.Second)
				alarm.Stop()
			}
			return true
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		wantValues(t, rang, time.Minute, time.Minute)
	})
}

func TestPanicOfARing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer func() {
			if recover() != any(errBroken) {
				t.Error("it did not reach the caller")
			}
		}()
		var alarm stream.Alarm
		alarm.Set(time.Second)
		_ = stream.Timed(t.Context(), stream.Never[int](), &alarm, nil, func() bool { panic(errBroken) })
	})
}
