package sockets

import (
	"context"
	"path/filepath"
	"runtime"

	ipc "github.com/james-barrow/golang-ipc"
)

// golangIPC exchanges messages between a server and its only client. Its encryption is off, because
// the other peers have none.
var golangIPC = peer{
	id:     "golang-ipc",
	name:   "golang-ipc",
	module: "github.com/james-barrow/golang-ipc",
	serve: func(place place, job job, ready func()) error {
		name, err := golangIPCName(place)
		if err != nil {
			return err
		}
		server, err := ipc.StartServer(name, &ipc.ServerConfig{Encryption: false})
		if err != nil {
			return err
		}
		ready()
		for {
			message, err := server.Read()
			if err != nil {
				return err
			}
			if message.MsgType != golangIPCMessage {
				continue
			}
			for server.StatusCode() != ipc.Connected {
				runtime.Gosched() // the first message may arrive before the server knows that it is connected
			}
			if err := server.Write(golangIPCMessage, job.handle(message.Data)); err != nil {
				return err
			}
		}
	},
	dial: func(_ context.Context, place place, message []byte) (conn, error) {
		name, err := golangIPCName(place)
		if err != nil {
			return nil, err
		}
		client, err := ipc.StartClient(name, &ipc.ClientConfig{Encryption: false})
		if err != nil {
			return nil, err
		}
		for { // the client cannot write before it has read this
			status, err := client.Read()
			if err != nil {
				return nil, err
			}
			if status.Status == "Connected" {
				return &golangIPCConn{client, message}, nil
			}
		}
	},
	absent: map[kind]string{
		manyConnections: oneClient,
		reconnect:       oneClient,
		idle:            oneClient,
	},
	note: map[kind]string{
		oneByOne: pauses,
		inFlight: pauses,
		oneWay:   pauses,
	},
}

const (
	oneClient = "Its server has one client."
	pauses    = "Its server pauses for 2 ms after each message it sends."

	golangIPCMessage = 1 // message type; golang-ipc uses negative types itself
)

// golangIPCName returns a name whose socket is in the folder of the place. golang-ipc puts all
// sockets into /tmp, so the name is a path relative to that.
func golangIPCName(place place) (string, error) {
	return filepath.Rel("/tmp", filepath.Join(place.dir, "golang-ipc"))
}

type golangIPCConn struct {
	client  *ipc.Client
	message []byte
}

func (c *golangIPCConn) send() error { return c.client.Write(golangIPCMessage, c.message) }

func (c *golangIPCConn) receive() ([]byte, error) {
	for {
		message, err := c.client.Read()
		if err != nil {
			return nil, err
		}
		if message.MsgType == golangIPCMessage {
			return message.Data, nil
		}
	}
}

func (c *golangIPCConn) ask() ([]byte, error) {
	if err := c.send(); err != nil {
		return nil, err
	}
	return c.receive()
}

func (c *golangIPCConn) askAhead(n, window int, got func([]byte) error) error {
	return bothWays(n, window, c.send, func() error {
		answer, err := c.receive()
		if err != nil {
			return err
		}
		return got(answer)
	}, func() error { return nil })
}

func (c *golangIPCConn) push(n int) error { return c.askAhead(n, pushWindow, ignore) }

func (c *golangIPCConn) close() error {
	c.client.Close()
	return nil
}
