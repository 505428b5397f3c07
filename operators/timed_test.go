package operators_test

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// A step is a value that comes so many milliseconds after the start of a run.
type step struct{ at, value int }

// script emits its steps and ends, with err, at the time of the last step, whose value
// is not emitted.
func script(err error, steps ...step) stream.Observable[int] {
	return func(ctx context.Context, yield func(int) bool) error {
		start := time.Now()
		for i, s := range steps {
			wait := time.Duration(s.at)*time.Millisecond - time.Since(start)
			if err := stream.Timer(wait).Run(ctx); err != nil {
				return err
			}
			if i < len(steps)-1 && !yield(s.value) {
				return nil
			}
		}
		return err
	}
}

// wantTimeline fails the test unless a run goes as the lines say: values and the end,
// each after the milliseconds since the start. See script.
func wantTimeline[T any](t *testing.T, source stream.Observable[T], want ...string) {
	t.Helper()
	wantTimelineOf(t, source, func(T) bool { return true }, want...)
}

func wantTimelineOf[T any](t *testing.T, source stream.Observable[T], yield func(T) bool, want ...string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		var got []string
		start := time.Now()
		tell := func(what any) {
			got = append(got, fmt.Sprint(time.Since(start).Milliseconds(), " ", what))
		}
		err := source(t.Context(), func(v T) bool {
			tell(v)
			return yield(v)
		})
		tell(err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("another timeline (-want +got):\n%s", diff)
		}
	})
}

// dawdle is a yield that takes so many milliseconds.
func dawdle[T any](ms int) func(T) bool {
	return func(T) bool {
		time.Sleep(time.Duration(ms) * time.Millisecond)
		return true
	}
}

const (
	ms      = time.Millisecond
	between = 370 * ms // no source here has a whole second that is a multiple of it
)

// apart makes op's source take a second after each value, so that what it does to
// values that come at once is not of interest.
func apart[B any](op stream.Operator[int, B]) stream.Operator[int, B] {
	return func(source stream.Observable[int]) stream.Observable[B] {
		return op(operators.ConcatMap(func(n int) stream.Observable[int] {
			return concat(stream.Just(n), after[int](time.Second))
		})(source))
	}
}

func init() {
	const buffer = stream.DefaultBuffer + 1
	readAhead := streamtest.ReadAhead(buffer)
	twoWaves := script(nil, step{1000, 1}, step{1100, 2}, step{1200, 3}, step{5000, 4}, step{5100, 5}, step{7000, 0})
	crossing := func(overflow stream.Overflow) func(*testing.T) {
		return func(t *testing.T) {
			streamtest.CheckOperator(t, operators.OnBackpressureBuffer[int](4, overflow), []int{1, 2, 3}, []int{1, 2, 3},
				streamtest.ReadAhead(map[bool]int{true: 5, false: -1}[overflow == stream.Block]))
		}
	}
	maps.Copy(contracts, map[string]func(*testing.T){
		"ObserveOn": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.ObserveOn[int](2), []int{1, 2, 3}, []int{1, 2, 3}, streamtest.ReadAhead(3))
		},
		"OnBackpressureBuffer": func(t *testing.T) {
			t.Run("block", crossing(stream.Block))
			t.Run("fail", crossing(stream.Fail))
			t.Run("drop oldest", crossing(stream.DropOldest))
			t.Run("drop newest", crossing(stream.DropNewest))
		},
		"CountDrops": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.CountDrops[int](new(stream.Drops)), []int{1, 2, 3}, []int{1, 2, 3})
		},
		"OnBackpressureDrop": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.OnBackpressureDrop[int](3), []int{1, 2, 3}, []int{1, 2, 3}, streamtest.ReadAhead(-1))
		},
		"OnBackpressureLatest": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.OnBackpressureLatest[int](), []int{1}, []int{1}, streamtest.ReadAhead(-1))
			streamtest.CheckOperator(t, operators.OnBackpressureLatest[int](), nil, []int(nil))
		},
		"Debounce": func(t *testing.T) {
			t.Run("apart", func(t *testing.T) {
				streamtest.CheckOperator(t, apart(operators.Debounce[int](between)), []int{1, 2}, []int{1, 2}, readAhead)
			})
			t.Run("pending at the end", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.Debounce[int](time.Hour), []int{1, 2}, []int{2}, readAhead, streamtest.LosesOnFailure())
			})
			t.Run("waves", func(t *testing.T) {
				streamtest.Check(t, operators.Debounce[int](between)(twoWaves), []int{3, 5})
			})
		},
		"ThrottleFirst": func(t *testing.T) {
			t.Run("apart", func(t *testing.T) {
				streamtest.CheckOperator(t, apart(operators.ThrottleFirst[int](between)), []int{1, 2}, []int{1, 2})
			})
			t.Run("at once", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.ThrottleFirst[int](time.Hour), []int{1, 2, 3}, []int{1})
			})
		},
		"ThrottleLast": func(t *testing.T) {
			t.Run("apart", func(t *testing.T) {
				streamtest.CheckOperator(t, apart(operators.ThrottleLast[int](between)), []int{1}, []int{1}, readAhead)
			})
			t.Run("pending at the end", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.ThrottleLast[int](time.Hour), []int{1, 2}, []int(nil))
			})
		},
		"Audit": func(t *testing.T) {
			t.Run("apart", func(t *testing.T) {
				streamtest.CheckOperator(t, apart(operators.Audit[int](between)), []int{1, 2}, []int{1, 2}, readAhead)
			})
			t.Run("pending at the end", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.Audit[int](time.Hour), []int{1, 2}, []int{2}, readAhead, streamtest.LosesOnFailure())
			})
			t.Run("waves", func(t *testing.T) {
				streamtest.Check(t, operators.Audit[int](between)(twoWaves), []int{3, 5})
			})
		},
		"Timeout": func(t *testing.T) {
			t.Run("in time", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.Timeout[int](2*time.Second), []int{1, 2, 3}, []int{1, 2, 3}, readAhead)
			})
			t.Run("late", func(t *testing.T) {
				streamtest.Check(t, operators.Timeout[int](3*time.Second)(concat(after(time.Second, 1), stream.Never[int]())), []int{1}, streamtest.Fails(operators.ErrTimeout))
			})
			t.Run("never", func(t *testing.T) {
				streamtest.Check(t, operators.Timeout[int](time.Hour)(stream.Never[int]()), nil, streamtest.Fails(operators.ErrTimeout))
			})
		},
		"Delay": func(t *testing.T) {
			for _, d := range []time.Duration{0, between, time.Minute} {
				t.Run(d.String(), func(t *testing.T) {
					streamtest.CheckOperator(t, operators.Delay[int](d, 2), []int{1, 2, 3, 4, 5}, []int{1, 2, 3, 4, 5}, streamtest.ReadAhead(3))
				})
			}
		},
		"RateLimit": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.RateLimit[int](2, time.Minute), []int{1, 2, 3, 4, 5}, []int{1, 2, 3, 4, 5})
		},
		"BufferTime": func(t *testing.T) {
			t.Run("one period", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.BufferTime[int](time.Hour, 2), []int{1, 2, 3}, [][]int{{1, 2}, {3}},
					readAhead, streamtest.LosesOnFailure())
			})
			t.Run("periods", func(t *testing.T) {
				streamtest.Check(t, operators.BufferTime[int](time.Second, 2)(stream.Never[int]()), [][]int{nil, nil, nil}, streamtest.Endless())
			})
		},
		"BufferTimeOrCount": func(t *testing.T) {
			t.Run("count", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.BufferTimeOrCount[int](time.Hour, 2), []int{1, 2, 3}, [][]int{{1, 2}, {3}},
					readAhead, streamtest.LosesOnFailure())
			})
			t.Run("maxWait", func(t *testing.T) {
				streamtest.CheckOperator(t, apart(operators.BufferTimeOrCount[int](between, 2)), []int{1}, [][]int{{1}}, readAhead)
			})
		},
	})
}
