package otel

import (
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/rxipc/rxipc/socket"
)

// scope is the name of the instrumentation scope.
const scope = "github.com/rxipc/rxipc/socket/otel"

// Config configures the destination of metrics and spans. The zero Config is ready for use.
type Config struct {
	// MeterProvider makes the metrics, by default otel.GetMeterProvider().
	MeterProvider metric.MeterProvider

	// TracerProvider makes the spans, by default otel.GetTracerProvider().
	TracerProvider trace.TracerProvider

	// Parent returns the span that caused a message, read from the message's content if
	// the sender has put it there. The span of handling the message becomes its child.
	// Without Parent, and if the span context is not valid, each handling is a trace of
	// its own.
	Parent func(socket.Message) trace.SpanContext

	// Attributes are added to all metrics and spans. Each attribute costs memory and
	// bandwidth in every point.
	Attributes []attribute.KeyValue
}

// Hooks returns hooks for [socket.Config]. Several servers and clients may share them.
// Hooks fails when MeterProvider fails to make an instrument.
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

// making collects the errors of making instruments.
type making struct{ err error }

func made[T any](m *making, instrument T, err error) T {
	m.err = errors.Join(m.err, err)
	return instrument
}
