package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/fold/sketch"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/system"
)

type stats = fold.Pair[sketch.Counts, sketch.Distribution]

var sum = fold.Both(sketch.TopK(1000), sketch.Quantiles())

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
	return stats{First: sketch.Item(r.Path), Second: sketch.Number(r.MS)}, err
}

func report(out io.Writer, title string, s stats) {
	fmt.Fprintf(out, "%s: %d requests, p99 %.3g ms, %v\n", title, s.First.Total(), s.Second.Quantile(0.99), s.First.Top(5))
}
