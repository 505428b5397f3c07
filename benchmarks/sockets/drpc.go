package sockets

import (
	"context"
	"fmt"
	"net"
	"slices"

	"storj.io/drpc"
	"storj.io/drpc/drpcconn"
	"storj.io/drpc/drpcserver"
)

// dRPC allows one call at a time on a connection. Many messages in flight are therefore one
// bidirectional stream.
var dRPC = peer{
	id:     "drpc",
	name:   "drpc",
	module: "storj.io/drpc",
	serve: func(place place, job job, ready func()) error {
		listener, err := net.Listen("unix", place.path)
		if err != nil {
			return err
		}
		ready()
		return drpcserver.New(drpcHandler{job}).Serve(context.Background(), listener)
	},
	dial: func(ctx context.Context, place place, message []byte) (conn, error) {
		wire, err := connectTo(ctx, place)
		if err != nil {
			return nil, err
		}
		return &drpcConn{ctx, drpcconn.New(wire), message}, nil
	},
	note: map[kind]string{inFlight: "One stream in both directions: it has one call at a time on a connection."},
}

type drpcHandler struct{ job job }

// HandleRPC serves a stream. A call is a stream of one message.
func (h drpcHandler) HandleRPC(stream drpc.Stream, _ string) error {
	for {
		var message []byte
		if err := stream.MsgRecv(&message, plainEncoding{}); err != nil {
			return unlessEOF(err)
		}
		answer := h.job.handle(message)
		if err := stream.MsgSend(&answer, plainEncoding{}); err != nil {
			return err
		}
	}
}

type drpcConn struct {
	ctx     context.Context
	client  *drpcconn.Conn
	message []byte
}

func (c *drpcConn) ask() (answer []byte, err error) {
	err = c.client.Invoke(c.ctx, "/Server/Handle", plainEncoding{}, &c.message, &answer)
	return answer, err
}

func (c *drpcConn) askAhead(n, window int, got func([]byte) error) error {
	stream, err := c.client.NewStream(c.ctx, "/Server/Stream", plainEncoding{})
	if err != nil {
		return err
	}
	err = bothWays(n, window,
		func() error { return stream.MsgSend(&c.message, plainEncoding{}) },
		func() error {
			var answer []byte
			if err := stream.MsgRecv(&answer, plainEncoding{}); err != nil {
				return err
			}
			return got(answer)
		}, stream.CloseSend)
	if err != nil {
		return err
	}
	return stream.Close()
}

func (c *drpcConn) push(n int) error { return c.askAhead(n, pushWindow, ignore) }

func (c *drpcConn) close() error { return c.client.Close() }

// plainEncoding does not encode bytes.
type plainEncoding struct{}

func (plainEncoding) Marshal(value drpc.Message) ([]byte, error) {
	message, ok := value.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("encode a message: got a %T, want bytes", value)
	}
	return *message, nil
}

func (plainEncoding) Unmarshal(data []byte, value drpc.Message) error {
	message, ok := value.(*[]byte)
	if !ok {
		return fmt.Errorf("decode a message: got a %T to store it in, want bytes", value)
	}
	*message = slices.Clone(data) // because drpc reuses data
	return nil
}
