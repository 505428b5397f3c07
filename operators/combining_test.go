package operators_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

type ints = stream.Observable[int]

func add3(a, b, c int) int { return a + b + c }

func init() {
	all := []int{1, 2, 3}
	beside := []streamtest.Option{streamtest.LosesOnFailure(), streamtest.ReadAhead(stream.DefaultBuffer + 1)}
	maps.Copy(contracts, map[string]func(*testing.T){
		"Zip": func(t *testing.T) {
			tens := stream.Generate(10, func(int) bool { return true }, func(n int) int { return n + 10 })
			t.Run("left", func(t *testing.T) {
				zip := func(s ints) ints { return operators.Zip(s, tens, add) }
				streamtest.CheckOperator(t, zip, all, []int{11, 22, 33}, beside...)
			})
			t.Run("right", func(t *testing.T) {
				zip := func(s ints) ints { return operators.Zip(tens, s, add) }
				streamtest.CheckOperator(t, zip, all, []int{11, 22, 33}, beside...)
			})
			t.Run("with none", func(t *testing.T) {
				zip := func(s ints) ints { return operators.Zip(s, stream.Empty[int](), add) }
				streamtest.CheckOperator(t, settled(zip), all, nil, beside...)
			})
			t.Run("slow", func(t *testing.T) {
				zip := func(s ints) ints { return operators.Zip(s, paced(10, time.Second, 2*time.Second, 0), add) }
				streamtest.CheckOperator(t, zip, all, []int{11, 13, 15}, beside...)
			})
		},
		"Zip3": func(t *testing.T) {
			zip := func(s ints) ints { return operators.Zip3(stream.Range(10, 99), s, stream.Range(100, 99), add3) }
			streamtest.CheckOperator(t, zip, all, []int{111, 114, 117}, beside...)
		},
		"CombineLatest": func(t *testing.T) {
			t.Run("left", func(t *testing.T) {
				combine := func(s ints) ints { return operators.CombineLatest(settled(same)(s), stream.Just(10), add) }
				streamtest.CheckOperator(t, combine, all, []int{11, 12, 13}, beside...)
			})
			t.Run("right", func(t *testing.T) {
				combine := func(s ints) ints { return operators.CombineLatest(stream.Just(10), settled(same)(s), add) }
				streamtest.CheckOperator(t, combine, all, []int{11, 12, 13}, beside...)
			})
			t.Run("with none", func(t *testing.T) {
				combine := func(s ints) ints { return operators.CombineLatest(stream.Empty[int](), settled(same)(s), add) }
				streamtest.CheckOperator(t, combine, all, nil, beside...)
			})
		},
		"CombineLatest3": func(t *testing.T) {
			combine := func(s ints) ints {
				return operators.CombineLatest3(stream.Just(10), settled(same)(s), stream.Just(100), add3)
			}
			streamtest.CheckOperator(t, combine, all, []int{111, 112, 113}, beside...)
		},
		"ZipAll": func(t *testing.T) {
			t.Run("none", func(t *testing.T) { streamtest.Check(t, operators.ZipAll[int](), nil) })
			t.Run("four", func(t *testing.T) {
				zip := func(s ints) stream.Observable[[]int] {
					return operators.ZipAll(stream.Range(10, 99), s, stream.Range(100, 99), stream.Range(1, 99))
				}
				streamtest.CheckOperator(t, zip, all, [][]int{{10, 1, 100, 1}, {11, 2, 101, 2}, {12, 3, 102, 3}}, beside...)
			})
		},
		"CombineLatestAll": func(t *testing.T) {
			t.Run("none", func(t *testing.T) { streamtest.Check(t, operators.CombineLatestAll[int](), nil) })
			t.Run("four", func(t *testing.T) {
				combine := func(s ints) stream.Observable[[]int] {
					return operators.CombineLatestAll(stream.Just(7), stream.Just(8), settled(same)(s), stream.Just(9))
				}
				streamtest.CheckOperator(t, combine, all, [][]int{{7, 8, 1, 9}, {7, 8, 2, 9}, {7, 8, 3, 9}}, beside...)
			})
		},
		"WithLatestFrom": func(t *testing.T) {
			t.Run("one", func(t *testing.T) {
				streamtest.CheckOperator(t, settled(operators.WithLatestFrom(stream.Just(5, 10), add)), all, []int{11, 12, 13})
			})
			t.Run("none", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.WithLatestFrom(stream.Empty[int](), add), all, nil)
			})
			t.Run("failure", func(t *testing.T) {
				other := concat(stream.Just(10), after[int](time.Minute), stream.Throw[int](errBroken))
				source := settled(operators.WithLatestFrom(other, add))(concat(stream.Just(1), stream.Never[int]()))
				streamtest.Check(t, source, []int{11}, streamtest.Fails(errBroken))
			})
		},
		"ForkJoin": func(t *testing.T) {
			t.Run("none", func(t *testing.T) { streamtest.Check(t, operators.ForkJoin[int](), nil) })
			t.Run("two", func(t *testing.T) {
				join := func(s ints) stream.Observable[[]int] { return operators.ForkJoin(s, stream.Just(8, 9)) }
				streamtest.CheckOperator(t, join, all, [][]int{{3, 9}}, streamtest.LosesOnFailure())
			})
			t.Run("with an empty one", func(t *testing.T) {
				join := func(s ints) stream.Observable[[]int] {
					return operators.ForkJoin(stream.Empty[int](), settled(same)(s))
				}
				streamtest.CheckOperator(t, join, all, nil, streamtest.LosesOnFailure())
			})
		},
		"Race": func(t *testing.T) {
			t.Run("none", func(t *testing.T) { streamtest.Check(t, operators.Race[int](), nil) })
			t.Run("won", func(t *testing.T) {
				race := func(s ints) ints { return operators.Race(stream.Never[int](), s) }
				streamtest.CheckOperator(t, race, all, all, streamtest.ReadAhead(stream.DefaultBuffer+1))
			})
			t.Run("lost", func(t *testing.T) {
				race := func(s ints) ints { return operators.Race(stream.Just(7, 8), settled(same)(s)) }
				streamtest.CheckOperator(t, race, all, []int{7, 8})
			})
		},
		"SequenceEqual": func(t *testing.T) {
			for _, c := range []struct {
				other []int
				want  bool
			}{{[]int{1, 2, 3}, true}, {[]int{1, 2}, false}, {[]int{1, 2, 3, 4}, false}, {[]int{0}, false}, {nil, false}} {
				t.Run(fmt.Sprint(c.other), func(t *testing.T) {
					equal := func(s ints) stream.Observable[bool] { return operators.SequenceEqual(s, stream.FromSlice(c.other)) }
					options := beside
					if !c.want { // that may be known before the source fails
						options = append(options, streamtest.Recovers())
					}
					streamtest.CheckOperator(t, equal, all, []bool{c.want}, options...)
				})
			}
		},
	})
}

// lengths are how long the slices are.
func lengths(source stream.Observable[[]int]) ints {
	return operators.Map(func(s []int) int { return len(s) })(source)
}

func same(source ints) ints { return source }

// reading counts how many values of the source have been read.
func reading(count *atomic.Int64, source ints) ints {
	return operators.Tap(func(int) { count.Add(1) })(source)
}

func TestZipBoundsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var read atomic.Int64
		fast := reading(&read, stream.Range(0, 1000))
		slow := operators.Take[int](3)(stream.Interval(time.Hour))
		taken := int64(0)
		err := operators.Zip(fast, slow, add).ForEach(t.Context(), func(int) {
			taken++
			synctest.Wait()
			if ahead := read.Load() - taken; ahead != stream.DefaultBuffer+1 { // one is on its way
				t.Errorf("%d values were read ahead", ahead)
			}
		})
		if err != nil || taken != 3 {
			t.Errorf("take three values: got %d and the error %v, want 3 and none", taken, err)
		}
	})
}

func TestZipCompletesWhenNoPairCanCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		wantRun(t, operators.Zip(stream.Just(1, 2), stream.Interval(time.Second), add), nil, 1, 3)
		wantRun(t, operators.Zip(stream.Interval(time.Second), stream.Just(1, 2), add), nil, 1, 3)
		if took := time.Since(begin); took != 4*time.Second {
			t.Errorf("it took %v", took)
		}
		wantRun(t, operators.Zip(stream.Never[int](), stream.Empty[int](), add), nil)
		// The end comes with the other's last value in wait.
		wantRun(t, operators.Zip(concat(stream.Just(1), after[int](time.Second)), stream.Just(10, 20, 30), add), nil, 11)
	})
}

// The slice forms and the nested ones say the same as those of two and three.
func TestCombiningAnyNumberOfSources(t *testing.T) {
	pair := func(a, b int) []int { return []int{a, b} }
	join := func(ab []int, c int) []int { return append(ab[:2:2], c) }
	triple := func(a, b, c int) []int { return []int{a, b, c} }
	for seed := range uint64(50) {
		chance := rand.New(rand.NewPCG(seed, 2))
		random := func(parity int) ints { // no two emit or end at the same time
			var steps []step
			for at := parity; len(steps) <= chance.IntN(6); at += 3 * (1 + chance.IntN(9)) {
				steps = append(steps, step{at, 100*parity + len(steps)})
			}
			return script(nil, steps...)
		}
		a, b, c := random(1), random(2), random(3)
		synctest.Test(t, func(t *testing.T) {
			agree := func(name string, same ...stream.Observable[[]int]) {
				var told []string
				for _, o := range same {
					values, err := operators.Timestamp[[]int]()(o).Collect(t.Context())
					begin := time.Now()
					for i := range values { // to what is comparable: since the end
						values[i].Time = time.Time{}.Add(values[i].Time.Sub(begin))
					}
					told = append(told, fmt.Sprint(values, err))
				}
				for _, other := range told[1:] {
					if other != told[0] {
						t.Errorf("seed %d: %s:\n%s\n%s", seed, name, told[0], other)
					}
				}
			}
			agree("zip", operators.ZipAll(a, b, c), operators.Zip3(a, b, c, triple),
				operators.Zip(operators.Zip(a, b, pair), c, join))
			agree("latest", operators.CombineLatestAll(a, b, c), operators.CombineLatest3(a, b, c, triple),
				operators.CombineLatest(operators.CombineLatest(a, b, pair), c, join))
		})
	}
}

func TestCombiningSlicesBelongToTheReceiver(t *testing.T) {
	for name, o := range map[string]stream.Observable[[]int]{
		"ZipAll":           operators.ZipAll(stream.Just(1, 2), stream.Just(3, 4)),
		"CombineLatestAll": operators.CombineLatestAll(stream.Just(1, 2), stream.Just(3, 4)),
	} {
		rows, err := o.Collect(t.Context())
		if err != nil || len(rows) < 2 {
			t.Fatalf("collect the rows of %s: got %v and the error %v, want two rows at least", name, rows, err)
		}
		before := fmt.Sprint(rows[1])
		clear(rows[0])
		if after := fmt.Sprint(rows[1]); after != before {
			t.Errorf("%s: %s became %s", name, before, after)
		}
	}
}

func TestCombiningFailsAfterWhatCameBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := concat(after(time.Second, 1), after[int](time.Second), stream.Throw[int](errBroken))
		tens := concat(stream.Just(10), stream.Never[int]())
		wantRun(t, operators.Zip(failing, tens, add), errBroken, 11)
		wantRun(t, operators.Zip3(tens, tens, failing, add3), errBroken, 21)
		wantRun(t, operators.CombineLatest(tens, failing, add), errBroken, 11)
		wantRun(t, operators.CombineLatest3(failing, tens, tens, add3), errBroken, 21)
		wantRun(t, lengths(operators.ZipAll(tens, failing, tens)), errBroken, 3)
		wantRun(t, lengths(operators.CombineLatestAll(tens, failing, tens)), errBroken, 3)
		wantRun(t, operators.ForkJoin(tens, failing), errBroken)
		wantRun(t, operators.SequenceEqual(failing, concat(stream.Just(1), stream.Never[int]())), errBroken)
		wantRun(t, operators.SequenceEqual(failing, tens), nil, false)
		wantRun(t, operators.Race(failing, stream.Never[int]()), errBroken, 1)
	})
}

func TestCombineLatestFollowsBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ones := paced(1, time.Second, 2*time.Second, 2*time.Second)           // at 1, 3, 5
		tens := operators.Map(func(n int) int { return 10 * n })              // of
		later := tens(paced(1, 2*time.Second, 2*time.Second, 10*time.Second)) // at 2, 4, 14
		wantRun(t, operators.CombineLatest(ones, later, add), nil, 11, 12, 22, 23, 33)
	})
}

func TestCombineLatestCompletesWithoutAValueOfOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wantRun(t, operators.CombineLatest(stream.Never[int](), after[int](time.Second), add), nil)
		wantRun(t, operators.CombineLatest3(stream.Just(1), stream.Never[int](), after[int](time.Second), add3), nil)
	})
}

func TestWithLatestFromDropsWhatComesTooEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := paced(10, 2500*time.Millisecond, 2*time.Second)
		source := operators.Take[int](6)(stream.Interval(time.Second)) // 0 at 1
		wantRun(t, operators.WithLatestFrom(other, add)(source), nil, 12, 13, 15, 16)
	})
}

func TestWithLatestFromFailsWithTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := concat(after(500*time.Millisecond, 10), after[int](time.Second), stream.Throw[int](errBroken))
		wantRun(t, operators.WithLatestFrom(other, add)(stream.Interval(time.Second)), errBroken, 10)
	})
}

func TestRaceIsWonByAnyFirstEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ticks := stream.Interval(2 * time.Second)
		wantRun(t, operators.Race(ticks, after(time.Second, 7, 8)), nil, 7, 8)
		wantRun(t, operators.Race(ticks, after[int](time.Second)), nil)
		wantRun(t, operators.Race(ticks, concat(after[int](time.Second), stream.Throw[int](errBroken))), errBroken)
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("it took %v", took)
		}
		wantRun(t, operators.Take[int](3)(operators.Race(after(3*time.Second, 7, 8), ticks)), nil, 0, 1, 2)
	})
}

// What a loser does when it is cancelled is of no interest, and it does so at once.
func TestRaceEndsItsLosersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var ended time.Duration
		loser := func(ctx context.Context, yield func(int) bool) error {
			<-ctx.Done()
			ended = time.Since(begin)
			yield(9)
			return errBroken
		}
		wantRun(t, operators.Race(loser, paced(1, time.Second, time.Hour)), nil, 1, 2)
		if ended != time.Second {
			t.Errorf("the loser ended after %v", ended)
		}
	})
}

func TestCombiningPanicsOfSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		panicking := func(context.Context, func(int) bool) error { panic(errBroken) }
		never := stream.Never[int]()
		for _, run := range []func(context.Context) error{
			operators.Zip(never, panicking, add).Run,
			operators.CombineLatest(panicking, never, add).Run,
			operators.WithLatestFrom(panicking, add)(never).Run,
			operators.ZipAll(never, panicking).Run,
			operators.CombineLatestAll(panicking, never).Run,
			operators.ForkJoin(never, panicking).Run,
			operators.Race(never, panicking).Run,
			operators.SequenceEqual(never, panicking).Run,
			operators.Zip(stream.Just(1), stream.Just(1), func(int, int) int { panic(errBroken) }).Run,
		} {
			wantPanic(t, errBroken, func() { _ = run(t.Context()) })
		}
	})
}
