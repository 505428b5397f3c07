package otel_test

import (
	"os"
	"testing"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/otel"
)

// BenchmarkRequest measures a request and its response. Client and server are in one
// process, so both are observed: without hooks, with metrics only, and with spans that are
// sampled and dropped.
func BenchmarkRequest(b *testing.B) {
	discard := sdktrace.WithSyncer(tracetest.NewNoopExporter())
	for name, config := range map[string]*otel.Config{
		"none":    nil,
		"metrics": {TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))},
		"traces":  {TracerProvider: sdktrace.NewTracerProvider(discard)},
	} {
		b.Run(name, func(b *testing.B) {
			var hooks socket.Hooks
			if config != nil {
				config.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
				var err error
				hooks, err = otel.Hooks(*config)
				succeeds(b, "make hooks", err)
			}
			dir, err := os.MkdirTemp("", "rxipc")
			succeeds(b, "make a folder for sockets", err)
			defer os.RemoveAll(dir)
			o := telemetry{IPC: socket.New(socket.Config{Dir: dir, Hooks: hooks})}
			defer o.serve(b, echoName, echo)()
			process := o.connect(b)
			defer process.Close(b.Context())
			b.ReportAllocs()
			for b.Loop() {
				succeeds(b, "request", process.Request(b.Context(), socket.Text("request")).Err())
			}
		})
	}
}
