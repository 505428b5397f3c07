package rpc

import (
	"context"
	"reflect"
	"slices"

	"github.com/rxipc/rxipc/socket"
)

// Handler is a method together with the function that answers it: made by [Handle], [HandleStream]
// or [HandleNotice], and given to [NewServer].
type Handler struct {
	definition
	request, response reflect.Type
	serve             func(ctx context.Context, call Call, out *outgoing) (socket.Message, error)
}

// outgoing is where the answers of a stream go.
type outgoing struct{ connection *socket.Connection }

// Handle returns the Handler of a method.
//
// The context ends when the time that the caller had left is over, within a second after the
// client is gone, and when the server ends. Calls are concurrent, also those of one client.
//
// An error of the function is told to the caller if it is or wraps a [*Problem]; otherwise the
// caller gets [ErrFailed], and the log of the server has the error. A panic is [socket.ErrPanicked]
// for the caller, and the server goes on.
func Handle[Req, Res any](method Method[Req, Res], f func(context.Context, Req) (Res, error)) Handler {
	h := Handler{
		definition: method.definition,
		request:    reflect.TypeFor[Req](),
		response:   reflect.TypeFor[Res](),
	}
	h.serve = func(ctx context.Context, call Call, _ *outgoing) (socket.Message, error) {
		codec, ok := method.codec(call.Message.MediaType())
		if !ok {
			return socket.Message{}, ErrBadRequest.Detailf("the media type is %s, want %s", call.Message.MediaType(), method.mediaTypes())
		}
		var request Req
		if err := codec.Decode(borrowed(call.Message), &request); err != nil {
			return socket.Message{}, ErrBadRequest.because(err).Detailf("%v", err)
		}
		response, err := f(ctx, request)
		if err != nil {
			return socket.Message{}, err
		}
		content, err := codec.Encode(&response)
		if err != nil {
			return socket.Message{}, err
		}
		return adopted(codec.MediaType(), content), nil
	}
	return h
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
