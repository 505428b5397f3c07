package sockettest_test

import (
	"testing"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/sockettest"
)

func TestCheckTransportAcceptsTheNetwork(t *testing.T) {
	sockettest.CheckTransport(t, func(*testing.T) socket.Transport { return sockettest.NewNetwork() })
}

func TestCheckTransportAcceptsUnixSockets(t *testing.T) {
	sockettest.CheckTransport(t, func(t *testing.T) socket.Transport { return socket.Unix{Dir: t.TempDir()} })
}
