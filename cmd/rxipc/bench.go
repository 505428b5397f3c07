package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/spf13/cobra"

	"github.com/rxipc/rxipc/socket"
)

// load is what bench does.
type load struct {
	duration    time.Duration
	connections int
	size        int
}

func (o *options) bench() *cobra.Command {
	var l load
	command := &cobra.Command{
		Use:   "bench NAME",
		Short: "Make requests for a while, and print the rate and the latencies",
		Long: `Make requests for a while, one after the other on each connection, and print the rate and the
latencies. The server handles the requests as any others. It must answer: "rxipc serve NAME" does.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeNames,
		RunE: func(command *cobra.Command, args []string) error {
			if l.duration <= 0 || l.connections < 1 || l.size < 0 {
				return fmt.Errorf("%w: --duration and --connections must be positive, --size must not be negative", errUsage)
			}
			result, err := o.measure(command.Context(), args[0], l)
			if err != nil {
				return err
			}
			return o.printMeasured(command.OutOrStdout(), result)
		},
	}
	command.Flags().DurationVarP(&l.duration, "duration", "d", 5*time.Second, "duration of the measurement")
	command.Flags().IntVarP(&l.connections, "connections", "c", 1, "number of connections")
	command.Flags().IntVarP(&l.size, "size", "s", 32, "bytes of a request")
	return command
}

// measured is the result of bench.
type measured struct {
	Requests int64   `json:"requests"`
	Seconds  float64 `json:"seconds"`
	Rate     float64 `json:"rate"` // requests a second
	P50      float64 `json:"p50"`  // latencies in microseconds
	P90      float64 `json:"p90"`
	P99      float64 `json:"p99"`
	P999     float64 `json:"p999"`
	Max      float64 `json:"max"`

	latencies *hdrhistogram.Histogram // in nanoseconds
}

// measure makes requests on all connections until the time is over.
func (o *options) measure(ctx context.Context, name string, l load) (measured, error) {
	var processes []*socket.Process
	defer func() {
		for _, p := range processes {
			p.Close(context.WithoutCancel(ctx))
		}
	}()
	for range l.connections {
		p, err := o.connect(ctx, name)
		if err != nil {
			return measured{}, err
		}
		processes = append(processes, p)
	}
	start := time.Now()
	parts := make([]*hdrhistogram.Histogram, len(processes))
	failures := make([]error, len(processes))
	var running sync.WaitGroup
	for i, p := range processes {
		running.Go(func() { parts[i], failures[i] = o.requests(ctx, p, l, start.Add(l.duration)) })
	}
	running.Wait()
	took := time.Since(start)
	all := newHistogram()
	for _, part := range parts {
		all.Merge(part)
	}
	if err := errors.Join(failures...); err != nil {
		return measured{}, err
	}
	return summary(all, took), nil
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(100, int64(time.Minute), 3)
}

// requests makes requests on one connection until the end.
func (o *options) requests(ctx context.Context, p *socket.Process, l load, end time.Time) (*hdrhistogram.Histogram, error) {
	latencies := newHistogram()
	request := socket.Text(strings.Repeat("x", l.size))
	for now := time.Now(); now.Before(end); {
		if _, err := o.ask(ctx, p, request); err != nil {
			return latencies, err
		}
		done := time.Now()
		latencies.RecordValue(min(int64(done.Sub(now)), int64(time.Minute)))
		now = done
	}
	return latencies, nil
}

func summary(all *hdrhistogram.Histogram, took time.Duration) measured {
	at := func(quantile float64) float64 { return float64(all.ValueAtQuantile(quantile)) / 1000 }
	return measured{
		Requests: all.TotalCount(), Seconds: took.Seconds(), Rate: float64(all.TotalCount()) / took.Seconds(),
		P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: float64(all.Max()) / 1000, latencies: all,
	}
}

func (o *options) printMeasured(out io.Writer, m measured) error {
	if o.json {
		return printJSON(out, m)
	}
	fmt.Fprintf(out, "%d requests in %.1f s: %.0f a second\n", m.Requests, m.Seconds, m.Rate)
	fmt.Fprintf(out, "latency  p50 %.1f µs  p90 %.1f µs  p99 %.1f µs  p99.9 %.1f µs  max %.1f µs\n\n", m.P50, m.P90, m.P99, m.P999, m.Max)
	for _, row := range rows(m.latencies) {
		fmt.Fprintf(out, "%10.1f µs  %-40s %d\n", row.upTo, strings.Repeat("#", row.width), row.count)
	}
	return nil
}

// row is a line of the picture of a histogram: the requests that took no longer than upTo
// microseconds, and longer than the row before.
type row struct {
	upTo  float64
	count int64
	width int
}

// rows returns the rows, whose limits double, without empty ones at both ends.
func rows(h *hdrhistogram.Histogram) (all []row) {
	limit, most := int64(1000), int64(1)
	counts := map[int64]int64{}
	for _, bar := range h.Distribution() {
		if bar.Count == 0 {
			continue
		}
		for limit < bar.From {
			limit *= 2
		}
		counts[limit] += bar.Count
		most = max(most, counts[limit])
	}
	for upTo := int64(1000); upTo <= limit; upTo *= 2 {
		if n := counts[upTo]; n > 0 || len(all) > 0 {
			all = append(all, row{float64(upTo) / 1000, n, int(40 * n / most)})
		}
	}
	return all
}
