package sockets

import (
	"context"
	"errors"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// pooled is rxipc with a Pool of a configuration.
func pooled(config socket.PoolConfig) peer {
	p := rxIPC
	p.name = "rxipc, a Pool"
	p.dial = func(ctx context.Context, place place, message []byte) (conn, error) {
		pool := rxipcAt(place, func() {}).Pool(rxipcName, config)
		return &rxipcCaller{ctx: ctx, requester: pool, message: socket.NewMessageBytes(socket.OctetStream(), message),
			end: func() error { return pool.Close(ctx).Err() }}, nil
	}
	return p
}

// pool is rxipc with a Pool, as it is by default.
var pool = pooled(socket.PoolConfig{})

// requesting is rxipc whose callers use Process.Request.
var requesting = func() peer {
	p := rxIPC
	p.name = "rxipc, Request"
	p.dial = func(ctx context.Context, place place, message []byte) (conn, error) {
		process, err := rxipcAt(place, func() {}).ConnectTo(ctx, rxipcName).Get()
		if err != nil {
			return nil, err
		}
		return &rxipcCaller{ctx: ctx, requester: process, message: socket.NewMessageBytes(socket.OctetStream(), message),
			end: func() error { return process.Close(ctx).Err() }}, nil
	}
	return p
}()

// requester is a Process or a Pool.
type requester interface {
	Request(context.Context, socket.Message) fold.Attempt[socket.Message]
}

// rxipcCaller makes requests by Request, by one or several goroutines.
type rxipcCaller struct {
	requester
	ctx     context.Context
	message socket.Message
	end     func() error
}

func (c *rxipcCaller) ask() ([]byte, error) {
	answer, err := c.Request(c.ctx, c.message).Get()
	return view(answer.Content()), err
}

func (c *rxipcCaller) askAhead(n, window int, got func([]byte) error) error {
	return callers(n, window, c.ask, got)
}

func (c *rxipcCaller) push(int) error { return errors.ErrUnsupported }

func (c *rxipcCaller) close() error { return c.end() }
