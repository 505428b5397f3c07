package otel

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
)

// rpcSystem is the value of rpc.system.name.
const rpcSystem = "rxipc"

// ClientMiddleware returns a middleware for [rpc.Use]. Each call gets a span of kind client, and is
// counted in the metric rpc.client.call.duration. The identity of the span travels with the
// request, as a parameter of its media type: traceparent, as W3C Trace Context has it, unless
// Config.Propagator says otherwise.
//
// ClientMiddleware fails when MeterProvider fails to make an instrument.
func ClientMiddleware(config Config) (rpc.Middleware, error) {
	calls, err := newCalls(config, "client", "From when a request was made until its response was received.")
	return func(ctx context.Context, call rpc.Call, next rpc.Next) (socket.Message, error) {
		ctx, end := calls.begin(ctx, call, trace.SpanKindClient)
		calls.Propagator.Inject(ctx, carrier{&call})
		response, err := next(ctx, call)
		end(err)
		return response, err
	}, err
}

// ServerMiddleware returns a middleware for the Use of an [rpc.Server]. Each call gets a span of
// kind server, which is in the context of the handler. Its parent is the span that the request
// names, the one of the client's [ClientMiddleware]. The metric is rpc.server.call.duration.
//
// ServerMiddleware fails when MeterProvider fails to make an instrument.
func ServerMiddleware(config Config) (rpc.Middleware, error) {
	calls, err := newCalls(config, "server", "From when a request was received until its handler returned.")
	return func(ctx context.Context, call rpc.Call, next rpc.Next) (socket.Message, error) {
		ctx, end := calls.begin(calls.Propagator.Extract(ctx, carrier{&call}), call, trace.SpanKindServer)
		response, err := next(ctx, call)
		end(err)
		return response, err
	}, err
}

// calls makes the spans and the metric of the calls of one side.
type calls struct {
	Config
	tracer   trace.Tracer
	duration metric.Float64Histogram
}

func newCalls(config Config, side, description string) (*calls, error) {
	config = config.withDefaults()
	duration, err := config.MeterProvider.Meter(scope).Float64Histogram("rpc."+side+".call.duration", metric.WithUnit("s"),
		metric.WithDescription(description), metric.WithExplicitBucketBoundaries(buckets...))
	return &calls{config, config.TracerProvider.Tracer(scope), duration}, err
}

// begin starts the span of a call. The function that it returns ends it.
func (c *calls) begin(ctx context.Context, call rpc.Call, kind trace.SpanKind) (context.Context, func(error)) {
	attributes := append([]attribute.KeyValue{
		semconv.RPCSystemNameKey.String(rpcSystem),
		semconv.RPCMethod(call.Method),
		attribute.String("rxipc.rpc.kind", string(call.Kind)),
	}, c.Attributes...)
	start := time.Now()
	ctx, span := c.tracer.Start(ctx, cmp.Or(call.Method, "request"), trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
	return ctx, func(err error) {
		if err != nil {
			failed := semconv.ErrorTypeKey.String(errorType(err))
			attributes = append(attributes, failed)
			span.SetAttributes(failed)
			fail(span, err, time.Now())
		}
		span.End()
		c.duration.Record(ctx, seconds(time.Since(start)), metric.WithAttributes(attributes...))
	}
}

// errorType returns the type of a problem, or else the Reason of an error.
func errorType(err error) string {
	if problem, ok := errors.AsType[*rpc.Problem](err); ok && problem.Type != "" {
		return problem.Type
	}
	return socket.Reason(err)
}

// carrier has the identity of a span as parameters of the media type of a call. A character that a
// media type does not allow is escaped as in a URL. So traceparent travels as it is.
type carrier struct{ *rpc.Call }

// Get returns the value of a parameter, empty if there is none.
func (c carrier) Get(key string) string {
	escaped, _ := c.Parameter(key)
	value, err := url.QueryUnescape(escaped)
	if err != nil {
		return escaped
	}
	return value
}

// Set adds a parameter. It leaves out one whose name a media type does not allow.
func (c carrier) Set(key, value string) {
	if changed, err := c.With(key, url.QueryEscape(value)); err == nil {
		*c.Call = changed
	}
}

// Keys returns the names of the parameters.
func (c carrier) Keys() (keys []string) {
	for name := range c.Message.MediaType().Parameters() {
		keys = append(keys, name)
	}
	return keys
}
