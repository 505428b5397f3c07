package sockets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
)

// gRPC sends bytes with a codec that does not encode them. Requests are unary calls. One-way
// messages are a bidirectional stream with an empty response for each.
var gRPC = peer{
	id:     "grpc",
	name:   "gRPC",
	module: "google.golang.org/grpc",
	serve: func(place place, job job, ready func()) error {
		listener, err := net.Listen("unix", place.path)
		if err != nil {
			return err
		}
		server := grpc.NewServer(grpc.ForceServerCodecV2(plainCodec{}))
		server.RegisterService(&grpcService, job)
		ready()
		return server.Serve(listener)
	},
	dial: func(ctx context.Context, place place, message []byte) (conn, error) {
		client, err := grpc.NewClient("unix:"+place.path,
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.ForceCodecV2(plainCodec{})))
		if err != nil {
			return nil, err
		}
		return &grpcConn{ctx, client, message}, nil
	},
}

var grpcService = grpc.ServiceDesc{
	ServiceName: "Server",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Handle", Handler: func(
		server any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor,
	) (any, error) {
		var message []byte
		if err := decode(&message); err != nil {
			return nil, err
		}
		return server.(job).handle(message), nil
	}}},
	Streams: []grpc.StreamDesc{{StreamName: "Stream", ServerStreams: true, ClientStreams: true, Handler: func(
		server any, stream grpc.ServerStream,
	) error {
		for {
			var message []byte
			if err := stream.RecvMsg(&message); err != nil {
				return unlessEOF(err)
			}
			if err := stream.SendMsg(server.(job).handle(message)); err != nil {
				return err
			}
		}
	}}},
}

func unlessEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

type grpcConn struct {
	ctx     context.Context
	client  *grpc.ClientConn
	message []byte
}

func (c *grpcConn) ask() (answer []byte, err error) {
	err = c.client.Invoke(c.ctx, "/Server/Handle", c.message, &answer)
	return answer, err
}

func (c *grpcConn) askAhead(n, window int, got func([]byte) error) error {
	return callers(n, window, c.ask, got)
}

func (c *grpcConn) push(n int) error {
	stream, err := c.client.NewStream(c.ctx, &grpcService.Streams[0], "/Server/Stream")
	if err != nil {
		return err
	}
	return bothWays(n, pushWindow,
		func() error { return stream.SendMsg(c.message) },
		func() error {
			var answer []byte
			return stream.RecvMsg(&answer)
		}, stream.CloseSend)
}

func (c *grpcConn) close() error { return c.client.Close() }

// bothWays sends n messages on a goroutine of its own and receives n responses, with at most window
// of them outstanding.
func bothWays(n, window int, send, receive, closeSend func() error) error {
	credit := make(chan struct{}, window)
	failed := make(chan error, 1)
	stop := make(chan struct{})
	go func() {
		for range n {
			select {
			case credit <- struct{}{}:
			case <-stop:
				failed <- nil
				return
			}
			if err := send(); err != nil {
				failed <- err
				return
			}
		}
		failed <- closeSend()
	}()
	for range n {
		if err := receive(); err != nil {
			close(stop)
			return err // the sender mostly has the same error
		}
		<-credit
	}
	close(stop)
	return <-failed
}

// plainCodec does not encode bytes.
type plainCodec struct{}

func (plainCodec) Name() string { return "plain" }

func (plainCodec) Marshal(value any) (mem.BufferSlice, error) {
	message, ok := value.([]byte)
	if !ok {
		return nil, fmt.Errorf("encode a message: got a %T, want bytes", value)
	}
	return mem.BufferSlice{mem.SliceBuffer(message)}, nil
}

func (plainCodec) Unmarshal(data mem.BufferSlice, value any) error {
	message, ok := value.(*[]byte)
	if !ok {
		return fmt.Errorf("decode a message: got a %T to store it in, want bytes", value)
	}
	*message = data.Materialize()
	return nil
}
