package rpc

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/rxipc/rxipc/socket"
)

// Handler is a method together with the function that answers it: made by [Handle], [HandleStream]
// or [HandleNotice], and given to [NewServer].
type Handler struct {
	definition
	request, response reflect.Type // nil: there is none
	serve             Next
	inline            bool
}

// Inline returns the handler of a call so that it runs on the goroutine of the connection, as those
// of notifications do. That saves the change to another goroutine, which takes longer than all else
// in a small call. The function must be quick and wait for nobody: what the client sends next
// waits meanwhile, and calls of [Client] fail with [errors.ErrUnsupported]. A stream always runs on
// a goroutine of its own.
func (h Handler) Inline() Handler {
	h.inline = h.kind == KindCall
	return h
}

// Handle returns the Handler of a method.
//
// The context ends when the time that the caller had left is over, within a second after the
// client is gone, and when the server ends. Handlers are concurrent, also those of one client.
// [Connection] and [Client] tell who called.
//
// An error of the function is told to the caller if it is or wraps a [*Problem]. Otherwise the
// caller gets [ErrFailed], and [socket.Config.Log] the error. After a panic the caller gets
// [socket.ErrPanicked], and the server goes on.
func Handle[Req, Res any](method Method[Req, Res], f func(context.Context, Req) (Res, error)) Handler {
	h := Handler{definition: method.definition, request: reflect.TypeFor[Req](), response: reflect.TypeFor[Res]()}
	h.serve = func(ctx context.Context, call Call) (socket.Message, error) {
		var request Req
		codec, err := method.read(call.Message, &request)
		if err != nil {
			return socket.Message{}, err
		}
		response, err := f(ctx, request)
		if err != nil {
			return socket.Message{}, err
		}
		return encoded(codec, &response)
	}
	return h
}

// read decodes a request on the server, and returns the codec for the response.
func (d *definition) read(m socket.Message, value any) (Codec, error) {
	codec, ok := d.codecs.of(m.MediaType())
	if !ok {
		return nil, ErrBadRequest.Detailf("the media type is %s, want %s", m.MediaType(), d.codecs)
	}
	if err := codec.Decode(borrowed(m), value); err != nil {
		return nil, ErrBadRequest.because(err).Detailf("%v", err)
	}
	return codec, nil
}

// encoded returns a response, which value points to, as a message.
func encoded(codec Codec, value any) (socket.Message, error) {
	content, err := codec.Encode(value)
	if err != nil {
		return socket.Message{}, fmt.Errorf("encode the response: %w", err)
	}
	return adopted(codec.MediaType(), content), nil
}

// Server answers requests to methods. It is a value: Use returns a changed one, Serve runs it.
type Server struct {
	handlers   map[Kind]map[string]Handler
	middleware []Middleware
}

// NewServer returns a server of the methods of these handlers. It panics if two of them have the
// same kind and name. The server also answers [Describe].
func NewServer(handlers ...Handler) Server {
	s := Server{handlers: map[Kind]map[string]Handler{}}
	for _, h := range handlers {
		if _, twice := s.handlers[h.kind][h.name]; twice {
			panic("rpc: two handlers for the " + string(h.kind) + " " + h.name)
		}
		s.add(h)
	}
	if _, own := s.handlers[KindCall][Describe.name]; !own {
		s.add(Handle(Describe, s.describe))
	}
	return s
}

func (s Server) add(h Handler) {
	if s.handlers[h.kind] == nil {
		s.handlers[h.kind] = map[string]Handler{}
	}
	s.handlers[h.kind][h.name] = h
}

// Use returns the server with middleware around its handlers, the first one outermost, inside of
// what it had before.
func (s Server) Use(middleware ...Middleware) Server {
	s.middleware = append(slices.Clip(s.middleware), middleware...)
	return s
}
