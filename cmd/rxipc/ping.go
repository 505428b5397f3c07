package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

func (o *options) ping() *cobra.Command {
	var count int
	var interval time.Duration
	command := &cobra.Command{
		Use:   "ping NAME",
		Short: "Measure how long a server takes to greet",
		Long: `Measure how long a server takes to greet: each time, connect, wait for the handshake, and close. No
message is sent, so the server's program notices nothing. Fails if no try was answered.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeNames,
		RunE: func(command *cobra.Command, args []string) error {
			name, err := parseName(args[0])
			if err != nil {
				return err
			}
			if count < 0 || interval <= 0 {
				return fmt.Errorf("%w: --count must not be negative, --interval must be positive", errUsage)
			}
			return o.pingAll(command.Context(), command.OutOrStdout(), name, count, interval)
		},
	}
	command.Flags().IntVarP(&count, "count", "c", 4, "number of tries; 0 for no end")
	command.Flags().DurationVarP(&interval, "interval", "i", time.Second, "time from one try to the next")
	return command
}

// pinged is one try, as JSON.
type pinged struct {
	Seq   int     `json:"seq"`
	Ms    float64 `json:"ms,omitempty"`
	Error string  `json:"error,omitempty"`
}

// pingAll pings until count tries are made or ctx ends, and prints the statistics.
func (o *options) pingAll(ctx context.Context, out io.Writer, name socket.Name, count int, interval time.Duration) error {
	ipc := o.ipc()
	var s statistics
	var last error
	try := func(seq int) {
		took, peer, err := o.pingOnce(ctx, ipc, name)
		if ctx.Err() != nil {
			return
		}
		s.tries++
		p := pinged{Seq: seq}
		if err != nil {
			last, p.Error = err, err.Error()
		} else {
			p.Ms = float64(took.Microseconds()) / 1000
			s.add(p.Ms)
		}
		o.printPinged(out, name, peer, p)
	}
	try(1)
	if count != 1 {
		for i := range stream.Interval(interval).Seq(ctx) {
			try(i + 2)
			if count > 0 && i+2 >= count {
				break
			}
		}
	}
	o.printStatistics(out, name, s)
	switch {
	case s.answered > 0:
		return nil
	case last != nil:
		return last
	}
	return context.Cause(ctx)
}

func (o *options) pingOnce(ctx context.Context, ipc *socket.IPC, name socket.Name) (time.Duration, string, error) {
	ctx, cancel := o.limited(ctx)
	defer cancel()
	start := time.Now()
	p, err := ipc.Dial(ctx, name).Get()
	if err != nil {
		return 0, "", err
	}
	took := time.Since(start)
	defer p.Close(ctx)
	peer, known := p.Peer().Get()
	if !known {
		return took, "an unknown process", nil
	}
	return took, peer.String(), nil
}

func (o *options) printPinged(out io.Writer, name socket.Name, peer string, p pinged) {
	switch {
	case o.json:
		printJSON(out, p)
	case p.Error != "":
		fmt.Fprintf(out, "seq=%d %s\n", p.Seq, p.Error)
	default:
		fmt.Fprintf(out, "greeting of %v from %s: seq=%d time=%.3f ms\n", name, peer, p.Seq, p.Ms)
	}
}

// statistics are of times in milliseconds.
type statistics struct {
	tries, answered   int
	least, most       float64
	sum, sumOfSquares float64
}

func (s *statistics) add(ms float64) {
	if s.answered == 0 {
		s.least = ms
	}
	s.answered++
	s.least, s.most = min(s.least, ms), max(s.most, ms)
	s.sum, s.sumOfSquares = s.sum+ms, s.sumOfSquares+ms*ms
}

func (s *statistics) mean() float64 { return s.sum / float64(s.answered) }

func (s *statistics) deviation() float64 {
	return math.Sqrt(max(0, s.sumOfSquares/float64(s.answered)-s.mean()*s.mean()))
}

func (o *options) printStatistics(out io.Writer, name socket.Name, s statistics) {
	if o.json || s.tries == 0 {
		return
	}
	fmt.Fprintf(out, "\n--- %v ---\n%d tries, %d answered, %.0f %% lost\n", name, s.tries, s.answered, 100*float64(s.tries-s.answered)/float64(s.tries))
	if s.answered > 0 {
		fmt.Fprintf(out, "min/avg/max/stddev = %.3f/%.3f/%.3f/%.3f ms\n", s.least, s.mean(), s.most, s.deviation())
	}
}
