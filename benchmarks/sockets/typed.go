package sockets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	netrpc "net/rpc"
	"net/rpc/jsonrpc"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
)

// Record is the request and the response of typed requests. The JSON of typedRecord has 32
// bytes. It is exported for net/rpc, which asks for that.
type Record struct {
	Number int    `json:"number"`
	Text   string `json:"text"`
}

var typedRecord = Record{42, "abcdefghi"}

// byHand is rxipc with records that the client and the server encode and decode themselves.
var byHand = peer{
	id:   "byhand",
	name: "rxipc, encoding/json by hand",
	serve: func(place place, _ job, ready func()) error {
		return socket.Serve(rxipcAt(place, ready), rxipcName, fold.Sum[int]()).
			With(context.Background(), func(m socket.Message, c socket.Continuation[int], _ int) socket.Continuation[int] {
				var request Record
				if err := json.Unmarshal(view(m.Content()), &request); err != nil {
					return c.Reject(err)
				}
				content, err := json.Marshal(request)
				if err != nil {
					return c.Reject(err)
				}
				return c.Respond(socket.NewMessageBytes(socket.JSON(), content))
			}).Err()
	},
	dial: func(ctx context.Context, place place, message []byte) (conn, error) {
		process, err := rxipcAt(place, func() {}).ConnectTo(ctx, rxipcName).Get()
		if err != nil {
			return nil, err
		}
		call := func(request Record) (answer Record, err error) {
			content, err := json.Marshal(request)
			if err != nil {
				return answer, err
			}
			response, err := process.Request(ctx, socket.NewMessageBytes(socket.JSON(), content)).Get()
			if err != nil {
				return answer, err
			}
			return answer, json.Unmarshal(view(response.Content()), &answer)
		}
		return &recordConn{call, message, func() error { return process.Close(ctx).Err() }}, nil
	},
}

// typed is rxipc with a method of package rpc, whose handler has a goroutine of its own.
var typed = methodPeer("typed", "rxipc, a method", echoing)

// inline is rxipc with a method whose handler runs on the goroutine of the connection.
var inline = methodPeer("inline", "rxipc, an inline method", echoing.Inline())

func methodPeer(id, name string, handler rpc.Handler) peer {
	return peer{
		id:   id,
		name: name,
		serve: func(place place, _ job, ready func()) error {
			return rpc.NewServer(handler).Serve(context.Background(), rxipcAt(place, ready), rxipcName)
		},
		dial: func(ctx context.Context, place place, message []byte) (conn, error) {
			process, err := rxipcAt(place, func() {}).ConnectTo(ctx, rxipcName).Get()
			if err != nil {
				return nil, err
			}
			call := func(request Record) (Record, error) { return echoRecord.Call(ctx, process, request) }
			return &recordConn{call, message, func() error { return process.Close(ctx).Err() }}, nil
		},
	}
}

var (
	echoRecord = rpc.NewMethod[Record, Record]("echo")
	echoing    = rpc.Handle(echoRecord, func(_ context.Context, r Record) (Record, error) { return r, nil })
)

// jsonRPC is net/rpc of the standard library, with JSON-RPC as its encoding.
var jsonRPC = peer{
	id:   "jsonrpc",
	name: "net/rpc, JSON-RPC",
	serve: func(place place, _ job, ready func()) error {
		server := netrpc.NewServer()
		if err := server.RegisterName("Server", recordServer{}); err != nil {
			return err
		}
		return listen(place, ready, func(conn net.Conn) { server.ServeCodec(jsonrpc.NewServerCodec(conn)) })
	},
	dial: func(ctx context.Context, place place, message []byte) (conn, error) {
		wire, err := connectTo(ctx, place)
		if err != nil {
			return nil, err
		}
		client := jsonrpc.NewClient(wire)
		call := func(request Record) (answer Record, err error) {
			err = client.Call("Server.Echo", request, &answer)
			return answer, err
		}
		return &recordConn{call, message, client.Close}, nil
	},
}

type recordServer struct{}

func (recordServer) Echo(request Record, answer *Record) error {
	*answer = request
	return nil
}

// recordConn sends typedRecord instead of the message of the measurement.
type recordConn struct {
	call    func(Record) (Record, error)
	message []byte
	end     func() error
}

func (c *recordConn) ask() ([]byte, error) {
	answer, err := c.call(typedRecord)
	if err == nil && answer != typedRecord {
		err = fmt.Errorf("compare the response: got %v, want %v", answer, typedRecord)
	}
	return c.message, err
}

func (c *recordConn) askAhead(n, window int, got func([]byte) error) error {
	return callers(n, window, c.ask, got)
}

func (c *recordConn) push(int) error { return errors.ErrUnsupported }

func (c *recordConn) close() error { return c.end() }
