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

// BenchmarkRequest is a request and its response within one process, so both sides
// count, with nothing told, with metrics alone, and with spans that are sampled and
// thrown away.
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
				if hooks, err = otel.Hooks(*config); err != nil {
					b.Fatal(err)
				}
			}
			dir, err := os.MkdirTemp("", "rxipc")
			if err != nil {
				b.Fatal(err)
			}
			defer os.RemoveAll(dir)
			o := telemetry{IPC: socket.New(socket.Config{Dir: dir, Hooks: hooks})}
			defer o.serve(b, echoName, echo)()
			process, err := o.ConnectTo(b.Context(), echoName).Get()
			if err != nil {
				b.Fatal(err)
			}
			defer process.Close(b.Context())
			b.ReportAllocs()
			for b.Loop() {
				if err := process.Request(b.Context(), socket.Text("request")).Err(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
