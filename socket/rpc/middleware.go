package rpc

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// Kind is what a method is: a call with one response, a stream of answers, or a notification.
type Kind string

// The kinds of methods. Each is the name of the parameter of a media type that has the method.
const (
	KindCall   Kind = "method"
	KindStream Kind = "stream"
	KindNotice Kind = "notice"
)

// Call is what a Middleware sees of a call, on either side.
type Call struct {
	Method  string         // its name
	Kind    Kind           // what the method is
	Message socket.Message // the request as it travels; its media type has the parameters
}

// Parameter returns a parameter of the request's media type, such as traceparent, and whether
// there is one.
func (c Call) Parameter(name string) (value string, ok bool) {
	return c.Message.MediaType().Parameter(name)
}

// With returns the call with a further parameter. It fails with [socket.ErrInvalid] if the
// grammar of a media type does not allow the name or the value, see [socket.MediaType].
func (c Call) With(name, value string) (Call, error) {
	mediaType, err := withParameter(c.Message.MediaType(), name, value)
	if err != nil {
		return c, err
	}
	c.Message = socket.NewMessage(mediaType, c.Message.Content())
	return c, nil
}

// Next is the rest of a call: on the server the handler, on the client the request. The response
// is the message that travels. It is the zero Message for a notification, and for a stream of
// answers, for which Next returns when the stream has ended.
type Next func(ctx context.Context, call Call) (response socket.Message, err error)

// Middleware is a function around calls and around handlers, for logs, times, traces or access
// checks. It calls next, mostly once, with the context and the call that the rest is to have. On the server
// an error is that of the handler, and so is a panic, as a [*stream.PanicError]. On the client
// it is the [*Problem] that the server answered with, or that of the request.
//
//	func timed(ctx context.Context, call rpc.Call, next rpc.Next) (socket.Message, error) {
//		start := time.Now()
//		response, err := next(ctx, call)
//		slog.Info("called", "method", call.Method, "took", time.Since(start), "error", err)
//		return response, err
//	}
type Middleware func(ctx context.Context, call Call, next Next) (response socket.Message, err error)

// around returns next with middleware around it, the first one outermost.
func around(middleware []Middleware, next Next) Next {
	for i := len(middleware) - 1; i >= 0; i-- {
		one, inner := middleware[i], next
		next = func(ctx context.Context, call Call) (socket.Message, error) { return one(ctx, call, inner) }
	}
	return next
}

// Caller makes requests: a [*socket.Process], a [*socket.Pool], or one with middleware from [Use].
type Caller interface {
	Request(ctx context.Context, m socket.Message) fold.Attempt[socket.Message]
}

// Use returns a Caller whose calls and streams go through middleware, the first one outermost.
func Use(caller Caller, middleware ...Middleware) Caller {
	if u, ok := caller.(used); ok {
		caller, middleware = u.caller, append(slices.Clip(middleware), u.middleware...)
	}
	return used{caller, middleware}
}

type used struct {
	caller     Caller
	middleware []Middleware
}

func (u used) Request(ctx context.Context, m socket.Message) fold.Attempt[socket.Message] {
	t := targetOf(m.MediaType())
	next := around(u.middleware, func(ctx context.Context, call Call) (socket.Message, error) {
		response, err := u.caller.Request(ctx, call.Message).Get()
		if err == nil {
			err = problemIn(response.MediaType(), borrowed(response))
		}
		return response, err
	})
	return fold.Try(next(ctx, Call{Method: t.name, Kind: t.kind, Message: m}))
}

// withParameter returns a media type with a further parameter.
func withParameter(mt socket.MediaType, name, value string) (socket.MediaType, error) {
	separator := "; "
	for range mt.Parameters() {
		separator = ", "
		break
	}
	text := mt.String() + separator + name + "=" + value
	changed, err := socket.ParseMediaType(text)
	if err == nil && (changed.String() != text || strings.ContainsAny(name+value, "=,;")) {
		err = fmt.Errorf("%w: the value %q, which has a separator or quotes", socket.ErrInvalid, value)
	}
	if err != nil {
		return mt, fmt.Errorf("add the parameter %s to a call: %w", name, err)
	}
	return changed, nil
}
