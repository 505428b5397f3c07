package sockets

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxipc/rxipc/benchmarks/measure"
)

// Growth measures rxipc with more connections, busy and idle, with more operators in a server, with
// longer messages, and as bytes pass.
func Growth() measure.Suite {
	return measure.Suite{
		Name:   "growth",
		Title:  "As the work grows",
		About:  "Requests of 32 bytes, unless it says otherwise, and the memory that the server uses after a garbage collection.",
		Groups: []measure.Group{moreConnections(), besideIdle(), moreOperators(), longerMessages(), asBytesPass()},
	}
}

func moreConnections() measure.Group {
	group := measure.Group{
		Title:    "With more connections",
		About:    "All connections are open, each with one request in flight.",
		Axis:     "connections",
		Baseline: bare.title(),
		Metrics: []measure.Metric{
			{Name: rate, Unit: measure.PerSecond, Higher: true},
			{Name: heap, Unit: measure.Bytes},
		},
	}
	for _, conns := range []int{1, 10, 100, 1000, 10_000} {
		group.Works = append(group.Works, measure.Work{
			Name: fmt.Sprint(conns), X: float64(conns), N: max(20_000, 5*conns), QuickN: conns, Whole: true, MaxRounds: 5,
			Contenders: contenders([]peer{bare, rxIPC, netRPC}, setup{kind: manyConnections, size: 32}, crowd(conns)),
		})
	}
	return group
}

func moreOperators() measure.Group {
	group := measure.Group{
		Title:    "With more operators",
		About:    "One connection with one request in flight. The server is a pipeline.",
		Axis:     "operators",
		Baseline: "without operators",
		Metrics: []measure.Metric{
			{Name: rate, Unit: measure.PerSecond, Higher: true},
			{Name: serverCPU, Unit: measure.Seconds},
			{Name: heap, Unit: measure.Bytes},
		},
	}
	for _, count := range []int{1, 2, 5, 10, 20, 30} {
		group.Works = append(group.Works, measure.Work{
			Name: fmt.Sprint(count), X: float64(count), N: 4000, QuickN: 10,
			Contenders: []measure.Contender{
				pipelineOf(group.Baseline, 0, withMemory((*bench).oneByOne)),
				pipelineOf("with them", count, withMemory((*bench).oneByOne)),
			},
		})
	}
	return group
}

func longerMessages() measure.Group {
	group := measure.Group{
		Title:    "With longer messages",
		About:    "One connection with one request in flight, whose response has the same content.",
		Axis:     "bytes",
		Baseline: bare.title(),
		Metrics:  []measure.Metric{{Name: p50, Unit: measure.Seconds}, {Name: heap, Unit: measure.Bytes}},
	}
	for bytes := 1; bytes <= 16<<20; bytes *= 8 {
		group.Works = append(group.Works, measure.Work{
			Name: measure.Bytes.Format(float64(bytes)), X: float64(bytes), N: min(4000, max(20, 256<<20/bytes)), QuickN: 2,
			Contenders: contenders([]peer{bare, rxIPC, lent}, setup{kind: oneByOne, size: bytes, conns: 1}, withMemory((*bench).oneByOne)),
		})
	}
	return group
}

// asBytesPass measures whether memory stays: what the server uses after it has received so many
// bytes on one connection.
func asBytesPass() measure.Group {
	const message = 64 << 10
	group := measure.Group{
		Title:   "As bytes pass",
		About:   "One connection on which messages of 64 KiB arrive, each acknowledged; the memory of the server behind the last.",
		Axis:    "gibibytes",
		Metrics: []measure.Metric{{Name: heap, Unit: measure.Bytes}, {Name: rss, Unit: measure.Bytes}},
	}
	for _, gibibytes := range []int{1, 2, 4, 8} {
		group.Works = append(group.Works, measure.Work{
			Name: fmt.Sprint(gibibytes), X: float64(gibibytes), N: gibibytes << 30 / message, QuickN: 10, Whole: true, MaxRounds: 2,
			Contenders: contenders([]peer{rxIPC, lent}, setup{kind: oneWay, job: job{Count: true}, size: message, conns: 1}, withMemory((*bench).oneWay)),
		})
	}
	return group
}

// crowd opens count connections and makes requests on all of them. It closes them before the next
// contender's turn, because one process cannot have the connections of all contenders.
func crowd(count int) measurement {
	return func(b *bench, ctx context.Context, n int) (figures measure.Figures, err error) {
		if err := allowDescriptors(count); err != nil {
			return nil, err
		}
		conns, err := b.connect(ctx, count)
		defer func() { err = errors.Join(err, closeAll(conns)) }()
		if err == nil {
			_, err = b.askAll(conns, count) // includes the handshakes
		}
		if err != nil {
			return nil, err
		}
		return withMemory(func(b *bench, _ context.Context, n int) (measure.Figures, error) {
			return b.askAll(conns, n)
		})(b, ctx, n)
	}
}

// withMemory adds the server's memory after a run to the run's figures.
func withMemory(run measurement) measurement {
	return func(b *bench, ctx context.Context, n int) (measure.Figures, error) {
		figures, err := run(b, ctx, n)
		if err != nil {
			return nil, err
		}
		used, err := b.server.usage(askSettled)
		figures[heap], figures[rss] = float64(used.Heap), float64(used.Resident)
		return figures, err
	}
}
