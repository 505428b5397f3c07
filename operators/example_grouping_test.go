package operators_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

type initials = operators.Group[string, string]

func initial(word string) string { return word[:1] }

// list is a group's key and its values, when it has ended.
func list(g initials) stream.Observable[string] {
	return operators.Map(func(words []string) string {
		return g.Key + ": " + strings.Join(words, " ")
	})(operators.BufferCount[string](100)(g.Values()))
}

// count is a group's key and the number of its values, when it has ended.
func count(g initials) stream.Observable[string] {
	return operators.Map(func(words int) string { return fmt.Sprint(g.Key, words) })(operators.Count[string]()(g.Values()))
}

func words() stream.Observable[string] {
	return stream.FromSlice(strings.Fields("anchor boat apple arm cat bell"))
}

func ExampleGroupBy() {
	show(sortedWords(stream.Pipe2(words(), operators.GroupBy(initial), operators.MergeMap(list))))
	// Output: [a: anchor apple arm b: boat bell c: cat] <nil>
}

// sortedWords has the words of the source in alphabetical order: readers of groups end in any.
func sortedWords(source stream.Observable[string]) stream.Observable[string] {
	return func(ctx context.Context, yield func(string) bool) error {
		all, err := source.Collect(ctx)
		if err != nil {
			return err
		}
		slices.Sort(all)
		return stream.FromSlice(all)(ctx, yield)
	}
}

// Who wants the values of some groups only, looks at their keys.
func ExampleGroup_Values() {
	wanted := operators.Filter(func(g initials) bool { return g.Key == "b" })
	show(stream.Pipe3(words(), operators.GroupBy(initial), wanted, operators.MergeMap(initials.Values)))
	// Output: [boat bell] <nil>
}

// Whoever looks up sees what came last.
func ExampleGroupBuffer() {
	latest := operators.GroupBy(initial, operators.GroupBuffer(1, stream.DropOldest))
	values, _ := operators.Map(initials.Values)(latest(words())).Collect(context.Background())
	for _, v := range values {
		show(v)
	}
	// Output:
	// [arm] <nil>
	// [bell] <nil>
	// [cat] <nil>
}

func ExampleGroupLimit() {
	err := operators.GroupBy(initial, operators.GroupLimit(2))(words()).Run(context.Background())
	fmt.Println(err, errors.Is(err, operators.ErrTooManyGroups))
	// Output: operators: too many groups: 2 are open, and there is a value for c true
}

// One group at a time: the words with the same initial that follow each other.
func ExampleGroupLatest() {
	show(stream.Pipe2(words(), operators.GroupBy(initial, operators.GroupLatest(1)), operators.ConcatMap(list)))
	// Output: [a: anchor b: boat a: apple arm c: cat b: bell] <nil>
}

func ExampleGroupCount() {
	show(sortedWords(stream.Pipe2(words(), operators.GroupBy(initial, operators.GroupCount(2)), operators.MergeMap(list))))
	// Output: [a: anchor apple a: arm b: boat bell c: cat] <nil>
}

// A client that says nothing for a while is done.
func ExampleGroupIdle() {
	clients := operators.Concat(stream.Just("ann", "bob", "ann"), stream.Never[string]())
	sessions := operators.GroupBy(initial, operators.GroupIdle(200*time.Millisecond))
	show(sortedWords(operators.Take[string](2)(operators.MergeMap(count)(sessions(clients)))))
	// Output: [a2 b1] <nil>
}

// sums are the totals of windows.
func sums(w operators.Group[int, int]) stream.Observable[string] {
	return operators.Map(func(sum int) string { return fmt.Sprint(w.Key, ":", sum) })(operators.Sum[int]()(w.Values()))
}

// The sum of what had come when the bell rang.
func ExampleWindow() {
	windows := operators.Window[int](stream.Timer(200 * time.Millisecond))
	numbers := operators.Concat(stream.Just(1, 2, 10), stream.Never[int]())
	_ = stream.Pipe2(numbers, windows, operators.ConcatMap(sums)).ForEach(stopping())
	// Output: 0:13
}

// stopping is a context, and what prints one value and cancels it.
func stopping() (context.Context, func(string)) {
	ctx, stop := context.WithCancel(context.Background())
	return ctx, func(s string) {
		fmt.Println(s)
		stop()
	}
}

func ExampleWindowCount() {
	show(stream.Pipe2(stream.Range(1, 7), operators.WindowCount[int](3), operators.ConcatMap(sums)))
	// Output: [0:6 1:15 2:7] <nil>
}

func ExampleWindowCountEvery() {
	show(stream.Pipe2(stream.Range(1, 4), operators.WindowCountEvery[int](2, 1), operators.ConcatMap(sums)))
	// Output: [0:3 1:5 2:7 3:4] <nil>
}

func ExampleWindowTime() {
	readings := operators.Concat(stream.Just(20, 21, 22), stream.Never[int]())
	_ = stream.Pipe2(readings, operators.WindowTime[int](200*time.Millisecond), operators.ConcatMap(sums)).ForEach(stopping())
	// Output: 0:63
}

// Windows that overlap are read at the same time, by MergeMap.
func ExampleWindowTimeEvery() {
	readings := stream.Just(20, 21, 22)
	show(stream.Pipe2(readings, operators.WindowTimeEvery[int](time.Hour, time.Minute), operators.MergeMap(sums)))
	// Output: [0:63] <nil>
}

func ExampleWindowTimeOrCount() {
	readings := operators.Concat(stream.Just(20, 21, 22), stream.Never[int]())
	show(operators.Take[string](2)(stream.Pipe2(readings,
		operators.WindowTimeOrCount[int](200*time.Millisecond, 2), operators.ConcatMap(sums))))
	// Output: [0:41 1:22] <nil>
}

func ExampleBufferBoundary() {
	bell := stream.Timer(200 * time.Millisecond)
	numbers := operators.Concat(stream.Just(1, 2, 10), stream.Never[int]())
	show(operators.Take[[]int](1)(operators.BufferBoundary[int](bell, 100)(numbers)))
	// Output: [[1 2 10]] <nil>
}

func ExampleFoldTumblingTime() {
	visits := operators.Concat(stream.Just(1, 1, 1), stream.Never[int]())
	show(operators.Take[int](2)(operators.FoldTumblingTime(200*time.Millisecond, fold.Sum[int]())(visits)))
	// Output: [3 0] <nil>
}

// The highest of the last minute, of at most two.
func ExampleFoldSlidingTime() {
	show(operators.FoldSlidingTime(time.Minute, 2, fold.Max[int]())(stream.Just(5, 1, 3, 2)))
	// Output: [5 5 3 3] <nil>
}

func ExampleFoldParallel() {
	show(operators.FoldParallel(4, fold.Sum[int]())(stream.Range(1, 10_000)))
	// Output: [50005000] <nil>
}

func ExampleFoldParallelFunc() {
	digits := func(n int) int { return len(strconv.Itoa(n)) }
	show(operators.FoldParallelFunc(4, fold.Max[int](), digits)(stream.Range(1, 10_000)))
	// Output: [5] <nil>
}

func ExampleSequenceEqualFunc() {
	text := func(n int, s string) bool { return strconv.Itoa(n) == s }
	show(operators.SequenceEqualFunc(stream.Just(1, 2, 3), stream.Just("1", "2", "3"), text))
	// Output: [true] <nil>
}

// A reader that wants two words at a time, again and again.
func ExampleGroupReopens() {
	left := make(chan struct{}, 3)
	pairs := operators.MergeMap(func(g initials) stream.Observable[string] {
		leaves := operators.Finally[string](func(operators.Ending, error) { left <- struct{}{} })
		pair := operators.BufferCount[string](2)(operators.Take[string](2)(leaves(g.Values())))
		return operators.Map(func(words []string) string { return strings.Join(words, "+") })(pair)
	})
	n := 0
	inTime := operators.Tap(func(string) { // the third word comes when the first two have been read
		if n++; n > 1 && n%2 == 1 {
			<-left
		}
	})
	one := operators.GroupBy(func(string) string { return "all" }, operators.GroupReopens())
	show(stream.Pipe3(words(), inTime, one, pairs))
	// Output: [anchor+boat apple+arm cat+bell] <nil>
}

// Group by group needs room for what comes for the others meanwhile.
func ExampleGroupBy_stalled() {
	numbers := stream.Range(0, 1000)
	odd := operators.GroupBy(func(n int) bool { return n%2 == 1 })
	count := func(g operators.Group[bool, int]) stream.Observable[int] { return operators.Count[int]()(g.Values()) }
	err := operators.ConcatMap(count)(odd(numbers)).Run(context.Background())
	fmt.Println(errors.Is(err, operators.ErrGroupsStalled))
	show(operators.MergeMap(count)(odd(numbers)))
	// Output:
	// true
	// [500 500] <nil>
}

// What came when nobody read the group any more.
func ExampleGroup_Dropped() {
	var all initials
	first := operators.MergeMap(func(g initials) stream.Observable[string] {
		all = g
		return operators.Take[string](1)(g.Values())
	})
	one := operators.GroupBy(func(string) string { return "all" })
	show(stream.Pipe2(words(), one, first))
	fmt.Println(all.Dropped(), "dropped")
	// Output:
	// [anchor] <nil>
	// 5 dropped
}

func ExampleCountDrops() {
	var dropped stream.Drops
	release := make(chan struct{})
	source := operators.Concat(words(), stream.Defer(func() stream.Observable[string] {
		close(release) // the source has emitted all it has
		return stream.Empty[string]()
	}))
	latest := stream.Pipe2(source, operators.OnBackpressureLatest[string](), operators.CountDrops[string](&dropped))
	got := 0
	_ = latest.ForEach(context.Background(), func(string) {
		<-release
		got++
	})
	fmt.Println(got+dropped.Total(), "in all")
	// Output: 6 in all
}
