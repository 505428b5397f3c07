package operators_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// A timeModel is an operator with random parameters, and all that it is to tell of the
// values of a script that ends with err.
type timeModel func(random *rand.Rand, values []step, end time.Duration, err error) (op lines, told []string)

// lines is an operator whose values are printed.
type lines func(ints) stream.Observable[string]

func printed[T any](op stream.Operator[int, T]) lines {
	return func(source ints) stream.Observable[string] {
		return operators.Map(func(v T) string { return fmt.Sprint(v) })(op(source))
	}
}

// randomPeriod returns a period that ends at a moment at which a script has no value.
func randomPeriod(random *rand.Rand) time.Duration { return time.Duration(1+random.IntN(120))*ms + odd }

// wantModels compares each operator with its model.
func wantModels(t *testing.T, models map[string]timeModel) {
	for name, model := range models {
		t.Run(name, func(t *testing.T) {
			wantModel(t, func(random *rand.Rand, steps []step, err error) (func(context.Context) []string, []string) {
				values, end := cut(steps)
				op, told := model(random, values, end, err)
				return func(ctx context.Context) []string { return timeline(ctx, op(script(err, steps...))) }, told
			})
		})
	}
}

// timeAfter is when the value after the i-th comes, or the end.
func timeAfter(values []step, i int, end time.Duration) time.Duration {
	if i+1 < len(values) {
		return values[i+1].time()
	}
	return end
}

func TestThinningOperatorsAgainstModels(t *testing.T) {
	t.Parallel()
	wantModels(t, map[string]timeModel{
		"Debounce": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			quiet := randomPeriod(random)
			var told []string
			for i, s := range values {
				switch due := s.time() + quiet; {
				case due < timeAfter(values, i, end):
					told = append(told, seenAt(due, s.value))
				case i == len(values)-1 && err == nil:
					told = append(told, seenAt(end, s.value))
				}
			}
			return printed(operators.Debounce[int](quiet)), append(told, seenAt(end, err))
		},
		"ThrottleFirst": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			period, until := randomPeriod(random), time.Duration(0)
			var told []string
			for _, s := range values {
				if s.time() >= until {
					told = append(told, seenAt(s.time(), s.value))
					until = s.time() + period
				}
			}
			return printed(operators.ThrottleFirst[int](period)), append(told, seenAt(end, err))
		},
		"ThrottleLast": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			period := randomPeriod(random)
			var told []string
			for i, s := range values {
				if over := (s.time()/period + 1) * period; over < end && (i == len(values)-1 || values[i+1].time() > over) {
					told = append(told, seenAt(over, s.value))
				}
			}
			return printed(operators.ThrottleLast[int](period)), append(told, seenAt(end, err))
		},
		"Audit": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			period, due := randomPeriod(random), time.Duration(-1)
			var told []string
			for i, s := range values {
				if due < s.time() {
					due = s.time() + period
				}
				switch next := timeAfter(values, i, end); {
				case due < next:
					told = append(told, seenAt(due, s.value))
				case i == len(values)-1 && err == nil:
					told = append(told, seenAt(end, s.value))
				}
			}
			return printed(operators.Audit[int](period)), append(told, seenAt(end, err))
		},
		"Sample": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			bells := randomBells(random)
			var told []string
			for i, s := range values {
				for _, b := range bells[:len(bells)-1] {
					if s.time() < b.time() && b.time() < end {
						if b.time() < timeAfter(values, i, end) {
							told = append(told, seenAt(b.time(), s.value))
						}
						break
					}
				}
			}
			return printed(operators.Sample[int](script(nil, bells...))), append(told, seenAt(end, err))
		},
	})
}

// randomBells are the steps of a second observable, none at the time of a value.
func randomBells(random *rand.Rand) []step {
	steps, _ := randomScript(random, 8, 9)
	return shifted(steps, 5)
}

func TestShiftingOperatorsAgainstModels(t *testing.T) {
	t.Parallel()
	wantModels(t, map[string]timeModel{
		"Delay": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			d := randomPeriod(random)
			var told []string
			for _, s := range values {
				told = append(told, seenAt(s.time()+d, s.value))
				end = max(end, s.time()+d)
			}
			return printed(operators.Delay[int](d, 20)), append(told, seenAt(end, err))
		},
		"RateLimit": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			count, period := 1+random.IntN(4), randomPeriod(random)
			var told []string
			var out []time.Duration
			now := time.Duration(0)
			for i, s := range values {
				if now = max(now, s.time()); i >= count {
					now = max(now, out[i-count]+period)
				}
				out = append(out, now)
				told = append(told, seenAt(now, s.value))
			}
			return printed(operators.RateLimit[int](count, period)), append(told, seenAt(max(now, end), err))
		},
		"FoldSlidingTime": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			span, limit := randomPeriod(random), 1+random.IntN(6)
			var told []string
			for i, s := range values {
				total := 0
				for _, other := range values[max(0, i+1-limit) : i+1] {
					if s.time()-other.time() < span {
						total += other.value
					}
				}
				told = append(told, seenAt(s.time(), total))
			}
			return printed(operators.FoldSlidingTime(span, limit, fold.Sum[int]())), append(told, seenAt(end, err))
		},
		"TimeInterval": func(_ *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			var told []string
			before := time.Duration(0)
			for _, s := range values {
				told = append(told, seenAt(s.time(), fmt.Sprint(s.value, " ", s.time()-before)))
				before = s.time()
			}
			return func(source ints) stream.Observable[string] {
				return operators.Map(func(v operators.Spaced[int]) string { return fmt.Sprint(v.Value, " ", v.Interval) })(operators.TimeInterval[int]()(source))
			}, append(told, seenAt(end, err))
		},
		"Timestamp": func(_ *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			var told []string
			for _, s := range values {
				told = append(told, seenAt(s.time(), fmt.Sprint(s.value, " ", s.time())))
			}
			start := time.Now()
			return func(source ints) stream.Observable[string] {
				return operators.Map(func(v operators.Timestamped[int]) string { return fmt.Sprint(v.Value, " ", v.Time.Sub(start)) })(operators.Timestamp[int]()(source))
			}, append(told, seenAt(end, err))
		},
	})
}

// onlyTimeout makes an ErrTimeout of an error that is one.
func onlyTimeout(op stream.Operator[int, int]) lines {
	return printed(stream.Operator[int, int](func(source ints) ints {
		return operators.Catch(func(err error) ints {
			if errors.Is(err, operators.ErrTimeout) {
				err = operators.ErrTimeout
			}
			return stream.Throw[int](err)
		})(op(source))
	}))
}

func TestEndingOperatorsAgainstModels(t *testing.T) {
	t.Parallel()
	// before are the values before a time, and the end of a run that ends at that time.
	before := func(values []step, limit, end time.Duration, err, instead error) (told []string) {
		for _, s := range values {
			if s.time() < limit {
				told = append(told, seenAt(s.time(), s.value))
			}
		}
		if limit < end {
			return append(told, seenAt(limit, instead))
		}
		return append(told, seenAt(end, err))
	}
	wantModels(t, map[string]timeModel{
		"TakeUntil": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			d := 3 * randomPeriod(random)
			return printed(operators.TakeUntil[int](stream.Timer(d))), before(values, d, end, err, nil)
		},
		"TakeUntilDone": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			d := 3 * randomPeriod(random)
			return printed(stream.Operator[int, int](func(source ints) ints {
				return func(ctx context.Context, yield func(int) bool) error {
					stop, cancel := context.WithTimeout(context.Background(), d)
					defer cancel()
					return operators.TakeUntilDone[int](stop)(source)(ctx, yield)
				}
			})), before(values, d, end, err, nil)
		},
		"SkipUntil": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			d := 3 * randomPeriod(random)
			late := slices.DeleteFunc(slices.Clone(values), func(s step) bool { return s.time() < d })
			return printed(operators.SkipUntil[int](stream.Timer(d))), before(late, math.MaxInt64, end, err, nil)
		},
		"Timeout": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			d, last := randomPeriod(random), time.Duration(0)
			for _, s := range values {
				if s.time() > last+d {
					break
				}
				last = s.time()
			}
			return onlyTimeout(operators.Timeout[int](d)), before(values, last+d, end, err, operators.ErrTimeout)
		},
		"TimeoutFirst": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			d, limit := randomPeriod(random), time.Duration(math.MaxInt64)
			if len(values) == 0 || values[0].time() > d {
				limit = d
			}
			return onlyTimeout(operators.TimeoutFirst[int](d)), before(values, limit, end, err, operators.ErrTimeout)
		},
	})
}

// slicesAt returns the timeline of slices of values. A slice ends at each time of cuts, and when it
// has limit values, unless limit is zero. With a limit of zero the last slice is emitted even if it
// is empty.
func slicesAt(values []step, cuts []time.Duration, limit int, end time.Duration, err error, show func([]int) any) (told []string) {
	slice := []int{}
	emit := func(at time.Duration) {
		told = append(told, seenAt(at, show(slice)))
		slice = nil
	}
	for i := 0; ; i++ {
		next := end
		if i < len(values) {
			next = values[i].time()
		}
		for len(cuts) > 0 && cuts[0] < next {
			emit(cuts[0])
			cuts = cuts[1:]
		}
		if i == len(values) {
			break
		}
		if slice = append(slice, values[i].value); len(slice) == limit {
			emit(next)
		}
	}
	if err == nil && (len(slice) > 0 || limit == 0) {
		emit(end)
	}
	return append(told, seenAt(end, err))
}

// multiples are the multiples of a period up to an end.
func multiples(period, end time.Duration) (cuts []time.Duration) {
	for at := period; at < end; at += period {
		cuts = append(cuts, at)
	}
	return cuts
}

func TestCuttingOperatorsAgainstModels(t *testing.T) {
	t.Parallel()
	same := func(slice []int) any { return slice }
	total := func(slice []int) any { return fold.Slice(fold.Sum[int](), slice) }
	wantModels(t, map[string]timeModel{
		"BufferTime": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			period, limit := randomPeriod(random), 1+random.IntN(5)
			return printed(operators.BufferTime[int](period, limit)), slicesAt(values, multiples(period, end), limit, end, err, same)
		},
		"FoldTumblingTime": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			period := randomPeriod(random)
			return printed(operators.FoldTumblingTime(period, fold.Sum[int]())), slicesAt(values, multiples(period, end), math.MaxInt, end, err, total)
		},
		"BufferBoundary": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			bells, limit := randomBells(random), 1+random.IntN(5)
			return printed(operators.BufferBoundary[int](script(nil, bells...), limit)), slicesAt(values, timesOf(bells), limit, end, err, same)
		},
		"Window": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			bells, number := randomBells(random), -1
			return printed(inTurn(operators.Window[int](script(nil, bells...)))), slicesAt(values, timesOf(bells), 0, end, err, func(slice []int) any {
				number++
				return fmt.Sprint(number, " ", slice)
			})
		},
	})
}

// timesOf are the times of the values of a script.
func timesOf(steps []step) (times []time.Duration) {
	for _, s := range steps[:len(steps)-1] {
		times = append(times, s.time())
	}
	return times
}

func TestWindowTimeOrCountAgainstAModel(t *testing.T) {
	wantModels(t, map[string]timeModel{
		"WindowTimeOrCount": func(random *rand.Rand, values []step, end time.Duration, err error) (lines, []string) {
			wait, count := randomPeriod(random), 1+random.IntN(4)
			var told []string
			for i, number := 0, 0; i < len(values); number++ {
				due, next := values[i].time()+wait, i
				for next < len(values) && next-i < count && values[next].time() < due {
					next++
				}
				over := due
				if next-i == count {
					over = values[next-1].time()
				}
				if over < end || next-i == count || err == nil {
					window := []int{}
					for _, s := range values[i:next] {
						window = append(window, s.value)
					}
					told = append(told, seenAt(min(over, end), fmt.Sprint(number, " ", window)))
				}
				i = next
			}
			return printed(inTurn(operators.WindowTimeOrCount[int](wait, count))), append(told, seenAt(end, err))
		},
	})
}

func TestGroupIdleAgainstAModel(t *testing.T) {
	t.Parallel()
	wantModel(t, func(random *rand.Rand, steps []step, _ error) (func(context.Context) []string, []string) {
		idle := randomPeriod(random)
		values, end := cut(steps)
		var want []string
		for i, s := range values {
			want = append(want, seenAt(s.time(), fmt.Sprintf("%d Next(%d)", mod3(s.value), s.value)))
			next := slices.IndexFunc(values[i+1:], func(other step) bool { return mod3(other.value) == mod3(s.value) })
			switch over := s.time() + idle; {
			case next < 0:
				want = append(want, seenAt(min(over, end), fmt.Sprint(mod3(s.value), " Complete")))
			case values[i+1+next].time() > over:
				want = append(want, seenAt(over, fmt.Sprint(mod3(s.value), " Complete")))
			}
		}
		slices.Sort(want)
		op := toldByGroups(operators.GroupBy(mod3, operators.GroupIdle(idle)), func(key int) string { return fmt.Sprint(key) })
		return func(ctx context.Context) []string {
			got := timeline(ctx, op(script(nil, steps...)))
			got = slices.DeleteFunc(got, func(line string) bool { return line == seenAt(end, error(nil)) })
			slices.Sort(got)
			return got
		}, want
	})
}

// One observer has been there from the start; another comes later, and gets what is replayed.
func TestShareReplayAgainstAModel(t *testing.T) {
	wantModel(t, func(random *rand.Rand, steps []step, err error) (func(context.Context) []string, []string) {
		age, count := randomPeriod(random), 1+random.IntN(4)
		steps[len(steps)-1].at += 10
		values, end := cut(steps)
		comes := time.Duration(random.IntN(int(end/ms)/10))*10*ms + 5*ms // before the end
		var replayed, told []string
		for _, s := range values {
			switch {
			case s.time() > comes:
				told = append(told, seenAt(s.time()-comes, s.value))
			case s.time()+age > comes:
				replayed = append(replayed, seenAt(0, s.value))
			}
		}
		told = append(replayed[max(0, len(replayed)-count):], told...)
		return func(ctx context.Context) []string {
			shared := operators.ShareReplay[int](count, age)(script(err, steps...))
			first := shared.Subscribe(ctx, stream.Observer[int]{})
			defer func() { _ = first.Wait() }()
			time.Sleep(comes)
			return timeline(ctx, shared)
		}, append(told, seenAt(end-comes, err))
	})
}
