// Command dashboard follows a log of requests, JSON lines such as {"path": "/a", "ms": 12.5}, and
// prints each second the five most frequent paths and the 99th percentile of the times, and the
// totals at Ctrl-C:
//
//	go run ./examples/dashboard access.jsonl
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/system"
)

// stats count the requests of each path, and the times in each range. A range is 2% wide, so
// that a percentile is 1% off at most.
type stats = fold.Pair[map[string]int, map[int]int]

var sum = fold.Both(fold.ByKey[string](fold.Sum[int]()), fold.ByKey[int](fold.Sum[int]()))

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: dashboard FILE")
		os.Exit(2)
	}
	stop, forget := signal.NotifyContext(context.Background(), os.Interrupt)
	defer forget()
	if err := show(stop, system.Follow(os.Args[1], system.FollowOptions{}), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1)
	}
}

// show prints until stop is done. The windows end by timers of package time, which run by the
// monotonic clock: setting the wall clock does not change them. No test shows that, since a
// test would have to set the clock of the machine.
func show(stop context.Context, log stream.Observable[system.Line], out io.Writer) error {
	total := sum.Identity()
	err := stream.Pipe3(log,
		operators.TakeUntilDone[system.Line](stop),
		operators.Map(parse),
		operators.FoldTumblingTime(time.Second, sum),
	).ForEach(context.WithoutCancel(stop), func(window stats) {
		total = sum.Combine(total, window)
		report(out, "last second", window)
	})
	report(out, "total", total)
	return err
}

func parse(line system.Line) stats {
	var r struct {
		Path string
		MS   float64
	}
	if json.Unmarshal([]byte(line.Text), &r) != nil || r.MS <= 0 {
		return stats{First: map[string]int{"(bad line)": 1}}
	}
	return stats{First: map[string]int{r.Path: 1}, Second: map[int]int{int(math.Ceil(math.Log(r.MS) / math.Log(1.02))): 1}}
}

func report(out io.Writer, title string, s stats) {
	paths, ranges := slices.Collect(maps.Keys(s.First)), slices.Sorted(maps.Keys(s.Second))
	slices.SortFunc(paths, func(a, b string) int {
		return cmp.Or(cmp.Compare(s.First[b], s.First[a]), cmp.Compare(a, b))
	})
	p99, seen, all := 0.0, 0, fold.Seq(fold.Sum[int](), maps.Values(s.Second))
	for _, r := range ranges {
		if seen += s.Second[r]; 100*seen >= 99*all {
			p99 = math.Pow(1.02, float64(r)-0.5)
			break
		}
	}
	fmt.Fprintf(out, "%s: %d requests, p99 %.3g ms", title, all, p99)
	for _, path := range paths[:min(5, len(paths))] {
		fmt.Fprintf(out, ", %s %d", path, s.First[path])
	}
	fmt.Fprintln(out)
}
