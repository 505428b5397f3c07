package sockets

import (
	"context"
	"errors"

	"go.nanomsg.org/mangos/v3"
	"go.nanomsg.org/mangos/v3/protocol/rep"
	"go.nanomsg.org/mangos/v3/protocol/req"
	_ "go.nanomsg.org/mangos/v3/transport/ipc"
)

// mangosReq is mangos with its request and reply protocol. Each caller has a context with one
// request in flight.
var mangosReq = peer{
	id:     "mangos",
	name:   "mangos",
	module: "go.nanomsg.org/mangos/v3",
	serve: func(place place, job job, ready func()) error {
		socket, err := rep.NewSocket()
		if err == nil {
			err = socket.SetOption(mangos.OptionMaxRecvSize, mangosLimit)
		}
		if err != nil {
			return err
		}
		if err := socket.Listen("ipc://" + place.path); err != nil {
			return err
		}
		failed := make(chan error)
		for range mangosHandlers {
			handler, err := socket.OpenContext()
			if err != nil {
				return err
			}
			go func() { failed <- serveMangos(handler, job) }()
		}
		ready()
		return <-failed
	},
	dial: func(_ context.Context, place place, message []byte) (conn, error) {
		socket, err := req.NewSocket()
		if err == nil {
			err = socket.SetOption(mangos.OptionMaxRecvSize, mangosLimit)
		}
		if err != nil {
			return nil, err
		}
		if err := socket.Dial("ipc://" + place.path); err != nil {
			return nil, errors.Join(err, socket.Close())
		}
		return &mangosConn{socket: socket, message: message}, nil
	},
}

const (
	// mangosHandlers is the number of requests that the server handles concurrently.
	mangosHandlers = 64

	// mangosLimit is the largest message, in bytes. The default is 1 MiB, and mangos silently drops
	// a message of 1 MiB, because it exceeds the limit together with its headers.
	mangosLimit = 16 << 20
)

func serveMangos(handler mangos.Context, job job) error {
	for {
		message, err := handler.Recv()
		if err != nil {
			return err
		}
		if err := handler.Send(job.handle(message)); err != nil {
			return err
		}
	}
}

type mangosConn struct {
	socket  mangos.Socket
	message []byte
}

func (c *mangosConn) ask() ([]byte, error) { return askMangos(c.socket, c.message) }

func askMangos(by interface {
	Send([]byte) error
	Recv() ([]byte, error)
}, message []byte) ([]byte, error) {
	if err := by.Send(message); err != nil {
		return nil, err
	}
	return by.Recv()
}

func (c *mangosConn) askAhead(n, window int, got func([]byte) error) error {
	free := make(chan mangos.Context, window)
	for range window {
		context, err := c.socket.OpenContext()
		if err != nil {
			return err
		}
		defer context.Close()
		free <- context
	}
	return callers(n, window, func() ([]byte, error) {
		context := <-free
		defer func() { free <- context }()
		return askMangos(context, c.message)
	}, got)
}

func (c *mangosConn) push(n int) error { return c.askAhead(n, pushWindow, ignore) }

func (c *mangosConn) close() error { return c.socket.Close() }
