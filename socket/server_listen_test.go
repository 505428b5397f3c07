package socket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

func TestAcceptTriesAgainAfterAFailureThatMayPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		config := Config{Log: slog.New(slog.NewTextHandler(&log, nil))}
		server := serve(t, config, fold.Sum[int](), echo)
		start := time.Now()
		for range 3 {
			server.listener.failing <- fmt.Errorf("accept: %w", syscall.EMFILE)
		}
		synctest.Wait()
		client := server.dial().greet()
		same(t, []time.Duration{time.Since(start)}, (5+10+20)*time.Millisecond)
		client.leave()
		server.listener.failing <- syscall.ECONNABORTED
		synctest.Wait()
		server.end() // while it pauses
		interrupted(t, <-server.result, 0, context.Canceled)
		if n := strings.Count(log.String(), "accept failed"); n != 4 {
			t.Errorf("the log of a listener that fails is %q, want four lines about it", log.String())
		}
	})
}

func TestErrorsTellWhatEnded(t *testing.T) {
	for want, err := range map[string]error{
		"3 sent, 2 of them acknowledged: cause; one message may have been handled":                                                                                                    &SendError{Acknowledged: 2, Sent: 3, Err: errors.New("cause")},
		"5 sent, 2 of them acknowledged: the server closed the connection; 3 messages were not handled":                                                                               &SendError{Acknowledged: 2, Sent: 5, Err: &closedError{}},
		"the server closed the connection: it shuts down; one message was not handled":                                                                                                &SendError{Sent: 1, Err: &closedError{wire.CloseReason{Code: wire.ReasonShutdown}}},
		"3 sent, 0 of them acknowledged: the server closed the connection: its handler rejected the first message that is not acknowledged; one message may have been handled, 2 not": &SendError{Sent: 3, Err: &closedError{wire.CloseReason{Code: wire.ReasonRejected}}},
		"the server closed the connection: the content of a message exceeds its limit of 7 bytes, and messages were still being handled; one message may have been handled":           &SendError{Sent: 1, Err: &closedError{wire.CloseReason{Code: wire.ReasonTooLarge, Limit: 7, Unsettled: true}}},
		"cause":                             &SendError{Err: errors.New("cause")},
		"socket: server interrupted: cause": &InterruptedError[int]{Err: errors.New("cause")},
		"socket: listen name: cause":        ofName("listen", MustParseName("name"), errors.New("cause")),
	} {
		if err.Error() != want {
			t.Errorf("print an error: got %q, want %q", err, want)
		}
	}
	if carry, ok := Carry(fold.Fail[int](net.ErrClosed)).Get(); ok {
		t.Errorf("carry of a failure that is no interruption: got %d, want nothing", carry)
	}
}

func TestConnectionContextEndsWithTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client, c := pushing(t, Config{}, 0)
		if c.Conn() == nil || c.Context().Err() != nil {
			t.Errorf("an open connection has the net.Conn %v and a context that ended with %v, want one and none", c.Conn(), c.Context().Err())
		}
		client.leave()
		<-c.Context().Done()
		succeeds(t, "run the connection's exchanges", c.Exchanges().Run(t.Context()))
	})
}

func TestLogWarnsOfClientsThatBreakTheProtocolAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		server := serve(t, Config{Log: slog.New(slog.NewTextHandler(&log, nil))}, fold.Sum[int](), echo)
		server.dial().greet().leave()
		server.dial().greet().conn.Close()
		synctest.Wait()
		if log.Len() > 0 {
			t.Errorf("the log of clients that leave is %q, want nothing", log.String())
		}
		bad := server.dial().greet()
		bad.send([]byte("\x00\x00"), wire.KindClose)
		bad.expect("EOF")
		contains(t, "the log of a client that breaks the protocol", log.String(), "level=WARN")
		server.end()
		<-server.result
	})
}

func TestPanicInYieldClosesTheConnectionThatNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newMemoryListener()
		client := listener.client(t, 0)
		func() {
			defer func() {
				if recover() != "mine" {
					t.Error("the panic of the reader of connections did not come through, want it to")
				}
			}()
			New(Config{}).Accept(listener)(t.Context(), func(*Connection) bool { panic("mine") })
		}()
		client.expect("EOF")
	})
}
