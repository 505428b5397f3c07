package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
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

// stats count the requests of each path, and the times in each range. A range is 2% wide.
type stats = fold.Pair[map[string]int, map[int]int]

var sum = fold.Both(fold.ByKey[string](fold.Sum[int]()), fold.ByKey[int](fold.Sum[int]()))

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: dashboard FILE")
	}
	stop, forget := signal.NotifyContext(context.Background(), os.Interrupt)
	defer forget()
	if err := show(stop, system.Follow(os.Args[1], system.FollowOptions{}), os.Stdout); err != nil {
		log.Fatal("dashboard: ", err)
	}
}

func show(stop context.Context, lines stream.Observable[system.Line], out io.Writer) error {
	total, drops := sum.Identity(), new(stream.Drops)
	requests := operators.MapSkipErr(parse, nil)(operators.TakeUntilDone[system.Line](stop)(lines))
	seconds := operators.FoldTumblingTime(time.Second, sum)(requests)
	err := seconds.ForEach(stream.WithDrops(context.WithoutCancel(stop), drops), func(second stats) {
		total = sum.Combine(total, second)
		report(out, "last second", second)
	})
	report(out, "total", total)
	fmt.Fprintln(out, "bad lines:", drops.Skipped())
	return err
}

func parse(line system.Line) (stats, error) {
	var r struct {
		Path string
		MS   float64
	}
	err := json.Unmarshal([]byte(line.Text), &r)
	width := int(math.Ceil(math.Log(max(r.MS, 1e-9)) / math.Log(1.02)))
	return fold.PairOf(map[string]int{r.Path: 1}, map[int]int{width: 1}), err
}

func report(out io.Writer, title string, s stats) {
	all := fold.Seq(fold.Sum[int](), maps.Values(s.First))
	p99, above := 0.0, all/100
	for _, width := range slices.Backward(slices.Sorted(maps.Keys(s.Second))) {
		if above -= s.Second[width]; above < 0 {
			p99 = math.Pow(1.02, float64(width)-0.5)
			break
		}
	}
	fmt.Fprintf(out, "%s: %d requests, p99 %.3g ms", title, all, p99)
	paths := slices.SortedFunc(maps.Keys(s.First), func(a, b string) int {
		return cmp.Or(s.First[b]-s.First[a], cmp.Compare(a, b))
	})
	for _, path := range paths[:min(5, len(paths))] {
		fmt.Fprintf(out, ", %s %d", path, s.First[path])
	}
	fmt.Fprintln(out)
}
