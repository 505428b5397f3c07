// Package sockets compares rxipc with other ways for two processes to exchange messages over a
// unix socket. Each peer has a file of its own. The measurements are in bench.go, the process of
// the server in child.go.
package sockets

import (
	"fmt"

	"github.com/rxipc/rxipc/benchmarks/measure"
	"github.com/rxipc/rxipc/socket"
)

// The names of the figures.
const (
	p50               = "p50"
	p99               = "p99"
	rate              = "rate"
	clientAllocations = "allocations, client"
	serverAllocations = "allocations, server"
	clientCPU         = "processor time, client"
	serverCPU         = "processor time, server"
	heap              = "heap and stacks"
	rss               = "resident"
)

// windowWidth is the number of requests in flight in inFlight, and the number of connections in
// manyConnections.
const windowWidth = 64

// allPeers are all peers of a server process; peers are those in the comparison.
var (
	peers    = []peer{bare, multiplexed, rxIPC, lent, netRPC, ttRPC, gRPC, dRPC, rSocket, golangIPC, mangosReq}
	allPeers = append(peers[:len(peers):len(peers)], pipeline, roomy, byHand, typed, inline, jsonRPC, hub)
)

var (
	processorTimes = []measure.Metric{{Name: clientCPU, Unit: measure.Seconds}, {Name: serverCPU, Unit: measure.Seconds}}
	rateMetrics    = append([]measure.Metric{{Name: rate, Unit: measure.PerSecond, Higher: true}}, processorTimes...)
)

// Suite compares rxipc with others.
func Suite() measure.Suite {
	return measure.Suite{
		Name:  "sockets",
		Title: "Sockets",
		About: `Two processes over one unix socket; the client starts the server. Responses are compared with
requests, and messages without a response are counted on arrival. Each peer is used as in its
documentation, with its defaults; see its file in ` + "`sockets`" + `.`,
		Groups: []measure.Group{
			requests(), costs(), methods(), ahead(), shared(), parallel(), push(), published(), visits(), waiting(), pipelines(),
		},
	}
}

// size is the size of a message, and the number of messages of a run.
type size struct {
	name  string
	bytes int
	n     int
}

var sizes = []size{{"32 B", 32, 4000}, {"1 KiB", 1 << 10, 4000}, {"64 KiB", 64 << 10, 1000}, {"1 MiB", 1 << 20, 100}}

// works returns the work of all peers, and of some more, for messages of all sizes.
func works(s setup, sizes []size, run measurement, more ...peer) (list []measure.Work) {
	all := append(peers[:len(peers):len(peers)], more...)
	if len(sizes) > 1 { // includes large messages, which become garbage
		all = append(all, seldom)
	}
	for _, size := range sizes {
		s.size = size.bytes
		list = append(list, measure.Work{Name: size.name, N: size.n, QuickN: 10, Contenders: contenders(all, s, run)})
	}
	return list
}

func contenders(peers []peer, s setup, run measurement) (list []measure.Contender) {
	for _, p := range peers {
		if p.absent[s.kind] != "" {
			list = append(list, measure.Contender{Name: p.title(), Absent: p.absent[s.kind]})
			continue
		}
		list = append(list, p.contender(s, run))
	}
	return list
}

func requests() measure.Group {
	return measure.Group{
		Title:    "Request and response",
		About:    "One request at a time on one connection; the time from before the request until after the response.",
		Baseline: bare.title(),
		Metrics:  []measure.Metric{{Name: p50, Unit: measure.Seconds}, {Name: p99, Unit: measure.Seconds}},
		Works:    works(setup{kind: oneByOne, conns: 1}, sizes, (*bench).oneByOne, pool),
		Goals: []measure.Goal{
			{Contender: rxIPC.title(), Metric: p50, Work: "32 B", Ratio: true, Bound: 1.1},
			{Contender: pool.title(), Metric: p50, Work: "32 B", Ratio: true, Bound: 1.3},
			{Contender: rxIPC.title(), Metric: p50, Work: "64 KiB", Ratio: true, Bound: 1.0},
			{Contender: rxIPC.title(), Metric: p50, Work: "1 MiB", Ratio: true, Bound: 1.2},
		},
	}
}

func costs() measure.Group {
	return measure.Group{
		Title:    "What a request costs",
		About:    "The same with 32 bytes: allocations, and the processor time of the process, user and system, as the system accounts it.",
		Baseline: bare.title(),
		Metrics: append([]measure.Metric{
			{Name: clientAllocations, Unit: measure.Count, NoRatio: true}, {Name: serverAllocations, Unit: measure.Count, NoRatio: true},
		}, processorTimes...),
		Works: works(setup{kind: oneByOne, conns: 1}, sizes[:1], (*bench).oneByOne, requesting, pool),
		Goals: []measure.Goal{
			{Contender: rxIPC.title(), Metric: clientAllocations, Work: "32 B", Bound: 1},
			{Contender: rxIPC.title(), Metric: serverAllocations, Work: "32 B", Bound: 1},
		},
	}
}

func methods() measure.Group {
	return measure.Group{
		Title: "Typed requests",
		About: `One request at a time on one connection. Request and response are a struct with a number and a text, 32
bytes of JSON. The reference is an untyped request whose content the client and the server encode and
decode themselves: the round trip and encoding/json's own time. The first row is the round trip
alone, of a content of the same length.`,
		Baseline: byHand.title(),
		Metrics: []measure.Metric{
			{Name: p50, Unit: measure.Seconds}, {Name: p99, Unit: measure.Seconds},
			{Name: clientAllocations, Unit: measure.Count, NoRatio: true}, {Name: serverAllocations, Unit: measure.Count, NoRatio: true},
		},
		Works: []measure.Work{{Name: "32 B of JSON", N: 4000, QuickN: 10,
			Contenders: contenders([]peer{requesting, byHand, typed, inline, jsonRPC}, setup{kind: oneByOne, size: 32, conns: 1}, (*bench).oneByOne)}},
		Goals: []measure.Goal{
			{Contender: typed.title(), Metric: p50, Work: "32 B of JSON", Ratio: true, Bound: 1.5},
			{Contender: inline.title(), Metric: p50, Work: "32 B of JSON", Ratio: true, Bound: 1.5},
		},
	}
}

func ahead() measure.Group {
	return measure.Group{
		Title: fmt.Sprintf("%d requests in flight", windowWidth),
		About: `Requests of 32 bytes per second on one connection. The bare peer sends a request for each
response that it receives. rxipc sends all requests and then waits for their responses; RequestAll sends
a request for each response. All do so on one goroutine. For the others as many goroutines call at the same time.`,
		Baseline: multiplexed.title(),
		Metrics:  rateMetrics,
		Works:    works(setup{kind: inFlight, conns: 1}, []size{{"32 B", 32, 30_000}}, (*bench).inFlight, inOrder),
		Goals:    []measure.Goal{{Contender: rxIPC.title(), Metric: rate, Work: "32 B", Ratio: true, Bound: 0.8}},
	}
}

func shared() measure.Group {
	narrow := pooled(socket.PoolConfig{Connections: 1, InFlight: windowWidth})
	return measure.Group{
		Title: fmt.Sprintf("%d callers", windowWidth),
		About: `Requests of 32 bytes per second of as many goroutines, which share one connection and each have one
request in flight.`,
		Baseline: called.title(),
		Metrics:  rateMetrics,
		Works: []measure.Work{{Name: "32 B", N: 30_000, QuickN: 10,
			Contenders: contenders([]peer{called, requesting, narrow, netRPC, ttRPC, gRPC, rSocket}, setup{kind: inFlight, size: 32, conns: 1}, (*bench).inFlight)}},
		Goals: []measure.Goal{
			{Contender: requesting.title(), Metric: rate, Work: "32 B", Ratio: true, Bound: 1.1},
			{Contender: narrow.title(), Metric: rate, Work: "32 B", Ratio: true, Bound: 1},
		},
	}
}

func parallel() measure.Group {
	works := works(setup{kind: manyConnections, conns: windowWidth}, []size{{"32 B", 32, 20_000}}, (*bench).manyConnections)
	wide := pooled(socket.PoolConfig{Connections: windowWidth})
	works[0].Contenders = append(works[0].Contenders, wide.contender(setup{kind: inFlight, size: 32, conns: 1}, (*bench).inFlight))
	return measure.Group{
		Title: fmt.Sprintf("%d connections", windowWidth),
		About: fmt.Sprintf(`Each connection has one request of 32 bytes in flight; requests per second of all connections. The Pool
has %d callers.`, windowWidth),
		Baseline: bare.title(),
		Metrics:  rateMetrics,
		Works:    works,
		Goals: []measure.Goal{
			{Contender: rxIPC.title(), Metric: rate, Work: "32 B", Ratio: true, Bound: 0.95},
			{Contender: wide.title(), Metric: rate, Work: "32 B", Ratio: true, Bound: 0.8},
		},
	}
}

func push() measure.Group {
	return measure.Group{
		Title: "One way",
		About: fmt.Sprintf(`Messages a second, each acknowledged. The clock stops at the last acknowledgement. The peer
chooses the number of unacknowledged messages; if its user has to choose, it is %d.`, pushWindow),
		Baseline: bare.title(),
		Metrics:  rateMetrics,
		Works: works(setup{kind: oneWay, job: job{Count: true}, conns: 1}, []size{
			{"32 B", 32, 200_000}, {"1 KiB", 1 << 10, 50_000}, {"64 KiB", 64 << 10, 3000}, {"1 MiB", 1 << 20, 200},
		}, (*bench).oneWay),
		Goals: []measure.Goal{
			{Contender: rxIPC.title(), Metric: rate, Work: "32 B", Bound: 8e6},
			{Contender: rxIPC.title(), Metric: rate, Work: "32 B", Ratio: true, Bound: 0.3},
			{Contender: rxIPC.title(), Metric: rate, Work: "1 KiB", Ratio: true, Bound: 0.65},
			{Contender: rxIPC.title(), Metric: rate, Work: "64 KiB", Ratio: true, Bound: 0.85},
			{Contender: rxIPC.title(), Metric: rate, Work: "1 MiB", Ratio: true, Bound: 0.9},
		},
	}
}

func published() measure.Group {
	return measure.Group{
		Title: "To many subscribers",
		About: fmt.Sprintf(`Deliveries of messages of 32 bytes a second. A hub publishes each message to %d subscribers, which
have a connection each and are all in one process. The reference is the same number of messages over
one connection, one way.`, subscribers),
		Baseline: rxIPC.title(),
		Metrics:  rateMetrics,
		Works: []measure.Work{{Name: "32 B", N: 200_000, QuickN: 10, Contenders: []measure.Contender{
			rxIPC.contender(setup{kind: oneWay, job: job{Count: true}, size: 32, conns: 1}, (*bench).oneWay),
			hub.contender(setup{kind: oneWay, size: 32, conns: 1}, (*bench).fanOut),
		}}},
		Goals: []measure.Goal{{Contender: hub.title(), Metric: rate, Work: "32 B", Ratio: true, Bound: 0.5}},
	}
}

func visits() measure.Group {
	return measure.Group{
		Title:    "Connect, request, close",
		About:    "Connect, make a request of 32 bytes and close, one after the other; repetitions per second.",
		Baseline: bare.title(),
		Metrics:  rateMetrics,
		Works:    works(setup{kind: reconnect}, []size{{"32 B", 32, 1000}}, (*bench).reconnect),
		Goals:    []measure.Goal{{Contender: rxIPC.title(), Metric: rate, Work: "32 B", Ratio: true, Bound: 0.5}},
	}
}

// idleConnections is the number of idle connections.
const idleConnections = 2000

func waiting() measure.Group {
	return measure.Group{
		Title: "A connection that waits",
		About: fmt.Sprintf(`The memory that the server needs for an idle connection, computed from its memory with and without
%d connections, after a garbage collection each time. Each connection made a request of 32 bytes three
seconds before. Heartbeats are on if the peer has them by default. Heap and stacks is the memory in
use according to Go, resident the memory of the process according to the system.`, idleConnections),
		Metrics: []measure.Metric{{Name: heap, Unit: measure.Bytes}, {Name: rss, Unit: measure.Bytes}},
		Works: []measure.Work{{Name: "idle", N: idleConnections, QuickN: 20, Whole: true, MaxRounds: 3,
			Contenders: contenders(peers, setup{kind: idle, size: 32}, (*bench).idle)}},
		Goals: []measure.Goal{{Contender: rxIPC.title(), Metric: heap, Work: "idle", Bound: 4 << 10}},
	}
}

func pipelines() measure.Group {
	work := measure.Work{Name: "32 B", N: 4000, QuickN: 10}
	for _, count := range []int{0, 10} {
		name := fmt.Sprintf("a pipeline of %d operators", count)
		work.Contenders = append(work.Contenders, pipelineOf(name, count, (*bench).oneByOne))
	}
	return measure.Group{
		Title:    "Operators in a server",
		About:    "Request and response of 32 bytes. The server is a pipeline with and without operators.",
		Baseline: work.Contenders[0].Name,
		Metrics:  []measure.Metric{{Name: p50, Unit: measure.Seconds}, {Name: serverCPU, Unit: measure.Seconds}, {Name: serverAllocations, Unit: measure.Count, NoRatio: true}},
		Works:    []measure.Work{work},
	}
}

// pipelineOf is a server with count operators and one connection to it.
func pipelineOf(name string, count int, run measurement) measure.Contender {
	c := pipeline.contender(setup{kind: oneByOne, job: job{Operators: count}, size: 32, conns: 1}, run)
	c.Name = name
	return c
}
