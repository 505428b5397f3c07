package otel_test

import (
	"context"
	"fmt"
	"os"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/otel"
)

// The hooks record how long a server takes to handle messages, and a span for each message.
// A program uses providers that export to a collector.
func ExampleHooks() {
	reader := sdkmetric.NewManualReader()
	exported := tracetest.NewInMemoryExporter()
	hooks, err := otel.Hooks(otel.Config{
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(exported)),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	server := socket.New(socket.Config{Dir: dir, Hooks: hooks})
	client := socket.New(socket.Config{Dir: dir})

	ctx := context.Background()
	name := socket.MustParseName("greeter")
	go func() {
		fold.Then(client.ConnectTo(ctx, name), socket.Closing(ctx, socket.Send(ctx, socket.Text("Ada"), socket.Text("Alan"))))
	}()
	socket.Serve(server, name, fold.Sum[int]()).
		With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			if count == 1 {
				return c.Stop()
			}
			return c.Respond(socket.Text("hello " + m.Content())).CarryWith(count + 1)
		})

	var metrics metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &metrics); err != nil {
		fmt.Println(err)
	}
	for _, m := range metrics.ScopeMetrics[0].Metrics {
		if handled, ok := m.Data.(metricdata.Histogram[float64]); ok && m.Name == "messaging.process.duration" {
			fmt.Println(m.Name, handled.DataPoints[0].Count, "messages, in", m.Unit)
		}
	}
	for _, span := range exported.GetSpans() {
		fmt.Println(span.Name, "of kind", span.SpanKind)
	}
	// Output:
	// messaging.process.duration 2 messages, in s
	// process greeter of kind consumer
	// process greeter of kind consumer
}
