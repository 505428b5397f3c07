package sockets

import (
	"context"
	"net"

	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// ttRPC has protobuf messages. The messages are the well-known type BytesValue.
var ttRPC = peer{
	id:     "ttrpc",
	name:   "ttrpc",
	module: "github.com/containerd/ttrpc",
	serve: func(place place, job job, ready func()) error {
		server, err := ttrpc.NewServer()
		if err != nil {
			return err
		}
		server.RegisterService("Server", &ttrpc.ServiceDesc{Methods: map[string]ttrpc.Method{
			"Handle": func(_ context.Context, unmarshal func(any) error) (any, error) {
				var request wrapperspb.BytesValue
				if err := unmarshal(&request); err != nil {
					return nil, err
				}
				return &wrapperspb.BytesValue{Value: job.handle(request.Value)}, nil
			},
		}})
		listener, err := net.Listen("unix", place.path)
		if err != nil {
			return err
		}
		ready()
		return server.Serve(context.Background(), listener)
	},
	dial: func(ctx context.Context, place place, message []byte) (conn, error) {
		wire, err := connectTo(ctx, place)
		if err != nil {
			return nil, err
		}
		return &ttrpcConn{ctx, ttrpc.NewClient(wire), wire, wrapperspb.Bytes(message)}, nil
	},
}

type ttrpcConn struct {
	ctx     context.Context
	client  *ttrpc.Client
	wire    net.Conn
	message *wrapperspb.BytesValue
}

func (c *ttrpcConn) ask() ([]byte, error) {
	var answer wrapperspb.BytesValue
	err := c.client.Call(c.ctx, "Server", "Handle", c.message, &answer)
	return answer.Value, err
}

func (c *ttrpcConn) askAhead(n, window int, got func([]byte) error) error {
	return callers(n, window, c.ask, got)
}

func (c *ttrpcConn) push(n int) error { return callers(n, pushWindow, c.ask, ignore) }

func (c *ttrpcConn) close() error { return c.client.Close() }
