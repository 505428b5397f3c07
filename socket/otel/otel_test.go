package otel_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/embedded"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/otel"
)

// telemetry is an IPC in a folder of its own, with readers of its metrics and spans.
type telemetry struct {
	*socket.IPC
	config otel.Config // what observe was called with, and the providers
	reader *sdkmetric.ManualReader
	spans  *tracetest.InMemoryExporter
}

func observe(t testing.TB, config otel.Config) telemetry {
	t.Helper()
	o := telemetry{reader: sdkmetric.NewManualReader(), spans: tracetest.NewInMemoryExporter()}
	config.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(o.reader))
	config.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSyncer(o.spans))
	o.config = config
	hooks, err := otel.Hooks(config)
	succeeds(t, "make hooks", err)
	dir, err := os.MkdirTemp("", "rxipc")
	succeeds(t, "make a folder for sockets", err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	o.IPC = socket.New(socket.Config{Dir: dir, Hooks: hooks})
	return o
}

// succeeds ends the test if an action failed.
func succeeds(t testing.TB, action string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: got %v, want no error", action, err)
	}
}

// connect connects a client to echoName.
func (o telemetry) connect(t testing.TB) *socket.Process {
	t.Helper()
	process, err := o.ConnectTo(t.Context(), echoName).Get()
	succeeds(t, "connect to echo", err)
	return process
}

// metrics returns the points of all metrics, one line each: the name, the values of the
// attributes, the value (of durations their number), and the unit.
func (o telemetry) metrics(t testing.TB) (lines []string) {
	t.Helper()
	var all metricdata.ResourceMetrics
	succeeds(t, "collect metrics", o.reader.Collect(t.Context(), &all))
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					lines = append(lines, fmt.Sprint(m.Name, " ", words(p.Attributes), " ", p.Value, " ", m.Unit))
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					lines = append(lines, fmt.Sprint(m.Name, " ", words(p.Attributes), " ", p.Count, " in ", m.Unit))
				}
			default:
				t.Errorf("metric %s: got a %T, want a sum or a histogram", m.Name, m.Data)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// words returns the values of the attributes, without those that all points have.
func words(set attribute.Set) (all []string) {
	for _, a := range set.ToSlice() {
		if a.Key != "messaging.system" && a.Key != "messaging.operation.type" {
			all = append(all, a.Value.Emit())
		}
	}
	return all
}

func same(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// serve runs a server until the context of the test ends. The function that it returns ends
// the server and waits until it has ended.
func (o telemetry) serve(t testing.TB, name socket.Name, handle socket.Handler[int]) (end func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		socket.Serve(o.IPC, name, fold.Sum[int]()).With(ctx, handle)
	}()
	return func() {
		cancel()
		<-ended
	}
}

func echo(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
	if m.Content() == "boom" {
		panic(errors.New("out of paper"))
	}
	return c.Respond(socket.Text("echo: " + m.Content())).CarryWith(count + 1)
}

var echoName = socket.MustParseName("echo")

func TestMetricsOfAServerAndItsClient(t *testing.T) {
	o := observe(t, otel.Config{Attributes: []attribute.KeyValue{attribute.String("zone", "test")}})
	end := o.serve(t, echoName, echo)
	process := o.connect(t)
	succeeds(t, "send two messages", process.Send(t.Context(), socket.Text("one"), socket.Text("three")).Err())
	succeeds(t, "wait for a response", process.Wait(t.Context()).Err())
	same(t, without(o.metrics(t), "rxipc.unread", "rxipc.messages.unread"),
		"messaging.client.consumed.messages [echo receive client test] 2 {message}",
		"messaging.client.consumed.messages [echo receive server test] 2 {message}",
		"messaging.client.operation.duration [echo send client test] 2 in s",
		"messaging.client.sent.messages [echo send client test] 2 {message}",
		"messaging.process.duration [echo process server test] 2 in s",
		"rxipc.connections [echo client test] 1 {connection}",
		"rxipc.connections [echo server test] 1 {connection}",
		"rxipc.io [echo receive client test] 20 By",
		"rxipc.io [echo receive server test] 8 By",
		"rxipc.io [echo transmit client test] 8 By",
		"rxipc.io [echo transmit server test] 20 By",
		"rxipc.messages.held [echo server test] 0 {message}",
		"rxipc.messages.in_flight [echo client test] 0 {message}",
	)
	succeeds(t, "close the connection", process.Close(t.Context()).Err())
	end()
	same(t, only(o.metrics(t), "rxipc.connection"),
		"rxipc.connection.duration [echo closed server test] 1 in s",
		"rxipc.connections [echo client test] 0 {connection}",
		"rxipc.connections [echo server test] 0 {connection}",
	)
}

func TestMetricsHaveTheReasonOfAFailure(t *testing.T) {
	o := observe(t, otel.Config{})
	end := o.serve(t, echoName, echo)
	process := o.connect(t)
	if err := process.Send(t.Context(), socket.Text("boom")).Err(); !errors.Is(err, socket.ErrDisconnected) {
		t.Fatalf("send a message whose handler panics: got %v, want socket.ErrDisconnected", err)
	}
	end()
	same(t, only(o.metrics(t), "messaging.client.operation.duration", "messaging.process.duration", "rxipc.connection.duration"),
		"messaging.client.operation.duration [panic echo send client] 1 in s",
		"messaging.process.duration [panic echo process server] 1 in s",
		"rxipc.connection.duration [echo panic server] 1 in s",
	)
}

func TestMetricsCountRefusedConnections(t *testing.T) {
	o := telemetry{reader: sdkmetric.NewManualReader()}
	hooks, err := otel.Hooks(otel.Config{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(o.reader))})
	succeeds(t, "make hooks", err)
	hooks.Refused(socket.Refusal{Name: "echo", Err: fs.ErrPermission})
	same(t, o.metrics(t), "rxipc.connections.refused [echo not_allowed server] 1 {connection}")
}

func TestMetricsOfQueues(t *testing.T) {
	o := observe(t, otel.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	held := make(chan *socket.Held, 9)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		socket.Exchanges(o.Listen(echoName)).ForEach(ctx, func(x socket.Exchange) {
			x.Connection().Send(ctx, socket.Text("1234"))
			held <- x.Hold()
		})
	}()
	process := o.connect(t)
	sent := make(chan error, 1)
	go func() { sent <- process.Send(t.Context(), socket.Text("one")).Err() }()
	h := <-held
	if first, err := process.Wait(t.Context()).Get(); err != nil || first != socket.Text("1234") {
		t.Fatalf("wait for a pushed message: got %v, %v, want 1234", first, err)
	}
	same(t, only(o.metrics(t), "rxipc.messages"),
		"rxipc.messages.held [echo server] 1 {message}",
		"rxipc.messages.in_flight [echo client] 1 {message}",
		"rxipc.messages.unread [echo client] 0 {message}",
	)
	succeeds(t, "answer the held message", h.Respond(t.Context()))
	succeeds(t, "send the held message", <-sent)
	same(t, only(o.metrics(t), "rxipc.messages", "messaging.process", "messaging.client.sent"),
		"messaging.client.sent.messages [echo push server] 1 {message}",
		"messaging.client.sent.messages [echo send client] 1 {message}",
		"messaging.process.duration [echo process server] 1 in s",
		"rxipc.messages.held [echo server] 0 {message}",
		"rxipc.messages.in_flight [echo client] 0 {message}",
		"rxipc.messages.unread [echo client] 0 {message}",
	)
	process.Close(t.Context())
	cancel()
	<-ended
}

func only(lines []string, prefixes ...string) []string {
	return slices.DeleteFunc(lines, func(line string) bool { return !begins(line, prefixes) })
}

func without(lines []string, prefixes ...string) []string {
	return slices.DeleteFunc(lines, func(line string) bool { return begins(line, prefixes) })
}

func begins(line string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(line, p) })
}

func TestSpansOfAServerAndItsClient(t *testing.T) {
	o := observe(t, otel.Config{})
	end := o.serve(t, echoName, echo)
	process := o.connect(t)
	process.Send(t.Context(), socket.Text("one"))
	process.Send(t.Context(), socket.Text("boom"))
	end()
	spans := o.spans.GetSpans()
	var lines []string
	for _, s := range spans {
		lines = append(lines, fmt.Sprint(s.Name, " ", s.SpanKind, " ", s.Status.Code, " ", s.Status.Description))
		if s.EndTime.Before(s.StartTime) || s.Parent.IsValid() {
			t.Errorf("span %s: begins %v, ends %v, parent %v, want an end after the beginning and no parent", s.Name, s.StartTime, s.EndTime, s.Parent)
		}
	}
	slices.Sort(lines)
	same(t, lines, "process echo consumer Error panic", "process echo consumer Unset ", "send echo client Error panic", "send echo client Unset ")

	for _, s := range spans {
		if s.SpanKind == trace.SpanKindConsumer {
			checkProcessSpan(t, s)
		}
	}
}

// checkProcessSpan checks the attributes of the span of a message that echo has handled.
func checkProcessSpan(t *testing.T, s tracetest.SpanStub) {
	t.Helper()
	set := attribute.NewSet(s.Attributes...)
	if id, ok := set.Value("rxipc.connection"); !ok || id.AsInt64() == 0 {
		t.Errorf("span %s has the attributes %v, want rxipc.connection among them", s.Name, s.Attributes)
	}
	if s.Status.Code == codes.Error {
		event := attribute.NewSet(s.Events[0].Attributes...)
		if stack, _ := event.Value("exception.stacktrace"); !strings.Contains(stack.AsString(), "otel_test.echo") {
			t.Errorf("span of a panic: got the stack %q, want one with otel_test.echo", stack.AsString())
		}
		return
	}
	if uid, known := set.Value("rxipc.peer.uid"); known && uid.AsInt64() != int64(os.Getuid()) {
		t.Errorf("span %s: rxipc.peer.uid is %d, want %d", s.Name, uid.AsInt64(), os.Getuid())
	}
	if size, _ := set.Value("messaging.message.body.size"); size.AsInt64() != 3 {
		t.Errorf("span %s: messaging.message.body.size is %d, want 3", s.Name, size.AsInt64())
	}
	if n, _ := set.Value("rxipc.responses"); n.AsInt64() != 1 {
		t.Errorf("span %s: rxipc.responses is %d, want 1", s.Name, n.AsInt64())
	}
}

func TestSpanHasTheParentThatConfigFinds(t *testing.T) {
	sender := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1, 2, 3}, SpanID: trace.SpanID{4, 5}})
	o := observe(t, otel.Config{Parent: func(m socket.Message) trace.SpanContext {
		id, err := hex.DecodeString(m.Content())
		if err != nil || len(id) != 24 {
			return trace.SpanContext{}
		}
		return trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID(id[:16]), SpanID: trace.SpanID(id[16:]), TraceFlags: trace.FlagsSampled})
	}})
	end := o.serve(t, echoName, echo)
	process := o.connect(t)
	id, span := sender.TraceID(), sender.SpanID()
	process.Send(t.Context(), socket.Text(hex.EncodeToString(id[:])+hex.EncodeToString(span[:])), socket.Text("no parent"))
	end()
	children := 0
	for _, s := range o.spans.GetSpans() {
		if s.Parent.SpanID() == span && s.SpanContext.TraceID() == id && s.Parent.IsRemote() {
			children++
		}
	}
	if children != 1 {
		t.Errorf("handle a message with a parent and one without: got %d child spans, want 1, in %v", children, o.spans.GetSpans())
	}
}

func TestHooksUseTheGlobalProvidersByDefault(t *testing.T) {
	hooks, err := otel.Hooks(otel.Config{})
	if err != nil || hooks.Handled == nil {
		t.Errorf("hooks of the zero Config: got %v and Handled set: %v, want hooks", err, hooks.Handled != nil)
	}
}

// refusing is a provider whose meters fail to make histograms.
type refusing struct{ embedded.MeterProvider }

type refusingMeter struct{ noop.Meter }

func (refusing) Meter(string, ...metric.MeterOption) metric.Meter { return refusingMeter{} }

var errRefused = errors.New("refused")

func (refusingMeter) Float64Histogram(string, ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return noop.Float64Histogram{}, errRefused
}

func TestHooksFailsWhenAnInstrumentCannotBeMade(t *testing.T) {
	if _, err := otel.Hooks(otel.Config{MeterProvider: refusing{}}); !errors.Is(err, errRefused) {
		t.Errorf("hooks of a provider that makes no histograms: got %v, want %v", err, errRefused)
	}
}
