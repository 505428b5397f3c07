package socket

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

func TestHooksTellOfAClientFromConnectedToDisconnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		p, server := attached(t, Config{Hooks: r.hooks(), Heartbeat: -1}, 0)
		same(t, r.told(), "connected")
		go func() {
			server.expect("start-ok", `"one"`)
			time.Sleep(time.Millisecond)
			server.send(wire.KindAck, "answer", "pushed")
		}()
		succeeds(t, "send one", p.Send(t.Context(), Text("one")).Err())
		same(t, r.told(), "sent one", "3 bytes after 1ms: acknowledged", "arrived answer", "arrived pushed")
		if messages, n := p.Unread(); messages != 2 || n != len("answer")+len("pushed")+2*overhead {
			t.Errorf("unread are %d messages of %d bytes, want answer and pushed", messages, n)
		}
		go func() {
			server.expect("ack", "ack", `"two"`)
			server.send(wire.KindAck, wire.KindHeartbeat, "answer")
			server.expect("ack", "close")
			server.send(wire.KindCloseOK)
		}()
		receives(t, "request two", p.Request(t.Context(), Text("two")), "answer")
		same(t, r.told(), "sent two", "3 bytes after 0s: acknowledged", "arrived answer")
		succeeds(t, "close the process", p.Close(t.Context()).Err())
		p.Close(t.Context())
		same(t, r.told(), "disconnected: closed")
	})
}

func TestHooksTellOfWhatWillNotBeAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		p, server := opened(t, Config{Hooks: r.hooks(), Heartbeat: -1, ClientConfig: ClientConfig{Window: 3}}, 0)
		r.told()
		ended := make(chan error)
		go func() { ended <- p.Send(t.Context(), texts(9)...).Err() }()
		server.expect(`"0"`, `"1"`, `"2"`)
		server.send(wire.KindAck)
		server.expect(`"3"`)
		server.conn.Close()
		if err := <-ended; Reason(err) != "left" {
			t.Errorf("send to a server that leaves: got the error %v with the reason %q, want left", err, Reason(err))
		}
		same(t, r.told(), "sent 0", "sent 1", "sent 2", "1 bytes after 0s: acknowledged", "sent 3",
			"1 bytes after 0s: left", "1 bytes after 0s: left", "1 bytes after 0s: left", "disconnected: left")
	})
}

func TestHooksAreNotToldOfMessagesThatWereNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		p, _ := attached(t, Config{Hooks: r.hooks(), Heartbeat: -1}, 90) // and nobody reads
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p.Send(ctx, Text(strings.Repeat("x", 99)))
		p.Send(ctx, Text("not begun"))
		p.Send(t.Context(), Text("refused"), Message{})
		p.Close(t.Context())
		same(t, r.told(), "connected", "sent "+strings.Repeat("x", 99), "99 bytes after 2s: shut", "disconnected: closed")
	})
}

func TestHooksAreNotToldOfAHandshakeThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		listener := newMemoryListener()
		conn, server := newPipe(0)
		defer listener.Close()
		go newPeer(t, server).send([]byte("\x00\x00garbage"))
		if err := New(Config{Hooks: r.hooks()}).Attach(t.Context(), conn).Err(); Reason(err) != "protocol" {
			t.Errorf("attach to garbage: got the error %v with the reason %q, want protocol", err, Reason(err))
		}
		same(t, r.told())
	})
}

func TestHooksTellOfEachMessageThatIsSentWhetherItArrived(t *testing.T) {
	for seed := range uint64(50) {
		synctest.Test(t, func(t *testing.T) {
			random := newRandom(seed)
			sent, acknowledged, lost := 0, 0, 0
			p, server := opened(t, Config{ClientConfig: ClientConfig{Window: 1 + random.IntN(8)}, Heartbeat: -1, Hooks: Hooks{
				ClientHooks: ClientHooks{
					Sent: func(*Process, Message) { sent++ },
					Acknowledged: func(d Delivery) {
						if d.Err == nil {
							acknowledged++
						} else {
							lost++
						}
					},
				},
			}}, 100+random.IntN(300))
			given := random.IntN(30)
			go func() {
				for range random.IntN(30) {
					if server.next() == "EOF" {
						return
					}
					server.send(wire.KindAck)
				}
				server.conn.Close()
			}()
			err := p.Send(t.Context(), texts(given)...).Err()
			p.Close(t.Context())
			synctest.Wait()
			if sent != acknowledged+lost || err == nil && (sent != given+1 || lost > 0) {
				t.Errorf("seed %d: of %d messages %d were sent, %d acknowledged and %d lost, error %v; want each sent one acknowledged or lost, and all sent without an error", seed, given, sent, acknowledged, lost, err)
			}
			if err != nil {
				if e := sendError(t, err); e.Sent != sent-1 || e.Acknowledged != acknowledged-1 {
					t.Errorf("seed %d: the hooks counted %d sent and %d acknowledged, and the error is %v; want it to count one less of both", seed, sent, acknowledged, err)
				}
			}
		})
	}
}

func TestDeliveryLogKeepsABoundedNumberOfMessages(t *testing.T) {
	l := newDeliveryLog(&Hooks{ClientHooks: ClientHooks{Acknowledged: func(Delivery) {}}})
	l.send(1, make([]Message, maxEntries-1))
	l.send(maxEntries, make([]Message, 2))
	l.settle(nil, maxEntries+1, nil)
	if n := len(l.take().deliveries); n != maxEntries {
		t.Errorf("%d of %d messages in flight were kept, want %d", n, maxEntries+1, maxEntries)
	}
}

func TestHooksOfAClientThatPanicAreToldToTheLogAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		p, server := attached(t, Config{Heartbeat: -1, Log: slog.New(slog.NewTextHandler(&log, nil)), Hooks: Hooks{
			ClientHooks: ClientHooks{
				Connected:    func(*Process) { panic("hook connected") },
				Sent:         func(*Process, Message) { panic("hook sent") },
				Acknowledged: func(Delivery) { panic("hook acknowledged") },
				Arrived:      func(*Process, Message) { panic("hook arrived") },
				Disconnected: func(*Process, error) { panic("hook disconnected") },
			},
		}}, 0)
		go func() {
			server.expect("start-ok", `"one"`)
			server.send(wire.KindAck, "answer", wire.KindClose)
		}()
		receives(t, "request one with hooks that panic", p.Request(t.Context(), Text("one")), "answer")
		if _, err := p.Wait(t.Context()).Get(); Reason(err) != "closed" {
			t.Errorf("wait after the server closed: got the error %v with the reason %q, want closed", err, Reason(err))
		}
		contains(t, "the log", log.String(), "hook connected", "hook sent", "hook acknowledged", "hook arrived", "hook disconnected")
	})
}

func TestLogLinesTellWhichProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		config := Config{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
		p, server := attached(t, config, 0)
		server.send([]byte("\x00\x00garbage"))
		p.Wait(t.Context())
		contains(t, "the log", log.String(),
			fmt.Sprintf(`level=DEBUG msg=connected name="" connection=%d`, p.ID()),
			fmt.Sprintf(`level=WARN msg=disconnected name="" connection=%d reason=protocol error=`, p.ID()),
		)
	})
}

func TestHooksOfMessagesWorkOneByOne(t *testing.T) {
	var r recorder
	all := r.hooks()
	for hook, hooks := range map[string]Hooks{"arrived answer": {ClientHooks: ClientHooks{Arrived: all.Arrived}}, "6 bytes after 0s: acknowledged": {ClientHooks: ClientHooks{Acknowledged: all.Acknowledged}}} {
		synctest.Test(t, func(t *testing.T) {
			p, server := attached(t, Config{Hooks: hooks, Heartbeat: -1}, 0)
			go func() {
				server.expect("start-ok", `"asking"`)
				server.send(wire.KindAck, "answer")
			}()
			if _, err := p.Request(t.Context(), Text("asking")).Get(); err != nil {
				t.Errorf("a request with the hook that tells %q: %v", hook, err)
			}
			same(t, r.told(), hook)
			p.Conn().Close()
		})
	}
}
