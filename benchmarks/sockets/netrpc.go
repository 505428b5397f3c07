package sockets

import (
	"context"
	"net"
	"net/rpc"
)

// netRPC is net/rpc of the standard library, with its default encoding (gob).
var netRPC = peer{
	id:   "netrpc",
	name: "net/rpc",
	serve: func(place place, job job, ready func()) error {
		server := rpc.NewServer()
		if err := server.RegisterName("Server", &rpcServer{job}); err != nil {
			return err
		}
		return listen(place, ready, func(conn net.Conn) { server.ServeConn(conn) })
	},
	dial: func(ctx context.Context, place place, message []byte) (conn, error) {
		wire, err := connectTo(ctx, place)
		if err != nil {
			return nil, err
		}
		return &rpcConn{rpc.NewClient(wire), message}, nil
	},
}

type rpcServer struct{ job job }

func (s *rpcServer) Handle(message []byte, answer *[]byte) error {
	*answer = s.job.handle(message)
	return nil
}

type rpcConn struct {
	client  *rpc.Client
	message []byte
}

func (c *rpcConn) ask() (answer []byte, err error) {
	err = c.client.Call("Server.Handle", c.message, &answer)
	return answer, err
}

func (c *rpcConn) askAhead(n, window int, got func([]byte) error) error {
	return callers(n, window, c.ask, got)
}

func (c *rpcConn) push(n int) error { return callers(n, pushWindow, c.ask, ignore) }

func (c *rpcConn) close() error { return c.client.Close() }
