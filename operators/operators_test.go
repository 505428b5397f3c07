package operators_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

var errBroken = errors.New("broken")

// wantRun fails the test unless the source emits the values and ends with the
// error.
func wantRun[T any](t *testing.T, source stream.Observable[T], err error, values ...T) {
	t.Helper()
	got, gotErr := source.Collect(t.Context())
	if diff := cmp.Diff(values, got); diff != "" {
		t.Errorf("other values (-want +got):\n%s", diff)
	}
	if !errors.Is(gotErr, err) {
		t.Errorf("got error %v, want %v", gotErr, err)
	}
}

// concat runs the sources one after the other.
func concat[T any](sources ...stream.Observable[T]) stream.Observable[T] {
	return operators.ConcatMap(func(s stream.Observable[T]) stream.Observable[T] { return s })(stream.FromSlice(sources))
}

func after[T any](d time.Duration, values ...T) stream.Observable[T] {
	return operators.ConcatMap(func(time.Time) stream.Observable[T] { return stream.FromSlice(values) })(stream.Timer(d))
}

// mustNotRun is a source that nobody may run.
func mustNotRun(t *testing.T) stream.Observable[int] {
	return func(context.Context, func(int) bool) error {
		t.Error("the source was run")
		return nil
	}
}

func TestTakeNoneDoesNotRunTheSource(t *testing.T) {
	wantRun(t, operators.Take[int](0)(mustNotRun(t)), nil)
	wantRun(t, operators.Take[int](-1)(mustNotRun(t)), nil)
}

func TestTakeDoesNotWaitForTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wantRun(t, operators.Take[int](2)(concat(stream.Just(1, 2), stream.Never[int]())), nil, 1, 2)
	})
}

func TestMapErrStopsAtTheFirstError(t *testing.T) {
	wantRun(t, operators.MapErr(half)(stream.Just(2, 4, 5, 6)), errOdd, 1, 2)
	wantRun(t, operators.MapErr(half)(concat(stream.Just(2), stream.Throw[int](errBroken))), errBroken, 1)
}

func TestConcatMapStopsAtTheFirstFailure(t *testing.T) {
	project := func(n int) stream.Observable[int] {
		if n == 2 {
			return stream.Throw[int](errBroken)
		}
		return twice(n)
	}
	wantRun(t, operators.ConcatMap(project)(stream.Just(1, 2, 3)), errBroken, 1, 1)
}

func TestScanShowsTotalsThatStay(t *testing.T) {
	words := stream.Just(map[string]int{"a": 1}, map[string]int{"b": 1}, map[string]int{"a": 1})
	wantRun(t, operators.Scan(fold.ByKey[string](fold.Sum[int]()))(words), nil,
		map[string]int{"a": 1}, map[string]int{"a": 1, "b": 1}, map[string]int{"a": 2, "b": 1})
}

// calls is how often op asks a monoid to combine two of the values.
func calls[T any](t *testing.T, op func(fold.Monoid[T]) stream.Operator[T, T], values ...T) int {
	n := 0
	m := fold.New(func() (none T) { return none }, func(_, b T) T { n++; return b })
	if err := op(m)(stream.FromSlice(values)).Run(t.Context()); err != nil {
		t.Fatalf("a run over %v returned %v, want nil", values, err)
	}
	return n
}

// A copy costs a call of Combine.
func TestScanCopiesOnlyWhatSharesStorage(t *testing.T) {
	type plain struct {
		_ int
		_ string
		_ [2]complex128
	}
	type sharing struct {
		_ int
		_ [2][]string
	}
	for kind, got := range map[string]int{
		"a complex number":          calls(t, operators.Scan[complex128], 1, 2),
		"a string":                  calls(t, operators.Scan[string], "a", "b"),
		"a struct of plain values":  calls(t, operators.Scan[plain], plain{}, plain{}),
		"an array of plain structs": calls(t, operators.Scan[[2]plain], [2]plain{}, [2]plain{}),
	} {
		if got != 2 {
			t.Errorf("Scan of two values, each %s, combined %d times, want 2", kind, got)
		}
	}
	for kind, got := range map[string]int{
		"a struct that has slices": calls(t, operators.Scan[sharing], sharing{}, sharing{}),
		"an array of pointers":     calls(t, operators.Scan[[1]*int], [1]*int{}, [1]*int{}),
		"an interface":             calls(t, operators.Scan[any], nil, nil),
	} {
		if got != 4 {
			t.Errorf("Scan of two values, each %s, combined %d times, want 4: twice for the copies", kind, got)
		}
	}
}

func TestTotalsOfAFailureAreNotEmitted(t *testing.T) {
	failing := concat(stream.Just(1, 2), stream.Throw[int](errBroken))
	wantRun(t, operators.Fold(fold.Sum[int]())(failing), errBroken)
	wantRun(t, operators.Reduce(from(0), add)(failing), errBroken)
	wantRun(t, operators.Last[int]()(failing), errBroken)
}

func TestTotalsOfNothing(t *testing.T) {
	wantRun(t, operators.Fold(fold.Product[int]())(stream.Empty[int]()), nil, 1)
	wantRun(t, operators.Reduce(from(7), add)(stream.Empty[int]()), nil, 7)
	wantRun(t, operators.Scan(fold.Sum[int]())(stream.Empty[int]()), nil)
	wantRun(t, operators.Last[int]()(stream.Empty[int]()), nil)
	wantRun(t, operators.First[int]()(stream.Empty[int]()), nil)
}

func TestCatch(t *testing.T) {
	failing := concat(stream.Just(1), stream.Throw[int](errBroken))
	instead := func(err error) stream.Observable[int] {
		if !errors.Is(err, errBroken) {
			t.Errorf("recovers from %v", err)
		}
		return stream.Just(8, 9)
	}
	wantRun(t, operators.Catch(instead)(failing), nil, 1, 8, 9)
	wantRun(t, operators.Catch(func(error) stream.Observable[int] { return stream.Throw[int](errOdd) })(failing), errOdd, 1)
	wantRun(t, operators.Take[int](1)(operators.Catch(instead)(failing)), nil, 1)
	wantRun(t, operators.Take[int](2)(operators.Catch(instead)(failing)), nil, 1, 8)
}

func TestCatchDoesNotRecoverFromTheEndOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errOdd) })
		err := operators.Catch(func(error) stream.Observable[int] {
			t.Error("recovers")
			return nil
		})(stream.Never[int]()).Run(ctx)
		if !errors.Is(err, errOdd) {
			t.Errorf("Catch when the context ends: got the error %v, want its cause", err)
		}
	})
}

func TestTakeUntilDone(t *testing.T) {
	t.Run("completes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			stop, finish := context.WithCancel(t.Context())
			time.AfterFunc(3500*time.Millisecond, finish)
			wantRun(t, operators.TakeUntilDone[int](stop)(stream.Interval(time.Second)), nil, 0, 1, 2)
		})
	})
	t.Run("completes what wraps its error", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			stop, finish := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, finish)
			wrapping := func(ctx context.Context, _ func(int) bool) error {
				<-ctx.Done()
				return fmt.Errorf("source: %w", ctx.Err())
			}
			wantRun(t, operators.TakeUntilDone[int](stop)(wrapping), nil)
		})
	})
	t.Run("waits for the source", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			stop, finish := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, finish)
			start := time.Now()
			slow := func(ctx context.Context, _ func(int) bool) error {
				<-ctx.Done()
				time.Sleep(time.Second)
				return context.Cause(ctx)
			}
			wantRun(t, operators.TakeUntilDone[int](stop)(slow), nil)
			if took := time.Since(start); took != 2*time.Second {
				t.Errorf("a source that takes a second to end: the run took %v, want 2s", took)
			}
		})
	})
}

func TestTakeUntilDoneIgnoresWhatTheSourceAnswers(t *testing.T) {
	t.Run("completes whatever the source answers", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			stop, finish := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, finish)
			answering := func(ctx context.Context, _ func(int) bool) error {
				<-ctx.Done()
				return errBroken
			}
			wantRun(t, operators.TakeUntilDone[int](stop)(answering), nil)
			// What it failed with before the stop is told.
			later, finishLater := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, finishLater)
			wantRun(t, operators.TakeUntilDone[int](later)(concat(after[int](500*time.Millisecond), stream.Throw[int](errBroken))), errBroken)
		})
	})
	t.Run("gives up with its context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			stop, finish := context.WithCancel(ctx)
			time.AfterFunc(time.Second, finish)
			time.AfterFunc(2*time.Second, func() { cancel(errBroken) })
			slow := func(ctx context.Context, _ func(int) bool) error {
				<-ctx.Done()
				time.Sleep(3 * time.Second)
				return context.Cause(ctx)
			}
			if err := operators.TakeUntilDone[int](stop)(slow).Run(ctx); !errors.Is(err, errBroken) {
				t.Errorf("stop and then the context end: got %v, want %v", err, errBroken)
			}
		})
	})
}

// counted is a context that counts who is registered with it.
type counted struct {
	context.Context
	registered int
}

func (c *counted) Done() <-chan struct{} { return make(chan struct{}) }

func (c *counted) AfterFunc(func()) (stop func() bool) {
	c.registered++
	return func() bool { c.registered--; return true }
}

func TestTakeUntilDoneLeavesNothingWithStop(t *testing.T) {
	stop := &counted{Context: context.Background()}
	seen := 0
	source := operators.Tap(func(int) { seen = stop.registered })(stream.Just(1, 2))
	wantRun(t, operators.TakeUntilDone[int](stop)(source), nil, 1, 2)
	if seen != 1 || stop.registered != 0 {
		t.Errorf("%d registered during the run, %d after it", seen, stop.registered)
	}
}

func TestMergeTakesValuesAsTheyCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wantRun(t, operators.Merge(after(3, "c", "d"), after(1, "a"), after(2, "b"), stream.Empty[string]()), nil,
			"a", "b", "c", "d")
	})
}

func TestMergeFailsAfterWhatCameBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := concat(after(2, 2), stream.Throw[int](errBroken))
		wantRun(t, operators.Merge(after(1, 1), failing, after(3, 3), stream.Never[int]()), errBroken, 1, 2)
	})
}

func TestMergeMapLimit(t *testing.T) {
	for _, limit := range []int{-1, 0, 1, 2, 5} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var running gauge
				project := func(n int) stream.Observable[int] {
					return func(ctx context.Context, yield func(int) bool) error {
						defer running.enter()()
						return after(time.Second, n)(ctx, yield)
					}
				}
				got, err := operators.MergeMap(project, operators.Limit(limit))(stream.Range(0, 20)).Collect(t.Context())
				slices.Sort(got)
				if err != nil || len(got) != 20 || got[19] != 19 {
					t.Errorf("merge 20 observables: got %v and the error %v, want 0 to 19 and none", got, err)
				}
				want := int64(limit)
				if limit < 1 {
					want = 20
				}
				if most := running.most.Load(); most != want {
					t.Errorf("MergeMap with Limit(%d): %d ran at a time, want %d", limit, most, want)
				}
			})
		})
	}
}

func TestMergeMapOfOneAtATimeKeepsOrder(t *testing.T) {
	wantRun(t, operators.MergeMap(twice, operators.Limit(1))(stream.Just(1, 2, 3)), nil, 1, 1, 2, 2, 3, 3)
}

func TestMergeMapBuffer(t *testing.T) {
	for _, buffer := range []int{0, 1, 3, 70} {
		t.Run(fmt.Sprint(buffer), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const limit = 2
				pushed, yielded := atomic.Int64{}, int64(0)
				project := func(int) stream.Observable[int] {
					return operators.Tap(func(int) { pushed.Add(1) })(stream.Range(0, 100))
				}
				err := operators.MergeMap(project, operators.Limit(limit), operators.Buffer(buffer))(stream.Range(0, 4)).
					ForEach(t.Context(), func(int) {
						yielded++
						synctest.Wait()
						// One more of each is on its way.
						if waiting := pushed.Load() - yielded; waiting > limit*int64(max(1, buffer)+1) {
							t.Errorf("%d values wait", waiting)
						}
					})
				if err != nil || yielded != 400 {
					t.Errorf("got %d values, %v", yielded, err)
				}
			})
		})
	}
}

// Projected observables that end at once make room only when their values have
// been taken.
func TestMergeMapLimitsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 3
		read, yielded := atomic.Int64{}, int64(0)
		source := operators.Tap(func(int) { read.Add(1) })(stream.Range(0, 500))
		project := func(n int) stream.Observable[int] { return stream.Just(n) }
		err := operators.MergeMap(project, operators.Limit(limit))(source).ForEach(t.Context(), func(int) {
			yielded++
			synctest.Wait()
			if ahead := read.Load() - yielded; ahead > limit {
				t.Errorf("%d values were read ahead", ahead)
			}
		})
		if err != nil || yielded != 500 {
			t.Errorf("got %d values, %v", yielded, err)
		}
	})
}

func TestMergeMapFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		project := func(n int) stream.Observable[int] {
			if n == 2 {
				return concat(after(time.Second, 20), stream.Throw[int](errBroken))
			}
			return concat(stream.Just(n), stream.Never[int]())
		}
		wantRun(t, operators.MergeMap(project)(stream.Just(1, 2)), errBroken, 1, 20)
		// The source waits for a place, and is told.
		wantRun(t, operators.MergeMap(project, operators.Limit(2))(stream.Just(1, 2, 3)), errBroken, 1, 20)
		wantRun(t, operators.MergeMap(twice)(concat(after(1, 1), after(2, 2), after[int](1), stream.Throw[int](errBroken))), errBroken, 1, 1, 2, 2)
	})
}

func TestMergeMapHandsPanicsOfProjectOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer func() {
			if p, ok := recover().(*stream.PanicError); !ok || p.Value != any(errBroken) {
				t.Errorf("merge with a project that panics: the run panicked with %v, want a PanicError of errBroken", p)
			}
		}()
		_ = operators.MergeMap(func(int) stream.Observable[int] { panic(errBroken) }, operators.Limit(1))(
			stream.Just(1, 2)).Run(t.Context())
	})
}
