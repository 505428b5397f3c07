package sockets

import (
	"context"

	"github.com/rsocket/rsocket-go"
	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx/mono"
)

// rSocket is RSocket with its request-response interaction.
var rSocket = peer{
	id:     "rsocket",
	name:   "RSocket",
	module: "github.com/rsocket/rsocket-go",
	serve: func(place place, job job, ready func()) error {
		return rsocket.Receive().
			OnStart(ready).
			Acceptor(func(context.Context, payload.SetupPayload, rsocket.CloseableRSocket) (rsocket.RSocket, error) {
				return rsocket.NewAbstractSocket(rsocket.RequestResponse(func(request payload.Payload) mono.Mono {
					if job.Count {
						return mono.Just(payload.New(job.handle(request.Data()), nil))
					}
					return mono.Just(request)
				})), nil
			}).
			Transport(rsocket.UnixServer().SetPath(place.path).Build()).
			Serve(context.Background())
	},
	dial: func(ctx context.Context, place place, message []byte) (conn, error) {
		client, err := rsocket.Connect().Transport(rsocket.UnixClient().SetPath(place.path).Build()).Start(ctx)
		if err != nil {
			return nil, err
		}
		return &rsocketConn{ctx, client, message}, nil
	},
}

type rsocketConn struct {
	ctx     context.Context
	client  rsocket.Client
	message []byte
}

func (c *rsocketConn) ask() ([]byte, error) {
	answer, err := c.client.RequestResponse(payload.New(c.message, nil)).Block(c.ctx)
	if err != nil {
		return nil, err
	}
	return answer.Data(), nil
}

func (c *rsocketConn) askAhead(n, window int, got func([]byte) error) error {
	return callers(n, window, c.ask, got)
}

func (c *rsocketConn) push(n int) error { return callers(n, pushWindow, c.ask, ignore) }

func (c *rsocketConn) close() error { return c.client.Close() }
