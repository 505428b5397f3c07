package operators_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// waves come as 1 2 3, then 4 5, and end two ways.
func waves(err error) stream.Observable[int] {
	return script(err, step{1000, 1}, step{1100, 2}, step{1200, 3}, step{5000, 4}, step{5100, 5}, step{5200, 0})
}

func TestDebounce(t *testing.T) {
	d := operators.Debounce[int](300 * ms)
	wantTimeline(t, d(waves(nil)), "1500 3", "5200 5", "5200 <nil>")
	wantTimeline(t, d(waves(errBroken)), "1500 3", "5200 broken")
	wantTimeline(t, d(stream.Empty[int]()), "0 <nil>")
	wantTimeline(t, operators.Take[int](1)(d(waves(nil))), "1500 3", "1500 <nil>")
	wantTimeline(t, operators.Debounce[int](0)(waves(nil)), "1000 1", "1100 2", "1200 3", "5000 4", "5100 5", "5200 <nil>")
}

func TestThrottleFirst(t *testing.T) {
	wantTimeline(t, operators.ThrottleFirst[int](150*ms)(waves(nil)), "1000 1", "1200 3", "5000 4", "5200 <nil>")
	wantTimeline(t, operators.ThrottleFirst[int](100*ms)(waves(errBroken)),
		"1000 1", "1100 2", "1200 3", "5000 4", "5100 5", "5200 broken")
	wantTimeline(t, operators.ThrottleFirst[int](0)(stream.Just(1, 2)), "0 1", "0 2", "0 <nil>")
}

func TestThrottleLast(t *testing.T) {
	wantTimeline(t, operators.ThrottleLast[int](350*ms)(waves(nil)), "1050 1", "1400 3", "5200 <nil>")
	wantTimeline(t, operators.ThrottleLast[int](350*ms)(waves(errBroken)), "1050 1", "1400 3", "5200 broken")
	// Periods that pass in yield are skipped; the clock stays what it was.
	ticks := script(nil, step{100, 1}, step{200, 2}, step{1100, 3}, step{5000, 4}, step{6050, 0})
	wantTimelineOf(t, operators.ThrottleLast[int](150*ms)(ticks), dawdle[int](400),
		"150 1", "600 2", "1200 3", "5100 4", "6050 <nil>")
}

func TestAudit(t *testing.T) {
	wantTimeline(t, operators.Audit[int](150*ms)(waves(nil)), "1150 2", "1350 3", "5150 5", "5200 <nil>")
	wantTimeline(t, operators.Audit[int](500*ms)(waves(nil)), "1500 3", "5200 5", "5200 <nil>")
	wantTimeline(t, operators.Audit[int](500*ms)(waves(errBroken)), "1500 3", "5200 broken")
}

func TestTimeout(t *testing.T) {
	wantTimeline(t, operators.Timeout[int](1050*ms)(waves(nil)), "1000 1", "1100 2", "1200 3", "2250 operators: no value came within 1.05s")
	wantTimeline(t, operators.Timeout[int](500*ms)(waves(nil)), "500 operators: no value came within 500ms")
	wantTimeline(t, operators.Timeout[int](4*time.Second)(waves(errBroken)),
		"1000 1", "1100 2", "1200 3", "5000 4", "5100 5", "5200 broken")
	// The end is waited for too; what yield takes does not count.
	wantTimeline(t, operators.Timeout[int](50*ms)(concat(stream.Just(1), stream.Never[int]())),
		"0 1", "50 operators: no value came within 50ms")
	wantTimelineOf(t, operators.Timeout[int](1050*ms)(waves(nil)), dawdle[int](2000),
		"1000 1", "3000 2", "5000 3", "7000 4", "9000 5", "11000 <nil>")
}

func TestTimeoutWaitsForTheSourceToEnd(t *testing.T) {
	slow := func(ctx context.Context, _ func(int) bool) error {
		<-ctx.Done()
		time.Sleep(time.Second)
		return context.Cause(ctx)
	}
	wantTimeline(t, operators.Timeout[int](time.Second)(slow), "2000 operators: no value came within 1s")
}

func TestDelayOfLessThanNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		busy := operators.Tap(func(int) { time.Sleep(time.Second) })
		wantRun(t, busy(operators.Delay[int](math.MinInt64, 4)(stream.Just(1, 2, 3))), nil, 1, 2, 3)
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("three values that take a second each, delayed by less than nothing, took %v, want 3s", took)
		}
	})
}

func TestDelay(t *testing.T) {
	source := script(nil, step{0, 1}, step{100, 2}, step{1000, 3}, step{1100, 0})
	failing := script(errBroken, step{0, 1}, step{100, 2}, step{1000, 3}, step{1100, 0})
	wantTimeline(t, operators.Delay[int](300*ms, 8)(source), "300 1", "400 2", "1300 3", "1300 <nil>")
	wantTimeline(t, operators.Delay[int](2*time.Second, 8)(source), "2000 1", "2100 2", "3000 3", "3000 <nil>")
	wantTimeline(t, operators.Delay[int](2*time.Second, 8)(failing), "2000 1", "2100 2", "3000 3", "3000 broken")
	wantTimeline(t, operators.Delay[int](-1, 8)(source), "0 1", "100 2", "1000 3", "1100 <nil>")
	// One due next, one that waits, and the source waits with the third, which is delayed
	// from when there is room for it.
	wantTimeline(t, operators.Delay[int](time.Second, 1)(stream.Range(1, 4)), "1000 1", "1000 2", "1000 3", "2000 4", "2000 <nil>")
}

func TestRateLimit(t *testing.T) {
	wantTimeline(t, operators.RateLimit[int](2, time.Second)(stream.Range(1, 5)),
		"0 1", "0 2", "1000 3", "1000 4", "2000 5", "2000 <nil>")
	wantTimeline(t, operators.RateLimit[int](2, time.Second)(script(errBroken, step{0, 1}, step{700, 2}, step{800, 3}, step{900, 4}, step{1000, 5}, step{1100, 0})),
		"0 1", "700 2", "1000 3", "1700 4", "2000 5", "2000 broken")
	wantTimeline(t, operators.RateLimit[int](0, time.Second)(stream.Range(1, 2)), "0 1", "1000 2", "1000 <nil>")
	wantTimeline(t, operators.RateLimit[int](1, 0)(stream.Range(1, 2)), "0 1", "0 2", "0 <nil>")
}

func TestBufferTime(t *testing.T) {
	wantTimeline(t, operators.BufferTime[int](1150*ms, 8)(waves(nil)),
		"1150 [1 2]", "2300 [3]", "3450 []", "4600 []", "5200 [4 5]", "5200 <nil>")
	wantTimeline(t, operators.BufferTime[int](1150*ms, 8)(waves(errBroken)),
		"1150 [1 2]", "2300 [3]", "3450 []", "4600 []", "5200 broken")
	wantTimeline(t, operators.BufferTime[int](3*time.Second, 2)(waves(nil)),
		"1100 [1 2]", "3000 [3]", "5100 [4 5]", "5200 <nil>")
	wantTimeline(t, operators.BufferTime[int](3*time.Second, 0)(stream.Just(1, 2)), "0 [1]", "0 [2]", "0 <nil>")
	wantTimelineOf(t, operators.BufferTime[int](1050*ms, 8)(waves(nil)), dawdle[[]int](3500),
		"1050 [1]", "5200 [2 3 4 5]", "8700 <nil>")
}

func TestBufferTimeOrCount(t *testing.T) {
	wantTimeline(t, operators.BufferTimeOrCount[int](150*ms, 9)(waves(nil)),
		"1150 [1 2]", "1350 [3]", "5150 [4 5]", "5200 <nil>")
	wantTimeline(t, operators.BufferTimeOrCount[int](500*ms, 2)(waves(nil)),
		"1100 [1 2]", "1700 [3]", "5100 [4 5]", "5200 <nil>")
	wantTimeline(t, operators.BufferTimeOrCount[int](500*ms, 9)(waves(nil)), "1500 [1 2 3]", "5200 [4 5]", "5200 <nil>")
	wantTimeline(t, operators.BufferTimeOrCount[int](500*ms, 9)(waves(errBroken)), "1500 [1 2 3]", "5200 broken")
}

func TestTimeOperatorsSlicesBelongToTheReceiver(t *testing.T) {
	for _, op := range []stream.Operator[int, []int]{
		operators.BufferTime[int](time.Hour, 2), operators.BufferTimeOrCount[int](time.Hour, 2),
	} {
		got, err := op(stream.Range(0, 4)).Collect(t.Context())
		if err != nil || len(got) != 2 {
			t.Fatalf("collect the slices of 0 to 3: got %v and the error %v, want two", got, err)
		}
		_ = append(got[0], 9)
		if got[1][0] != 2 || got[0][0] != 0 {
			t.Errorf("after an append to the first slice: got %v, want the second as it was", got)
		}
	}
}

// timed are the operators that wait for a time, with periods that are long.
var timed = map[string]stream.Operator[int, int]{
	"Debounce":     operators.Debounce[int](time.Minute),
	"ThrottleLast": operators.ThrottleLast[int](time.Minute),
	"Audit":        operators.Audit[int](time.Minute),
	"Timeout":      operators.Timeout[int](time.Minute),
	"Delay":        operators.Delay[int](time.Minute, 4),
	"RateLimit":    operators.RateLimit[int](1, time.Minute),
	"BufferTime": func(s stream.Observable[int]) stream.Observable[int] {
		return operators.Map(func(b []int) int { return len(b) })(operators.BufferTime[int](time.Minute, 4)(s))
	},
	"BufferTimeOrCount": func(s stream.Observable[int]) stream.Observable[int] {
		return operators.Map(func(b []int) int { return len(b) })(operators.BufferTimeOrCount[int](time.Minute, 4)(s))
	},
}

func TestTimeOperatorsCancelledWhileTheyWait(t *testing.T) {
	for name, op := range timed {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(30*time.Second, func() { cancel(errBroken) })
				start := time.Now()
				err := op(concat(stream.Just(1, 2), stream.Never[int]())).Run(ctx)
				if took := time.Since(start); !errors.Is(err, errBroken) || took != 30*time.Second {
					t.Errorf("got %v after %v", err, took)
				}
			})
		})
	}
}

func TestTimeOperatorsPanicsOfTheSourceReachTheCaller(t *testing.T) {
	panicking := concat(after(time.Second, 1), func(context.Context, func(int) bool) error { panic(errBroken) })
	for name, op := range timed {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				defer func() {
					if err, ok := recover().(error); !ok || !errors.Is(err, errBroken) {
						t.Errorf("run a source that panics: the run panicked with %v, want errBroken", err)
					}
				}()
				_ = op(panicking).Run(t.Context())
			})
		})
	}
}
