package otel_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/otel"
	"github.com/rxipc/rxipc/socket/rpc"
)

var greet = rpc.NewMethod[string, string]("greet")

// typed is a server of greet and a client, both observed by one telemetry.
type typed struct {
	telemetry
	tracer trace.Tracer
	caller rpc.Caller
	end    func()   // ends client and server
	sent   []string // media types of the requests as the server sees them
}

// serveGreet serves greet until end is called. The handler gets the context with the span.
func serveGreet(t *testing.T, config otel.Config, handler func(context.Context, string) (string, error)) *typed {
	t.Helper()
	o := &typed{telemetry: observe(t, config)}
	o.tracer = o.config.TracerProvider.Tracer("test")
	ofServer, err := otel.ServerMiddleware(o.config)
	succeeds(t, "make the server's middleware", err)
	ofClient, err := otel.ClientMiddleware(o.config)
	succeeds(t, "make the client's middleware", err)
	see := func(ctx context.Context, call rpc.Call, next rpc.Next) (socket.Message, error) {
		o.sent = append(o.sent, call.Message.MediaType().String())
		return next(ctx, call)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- rpc.NewServer(rpc.Handle(greet, handler)).Use(see, ofServer).Serve(ctx, o.IPC, echoName)
	}()
	process := o.connect(t)
	o.caller = rpc.Use(process, ofClient)
	o.end = func() {
		process.Close(ctx)
		stop()
		<-ended
	}
	return o
}

// span returns the only span of a name and a kind.
func (o *typed) span(t *testing.T, name string, kind trace.SpanKind) (found tracetest.SpanStub) {
	t.Helper()
	n := 0
	for _, s := range o.spans.GetSpans() {
		if s.Name == name && s.SpanKind == kind {
			found = s
			n++
		}
	}
	if n != 1 {
		t.Errorf("got %d spans %s of kind %s, want 1", n, name, kind)
	}
	return found
}

func childOf(t *testing.T, child, parent tracetest.SpanStub) {
	t.Helper()
	if !child.Parent.IsValid() || child.Parent.SpanID() != parent.SpanContext.SpanID() || child.SpanContext.TraceID() != parent.SpanContext.TraceID() {
		t.Errorf("the span %s (%s) has the parent %v, want %s (%s) %v", child.Name, child.SpanKind, child.Parent, parent.Name, parent.SpanKind, parent.SpanContext)
	}
}

func TestMiddlewareLinksSpansOfServerAndClient(t *testing.T) {
	var o *typed
	o = serveGreet(t, otel.Config{}, func(ctx context.Context, who string) (string, error) {
		_, inner := o.tracer.Start(ctx, "inner")
		inner.End()
		return "hello " + who, nil
	})
	ctx, outer := o.tracer.Start(t.Context(), "outer")
	got, err := greet.Call(ctx, o.caller, "Ada")
	outer.End()
	o.end()
	if got != "hello Ada" || err != nil {
		t.Fatalf("call greet: got %q, %v, want hello Ada", got, err)
	}
	client, server := o.span(t, "greet", trace.SpanKindClient), o.span(t, "greet", trace.SpanKindServer)
	childOf(t, client, o.span(t, "outer", trace.SpanKindInternal))
	childOf(t, server, client)
	childOf(t, o.span(t, "inner", trace.SpanKindInternal), server)
	childOf(t, o.span(t, "process echo", trace.SpanKindConsumer), client) // of the hooks
	if !server.Parent.IsRemote() {
		t.Errorf("the parent of the server's span is %v, want a remote one", server.Parent)
	}
	sc := client.SpanContext
	if want := []string{"application/json; method=greet, traceparent=00-" + sc.TraceID().String() + "-" + sc.SpanID().String() + "-01"}; !slices.Equal(o.sent, want) {
		t.Errorf("the server got the media types %q, want %q", o.sent, want)
	}
}

func TestMiddlewareCarriesWhatThePropagatorWrites(t *testing.T) {
	got := make(chan string, 1)
	both := propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	o := serveGreet(t, otel.Config{Propagator: both}, func(ctx context.Context, _ string) (string, error) {
		got <- baggage.FromContext(ctx).Member("user").Value() + " " + trace.SpanContextFromContext(ctx).TraceState().String()
		return "", nil
	})
	member, err := baggage.NewMemberRaw("user", "é, =;")
	succeeds(t, "make a member", err)
	bag, err := baggage.New(member)
	succeeds(t, "make baggage", err)
	state, err := trace.ParseTraceState("vendor=a@b:c/d,other=e")
	succeeds(t, "parse a trace state", err)
	ctx := baggage.ContextWithBaggage(t.Context(), bag)
	ctx = trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, TraceState: state,
	}))
	_, err = greet.Call(ctx, o.caller, "Ada")
	o.end()
	succeeds(t, "call greet", err)
	if got, want := <-got, "é, =; vendor=a@b:c/d,other=e"; got != want {
		t.Errorf("the handler's context has baggage and trace state %q, want %q", got, want)
	}
}

func TestMiddlewareRecordsFailures(t *testing.T) {
	problem := &rpc.Problem{Type: "https://example.com/nobody"}
	o := serveGreet(t, otel.Config{}, func(_ context.Context, who string) (string, error) {
		switch who {
		case "":
			return "", problem
		case "boom":
			panic(errors.New("out of paper"))
		}
		return "hello", nil
	})
	for _, who := range []string{"Ada", "", "boom"} {
		_, _ = greet.Call(t.Context(), o.caller, who) // the spans have the errors
	}
	o.end()
	same(t, only(o.metrics(t), "rpc."),
		"rpc.client.call.duration [greet rxipc method] 1 in s",
		"rpc.client.call.duration [https://example.com/nobody greet rxipc method] 1 in s",
		"rpc.client.call.duration [https://github.com/rxipc/rxipc/blob/main/PROTOCOL.md#problem-panicked greet rxipc method] 1 in s",
		"rpc.server.call.duration [greet rxipc method] 1 in s",
		"rpc.server.call.duration [https://example.com/nobody greet rxipc method] 1 in s",
		"rpc.server.call.duration [panic greet rxipc method] 1 in s",
	)
	failed := 0
	for _, s := range o.spans.GetSpans() {
		if s.Name == "greet" && s.Status.Code == codes.Error {
			failed++
		}
	}
	if failed != 4 {
		t.Errorf("two calls failed on both sides: got %d spans with an error, want 4", failed)
	}
	checkStack(t, o.spans.GetSpans())
}

// checkStack checks that a server's span has the stack of the handler that panicked.
func checkStack(t *testing.T, spans tracetest.SpanStubs) {
	t.Helper()
	for _, s := range spans {
		for _, event := range s.Events {
			set := attribute.NewSet(event.Attributes...)
			if stack, ok := set.Value("exception.stacktrace"); ok && s.SpanKind == trace.SpanKindServer && strings.Contains(stack.AsString(), "rpc_test.go") {
				return
			}
		}
	}
	t.Error("no span of the server has the stack of a handler that panicked, want one")
}

func TestMiddlewareWithoutMethod(t *testing.T) {
	o := observe(t, otel.Config{})
	end := o.serve(t, echoName, echo)
	middleware, err := otel.ClientMiddleware(o.config)
	succeeds(t, "make the client's middleware", err)
	process := o.connect(t)
	answer, err := rpc.Use(process, middleware).Request(t.Context(), socket.Text("one")).Get()
	process.Close(t.Context())
	end()
	if err != nil || answer != socket.Text("echo: one") {
		t.Fatalf("request one: got %v, %v, want echo: one", answer, err)
	}
	all := &typed{telemetry: o}
	childOf(t, all.span(t, "process echo", trace.SpanKindConsumer), all.span(t, "request", trace.SpanKindClient))
}

func TestMiddlewareFailsWithTheMeterProvider(t *testing.T) {
	_, ofClient := otel.ClientMiddleware(otel.Config{MeterProvider: refusing{}})
	_, ofServer := otel.ServerMiddleware(otel.Config{MeterProvider: refusing{}})
	if !errors.Is(ofClient, errRefused) || !errors.Is(ofServer, errRefused) {
		t.Errorf("make middleware with a provider that refuses: got %v and %v, want %v", ofClient, ofServer, errRefused)
	}
}
