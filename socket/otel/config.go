package otel

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
)

// scope is the name of the instrumentation scope.
const scope = "github.com/rxipc/rxipc/socket/otel"

// Config configures the destination of metrics and spans. The zero Config is ready for use.
type Config struct {
	// MeterProvider makes the metrics, by default otel.GetMeterProvider().
	MeterProvider metric.MeterProvider

	// TracerProvider makes the spans, by default otel.GetTracerProvider().
	TracerProvider trace.TracerProvider

	// Parent returns the span that caused a message. The span of handling the message becomes its
	// child. If the span context is not valid, the handling is a trace of its own. By default it is
	// what Propagator finds in the media type. A sender without [ClientMiddleware] can put it into
	// the content, for instance.
	Parent func(socket.Message) trace.SpanContext

	// Propagator reads and writes the parameters of media types that carry the identity of a span,
	// by default propagation.TraceContext: traceparent and tracestate. Baggage travels with
	// propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}).
	Propagator propagation.TextMapPropagator

	// Attributes are added to all metrics and spans. Each attribute costs memory and
	// bandwidth in every point.
	Attributes []attribute.KeyValue
}

// Hooks returns hooks for [socket.Config]. Several servers and clients may share them.
// Hooks fails when MeterProvider fails to make an instrument.
func Hooks(config Config) (socket.Hooks, error) {
	config = config.withDefaults()
	meters, err := newMeters(config)
	if err != nil {
		return socket.Hooks{}, err
	}
	return meters.hooks(newTracer(config)), nil
}

func (config Config) withDefaults() Config {
	if config.MeterProvider == nil {
		config.MeterProvider = otel.GetMeterProvider()
	}
	if config.TracerProvider == nil {
		config.TracerProvider = otel.GetTracerProvider()
	}
	if config.Propagator == nil {
		config.Propagator = propagation.TraceContext{}
	}
	if config.Parent == nil {
		config.Parent = func(m socket.Message) trace.SpanContext {
			ctx := config.Propagator.Extract(context.Background(), carrier{&rpc.Call{Message: m}})
			return trace.SpanContextFromContext(ctx)
		}
	}
	return config
}

// making collects the errors of making instruments.
type making struct{ err error }

func made[T any](m *making, instrument T, err error) T {
	m.err = errors.Join(m.err, err)
	return instrument
}
