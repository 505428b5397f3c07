package otel

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// tracer makes spans of operations that have ended.
type tracer struct {
	tracer trace.Tracer
	parent func(socket.Message) trace.SpanContext
	extra  []attribute.KeyValue
}

func newTracer(config Config) *tracer {
	return &tracer{config.TracerProvider.Tracer(scope), config.Parent, config.Attributes}
}

// handled makes the span of a message that a server has handled.
func (t *tracer) handled(h socket.Handling) {
	ctx := trace.ContextWithRemoteSpanContext(context.Background(), t.parent(h.Message))
	t.span(ctx, trace.SpanKindConsumer, label{name: h.Connection.Name(), role: roleServer, operation: opProcess}, h.Start, h.Duration, h.Err,
		append(ends(h.Connection.ID(), h.Connection.Peer()),
			semconv.MessagingMessageBodySize(h.Message.Len()),
			attribute.Int("rxipc.responses", h.Responses),
		)...)
}

// sent makes the span of a message that a client has sent. Its kind is client and not
// producer, because the message does not carry the span's context.
func (t *tracer) sent(d socket.Delivery) {
	t.span(context.Background(), trace.SpanKindClient, label{name: d.Process.Name().String(), role: roleClient, operation: opSend}, d.Start, d.Duration, d.Err,
		append(ends(d.Process.ID(), d.Process.Peer()),
			semconv.MessagingMessageBodySize(d.Bytes),
		)...)
}

// ends returns the attributes that identify the connection and its peer.
func ends(id uint64, peer fold.Maybe[socket.Peer]) []attribute.KeyValue {
	all := []attribute.KeyValue{attribute.Int64("rxipc.connection", int64(id))}
	if peer, known := peer.Get(); known && len(peer.Names) > 0 {
		all = append(all, attribute.StringSlice("rxipc.peer.names", peer.Names))
	} else if known {
		all = append(all, attribute.Int("rxipc.peer.pid", peer.PID), attribute.Int("rxipc.peer.uid", peer.UID))
	}
	return all
}

func (t *tracer) span(ctx context.Context, kind trace.SpanKind, l label, start time.Time, duration time.Duration, err error, more ...attribute.KeyValue) {
	l.reason = failure(err)
	attributes := append(append(l.attributes(), t.extra...), more...)
	_, span := t.tracer.Start(ctx, l.operation+" "+l.name,
		trace.WithTimestamp(start), trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
	if err != nil {
		fail(span, err, start.Add(duration))
	}
	span.End(trace.WithTimestamp(start.Add(duration)))
}

// fail records the error of an operation in its span, with the stack of a panic.
func fail(span trace.Span, err error, when time.Time) {
	span.SetStatus(codes.Error, socket.Reason(err))
	var p *stream.PanicError
	if errors.As(err, &p) {
		span.RecordError(err, trace.WithTimestamp(when), trace.WithAttributes(semconv.ExceptionStacktrace(string(p.Stack))))
		return
	}
	span.RecordError(err, trace.WithTimestamp(when))
}
