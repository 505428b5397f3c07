package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/fold"
)

// badged is a connection of a transport of its own, which knows by other means than the
// system who is at the other end.
type badged struct {
	net.Conn
	badge string
}

// badges is a Transport of such connections: those that Listen gives, and Dial, wear these.
type badges struct {
	*memory
	client, server string
}

func (b badges) Listen(ctx context.Context, name Name) (net.Listener, error) {
	l, err := b.memory.Listen(ctx, name)
	return badgedListener{l, b.client}, err
}

func (b badges) Dial(ctx context.Context, name Name) (net.Conn, error) {
	conn, err := b.memory.Dial(ctx, name)
	return badged{conn, b.server}, err
}

type badgedListener struct {
	net.Listener
	badge string
}

func (l badgedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return badged{conn, l.badge}, err
}

// wearing lets in who wears a badge.
func wearing(badge string) Authorizer {
	return func(conn net.Conn, peer fold.Maybe[Peer]) error {
		switch b, ok := conn.(badged); {
		case !ok || peer.IsJust():
			return fmt.Errorf("it is %T, of %v", conn, peer)
		case b.badge != badge:
			return fmt.Errorf("%w: it wears %q", fs.ErrPermission, b.badge)
		}
		return nil
	}
}

func TestAuthorizerOfOnesOwnDecidesOverAnotherTransport(t *testing.T) {
	for _, test := range []struct {
		client, server string
		want           error
	}{
		{"friend", "daemon", nil},
		{"stranger", "daemon", ErrRefused},
		{"friend", "impostor", fs.ErrPermission},
	} {
		t.Run(test.client+" and "+test.server, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config, log := logging(Config{
					Transport:    badges{newMemory(0), test.client, test.server},
					ServerConfig: ServerConfig{Clients: wearing("friend")},
					ClientConfig: ClientConfig{Servers: wearing("daemon")},
				})
				ipc, name := New(config), MustParseName("guarded")
				serving, end := context.WithCancel(t.Context())
				result := make(chan fold.Attempt[int])
				go func() { result <- Serve(ipc, name, fold.Sum[int]()).With(serving, echo) }()
				synctest.Wait()
				ctx, cancel := context.WithCancel(t.Context())
				connected := make(chan error)
				go func() {
					connected <- fold.Then(ipc.ConnectTo(ctx, name), Closing(ctx, Send(ctx, Text("hello")))).Err()
				}()
				synctest.Wait()
				cancel()
				handled := 0
				if test.want == nil {
					handled = 1
				}
				if err := <-connected; !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
				end()
				interrupted(t, <-result, handled, context.Canceled)
				if refused := log.String(); (test.client == "stranger") != strings.Contains(refused, `it wears \"stranger\"`) {
					t.Errorf("log of a %s: got %q, want a refusal of strangers only", test.client, refused)
				}
			})
		})
	}
}

// asked is a connection that counts how often it is asked for its peer.
type asked struct {
	net.Conn
	times *atomic.Int32
}

func (c asked) Peer() (Peer, error) {
	c.times.Add(1)
	return Peer{PID: 7, UID: os.Geteuid()}, nil
}

// asking is a transport whose connections are asked.
type asking struct {
	Transport
	times *atomic.Int32
}

func (a asking) Dial(ctx context.Context, name Name) (net.Conn, error) {
	conn, err := a.Transport.Dial(ctx, name)
	return asked{conn, a.times}, err
}

func TestPeerOfAServerIsAskedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, ipc, stop := pooled(t, PoolConfig{}, slowly(0))
		closePool(t, pool)
		var times atomic.Int32
		client := New(Config{Transport: asking{ipc.config.Transport, &times}, Heartbeat: -1})
		p := must(t, "connect", client.ConnectTo(t.Context(), remote))
		if peer := p.Peer().GetOr(Peer{}); peer.PID != 7 || times.Load() != 1 {
			t.Errorf("the server is %v, which was asked for %d times, want process 7, once", peer, times.Load())
		}
		succeeds(t, "close", p.Close(t.Context()).Err())
		stop()
	})
}
