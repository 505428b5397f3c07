package otel

import (
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/rxipc/rxipc/socket"
)

// scope is the name of the instrumentation.
const scope = "github.com/rxipc/rxipc/socket/otel"

// Config says where metrics and spans go. The zero Config is ready for use.
type Config struct {
	// MeterProvider gets the metrics; default otel.GetMeterProvider().
	MeterProvider metric.MeterProvider

	// TracerProvider gets the spans; default otel.GetTracerProvider().
	TracerProvider trace.TracerProvider

	// Parent finds the span that caused a message in its content, if whoever sent it
	// put it there; the span of its handling is then that one's child. Default: none,
	// and each handling is a trace of its own. A span context that is not valid is none.
	Parent func(socket.Message) trace.SpanContext

	// Attributes are added to all metrics and spans. There should be few of them.
	Attributes []attribute.KeyValue
}

// Hooks makes hooks, which may be those of several servers and clients: put them into
// [socket.Config]. They fail when the provider of meters refuses an instrument.
func Hooks(config Config) (socket.Hooks, error) {
	if config.MeterProvider == nil {
		config.MeterProvider = otel.GetMeterProvider()
	}
	if config.TracerProvider == nil {
		config.TracerProvider = otel.GetTracerProvider()
	}
	meters, err := newMeters(config)
	if err != nil {
		return socket.Hooks{}, err
	}
	return meters.hooks(newTracer(config)), nil
}

// make collects the errors of making instruments.
type making struct{ err error }

func made[T any](m *making, instrument T, err error) T {
	m.err = errors.Join(m.err, err)
	return instrument
}
