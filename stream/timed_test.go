package stream_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
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
			t.Errorf("run with an alarm that never rings: got %s, want [0 1 2]", s)
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
			t.Errorf("run until the deadline: got %v, want context.DeadlineExceeded", err)
		}
		wantValues(t, rang, time.Minute, time.Minute)
	})
}

// alarmMove sets an alarm some times, and may stop it then.
type alarmMove struct {
	at   time.Duration // odd, where what it is set for is even, so that there are no ties
	sets []time.Duration
	stop bool
}

// randomMoves returns moves in the order of time, and a time after all of them.
func randomMoves(chance *rand.Rand) (moves []alarmMove, end time.Duration) {
	at := time.Duration(1)
	for range 30 {
		m := alarmMove{at: at, stop: chance.IntN(8) == 0}
		for range chance.IntN(4) {
			m.sets = append(m.sets, 1+2*time.Duration(chance.IntN(20)))
		}
		moves = append(moves, m)
		at += 2 * time.Duration(chance.IntN(8)) // 0: they come together
	}
	return moves, at + 100
}

// ringsOf returns when an alarm rings that is moved like that.
func ringsOf(moves []alarmMove, end time.Duration) (rings []time.Duration) {
	const never = -1
	due := time.Duration(never)
	for _, m := range append(moves, alarmMove{at: end}) {
		if due != never && due < m.at {
			rings = append(rings, due)
			due = never
		}
		if len(m.sets) > 0 {
			due = m.at + m.sets[len(m.sets)-1]
		}
		if m.stop {
			due = never
		}
	}
	return rings
}

// Whatever moves it, and wherever the runtime's timer was left, it rings when it should.
func TestAlarmRingsToTheInstant(t *testing.T) {
	for seed := range uint64(200) {
		moves, end := randomMoves(rand.New(rand.NewPCG(seed, 1)))
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			source := func(_ context.Context, yield func(alarmMove) bool) error {
				for _, m := range moves {
					time.Sleep(m.at - time.Since(start))
					_ = yield(m)
				}
				time.Sleep(end - time.Since(start))
				return nil
			}
			var alarm stream.Alarm
			var got []time.Duration
			err := stream.Timed(t.Context(), source, &alarm, func(m alarmMove) bool {
				for _, d := range m.sets {
					alarm.Set(d)
				}
				if m.stop {
					alarm.Stop()
				}
				return true
			}, func() bool {
				got = append(got, time.Since(start))
				return true
			})
			wantError(t, err, nil)
			wantValues(t, got, ringsOf(moves, end)...)
		})
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

// A set counts from where it is, also if what follows takes its time; one that is set
// anew counts from when the values at hand have been dealt with.
func TestAlarmOfValuesThatTakeTime(t *testing.T) {
	rings := func(value func(*stream.Alarm)) (at time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			var alarm stream.Alarm
			source := func(ctx context.Context, yield func(int) bool) error {
				_ = yield(0)
				time.Sleep(time.Second / 2)
				_, _ = yield(1), yield(2)
				return stream.Never[int]()(ctx, yield)
			}
			err := stream.Timed(t.Context(), source, &alarm, func(int) bool {
				value(&alarm)
				time.Sleep(time.Second)
				return true
			}, func() bool {
				at = time.Since(start)
				return false
			})
			wantError(t, err, nil)
		})
		return at
	}
	once := false
	wantValues(t, []time.Duration{rings(func(alarm *stream.Alarm) {
		if !once {
			alarm.Set(10 * time.Second)
		}
		once = true
	})}, 10*time.Second)
	wantValues(t, []time.Duration{rings(func(alarm *stream.Alarm) { alarm.Set(10 * time.Second) })}, 13*time.Second)
}

func TestAlarmOfTheLongestTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := func(_ context.Context, yield func(int) bool) error {
			_ = yield(1)
			time.Sleep(time.Hour)
			_ = yield(2)
			return nil
		}
		got, err := ringing(math.MaxInt64)(source).Collect(t.Context())
		wantError(t, err, nil)
		wantValues(t, got, 1, 2)
	})
}

// A timer that goes off too early and a value that comes in that moment do not get into
// each other's way.
func TestTimedWakesTooEarlyWithoutHarm(t *testing.T) {
	const count = 2_000
	source := func(_ context.Context, yield func(int) bool) error {
		for i := range count {
			for start := time.Now(); time.Since(start) < time.Duration(i%40)*time.Microsecond; {
				runtime.Gosched()
			}
			_ = yield(i)
		}
		return nil
	}
	var alarm stream.Alarm
	next := 0
	err := stream.Timed(t.Context(), source, &alarm, func(v int) bool {
		if v != next {
			t.Errorf("got %d, want %d", v, next)
		}
		next++
		alarm.Set(30 * time.Microsecond)
		return true
	}, func() bool { return true })
	wantError(t, err, nil)
	if next != count {
		t.Errorf("%d values", next)
	}
}

func TestTimedPanicOfARing(t *testing.T) {
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
