package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
)

// pushing is a server that hands each connection over at its first message.
func pushing(t *testing.T, config Config, limit int) (*served[int], *peer, *Connection) {
	connections := make(chan *Connection, 1)
	var once sync.Once
	server := serve(t, config, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
		once.Do(func() { connections <- c.Connection() })
		return echo(m, c, count)
	})
	server.limit = limit
	client := server.dial().greet()
	client.send("hello")
	client.expect("ack", `"echo: hello"`)
	return server, client, <-connections
}

func TestPushesMixWithAnswersInWholeFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client, c := pushing(t, Config{Heartbeat: -1}, 50)
		for worker := range 5 {
			go func() {
				for i := range 20 {
					m := Text(fmt.Sprintf("%d:%d", worker, i))
					succeeds(t, "push a message twice", c.Send(t.Context(), m, m))
				}
			}()
		}
		go func() {
			for i := range 20 {
				client.send(fmt.Sprintf("5:%d", i))
			}
		}()
		var got [6][]string
		for range 5*20*2 + 20 + 20 {
			f := strings.Trim(strings.TrimPrefix(client.next(), `"echo: `), `"`)
			if f == "ack" {
				continue
			}
			var worker, i int
			if _, err := fmt.Sscanf(f, "%d:%d", &worker, &i); err != nil {
				t.Fatalf("read the number of %q: %v", f, err)
			}
			got[worker] = append(got[worker], fmt.Sprint(i))
		}
		for worker, list := range got {
			if worker < 5 && len(list) != 40 || worker == 5 && len(list) != 20 {
				t.Errorf("of sender %d the client received %q, want all 20 twice, or once from the handler", worker, list)
			}
			if !slices.IsSortedFunc(list, func(a, b string) int { return len(a) - len(b) }) {
				t.Errorf("of sender %d the client received %q, want them in order", worker, list)
			}
		}
		client.leave()
	})
}

func TestSendOfSeveralMessagesIsOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client, c := pushing(t, Config{}, 0)
		succeeds(t, "send a and b", c.Send(t.Context(), Text("a"), Text("b")))
		client.expect(`"a"`, `"b"`)
		same(t, decoded(peerChunks(client))[2:], `"a" "b"`)
		for _, bad := range []struct {
			m    Message
			want error
		}{{Text("innmind/ipc:ack"), ErrReserved}, {Message{}, ErrInvalid}, {Text(strings.Repeat("x", 16<<20+1)), ErrTooLarge}} {
			fails(t, fmt.Sprint("push fine and ", bad.m), c.Send(t.Context(), Text("fine"), bad.m), bad.want)
		}
		client.leave()
		synctest.Wait()
		fails(t, "send late", c.Send(t.Context(), Text("late")), net.ErrClosed)
		same(t, decoded(peerChunks(client))[2:], `"a" "b"`, "close-ok")
	})
}

func TestSendThatItsContextEndsLeavesTheStreamInSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client, c := pushing(t, Config{Heartbeat: -1}, 100)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun, waiting := make(chan error), make(chan error)
		go func() { begun <- c.Send(ctx, Text(strings.Repeat("x", 1000))) }()
		synctest.Wait()
		go func() { waiting <- c.Send(ctx, Text("never")) }()
		if a, b := <-begun, <-waiting; !errors.Is(a, context.DeadlineExceeded) || !errors.Is(b, context.DeadlineExceeded) {
			t.Errorf("send beyond the deadline: got the errors %v and %v, want context.DeadlineExceeded", a, b)
		}
		fails(t, "send never", c.Send(ctx, Text("never")), context.DeadlineExceeded)
		client.expect(`"1000 bytes"`) // it had begun: the rest comes by itself
		go c.Send(t.Context(), Text("after"))
		client.expect(`"after"`)
		client.leave()
	})
}

func TestSendRollsBackWhenNothingWasWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client, c := pushing(t, Config{Heartbeat: -1}, 100)
		fill := Text(strings.Repeat("x", 100-17-0))
		succeeds(t, "send as much as the pipe holds", c.Send(t.Context(), fill))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		fails(t, "send never", c.Send(ctx, Text("never")), context.DeadlineExceeded)
		client.expect(`"83 bytes"`)
		go c.Send(t.Context(), Text("after"))
		client.expect(`"after"`)
		client.leave()
	})
}

func TestSendThatBlocksEndsWithTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _, c := pushing(t, Config{}, 100)
		blocked := make(chan error)
		go func() { blocked <- c.Send(t.Context(), Text(strings.Repeat("x", 1000))) }()
		synctest.Wait()
		start := time.Now()
		server.end()
		if err := <-blocked; !errors.Is(err, net.ErrClosed) || time.Since(start) > 2*time.Second {
			t.Errorf("a blocked send while the server ends: got the error %v after %v, want net.ErrClosed within the grace", err, time.Since(start))
		}
		interrupted(t, <-server.result, 1, context.Canceled)
	})
}

func TestClientThatDiesEndsABlockedSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client, c := pushing(t, Config{}, 100)
		blocked := make(chan error)
		go func() { blocked <- c.Send(t.Context(), Text(strings.Repeat("x", 1000))) }()
		synctest.Wait()
		client.conn.Close()
		if err := <-blocked; err == nil {
			t.Error("a blocked send to a client that goes: got no error, want one")
		}
		server.end()
		interrupted(t, <-server.result, 1, context.Canceled)
	})
}
