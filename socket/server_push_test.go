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
					if err := c.Send(t.Context(), m, m); err != nil {
						t.Error(err)
					}
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
				t.Fatal(f, err)
			}
			got[worker] = append(got[worker], fmt.Sprint(i))
		}
		for worker, list := range got {
			if worker < 5 && len(list) != 40 || worker == 5 && len(list) != 20 {
				t.Error(worker, list)
			}
			if !slices.IsSortedFunc(list, func(a, b string) int { return len(a) - len(b) }) {
				t.Error(worker, list)
			}
		}
		client.leave()
	})
}

func TestSendOfSeveralMessagesIsOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client, c := pushing(t, Config{}, 0)
		if err := c.Send(t.Context(), Text("a"), Text("b")); err != nil {
			t.Error(err)
		}
		client.expect(`"a"`, `"b"`)
		same(t, decoded(peerChunks(client))[2:], `"a" "b"`)
		for _, bad := range []struct {
			m    Message
			want error
		}{{Text("innmind/ipc:ack"), ErrReserved}, {Message{}, ErrInvalid}, {Text(strings.Repeat("x", 16<<20+1)), ErrTooLarge}} {
			if err := c.Send(t.Context(), Text("fine"), bad.m); !errors.Is(err, bad.want) {
				t.Error(err)
			}
		}
		client.leave()
		synctest.Wait()
		if err := c.Send(t.Context(), Text("late")); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
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
			t.Error(a, b)
		}
		if err := c.Send(ctx, Text("never")); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
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
		if err := c.Send(t.Context(), fill); err != nil { // fills the pipe to the brim
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Send(ctx, Text("never")); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		client.expect(`"83 bytes"`)
		go c.Send(t.Context(), Text("after"))
		client.expect(`"after"`)
		client.leave()
	})
}

func TestEndOfTheConnectionEndsABlockedSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _, c := pushing(t, Config{}, 100)
		blocked := make(chan error)
		go func() { blocked <- c.Send(t.Context(), Text(strings.Repeat("x", 1000))) }()
		synctest.Wait()
		start := time.Now()
		server.end()
		if err := <-blocked; !errors.Is(err, net.ErrClosed) || time.Since(start) > 2*time.Second {
			t.Error(err, time.Since(start))
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
			t.Error("sent")
		}
		server.end()
		interrupted(t, <-server.result, 1, context.Canceled)
	})
}
