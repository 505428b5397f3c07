package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/fifo"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// texts are count different messages.
func texts(count int) (messages []Message) {
	for i := range count {
		messages = append(messages, Text(fmt.Sprint(i)))
	}
	return messages
}

// opened is attached, with a window that has been opened by a first message.
func opened(t *testing.T, config Config, limit int) (*Process, *peer) {
	t.Helper()
	p, server := attached(t, config, limit)
	go func() {
		server.expect("start-ok", `"open"`)
		server.send(wire.KindAck)
	}()
	succeeds(t, "send open", p.Send(t.Context(), Text("open")).Err())
	synctest.Wait()
	return p, server
}

func TestSendKeepsAWindowInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := opened(t, Config{ClientConfig: ClientConfig{Window: 4}, Heartbeat: -1}, 0)
		sent := make(chan error)
		go func() { sent <- p.Send(t.Context(), texts(7)...).Err() }()
		synctest.Wait()
		same(t, decoded(peerChunks(server))[1:], `"0" "1" "2" "3"`)
		if p.InFlight() != 4 {
			t.Errorf("with a window of 4, %d messages are in flight, want 4", p.InFlight())
		}
		server.send(wire.KindAck)
		synctest.Wait()
		server.send(wire.KindAck, wire.KindHeartbeat, wire.KindAck)
		synctest.Wait()
		same(t, decoded(peerChunks(server))[2:], `"4"`, `"5" "6"`)
		server.send(wire.KindAck, wire.KindAck, wire.KindAck, wire.KindAck)
		if err := <-sent; err != nil || p.InFlight() != 0 {
			t.Errorf("send 7 messages that are acknowledged: got the error %v with %d in flight, want none", err, p.InFlight())
		}
		p.Conn().Close()
	})
}

func TestWindowIsBoundedInBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := opened(t, Config{ClientConfig: ClientConfig{WindowBytes: 100}, Heartbeat: -1}, 0)
		sent := make(chan error)
		m := Text(strings.Repeat("x", 60)) // 77 bytes
		go func() { sent <- p.Send(t.Context(), m, m, m).Err() }()
		synctest.Wait()
		if p.InFlight() != 2 {
			t.Errorf("with a window of 100 bytes, %d messages of 77 bytes are in flight, want 2", p.InFlight())
		}
		server.send(wire.KindAck, wire.KindAck, wire.KindAck)
		synctest.Wait()
		server.send(wire.KindAck)
		succeeds(t, "send", <-sent)
		p.Conn().Close()
	})
}

func TestWindowStaysShutForServersOfPHP(t *testing.T) {
	for _, acknowledgement := range []wire.Kind{wire.KindReceived, wire.KindAck} {
		sendOneByOne(t, acknowledgement)
	}
}

func sendOneByOne(t *testing.T, acknowledgement wire.Kind) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := newPipe(0)
		server := newPeer(t, theirs)
		server.send(wire.KindStart)
		p, err := New(Config{Heartbeat: -1}).Attach(t.Context(), ours).Get()
		if err != nil {
			t.Fatalf("attach: %v", err)
		}
		sent := make(chan error)
		go func() { sent <- p.Send(t.Context(), texts(3)...).Err() }()
		for _, want := range []string{`start-ok "0"`, `"1"`, `"2"`} {
			synctest.Wait()
			chunks := decoded(peerChunks(server))
			same(t, chunks[len(chunks)-1:], want)
			server.send(acknowledgement)
		}
		succeeds(t, "send", <-sent)
		p.Conn().Close()
	})
}

func TestSendErrorTellsWhatArrived(t *testing.T) {
	reason := errors.New("reason")
	for name, test := range map[string]struct {
		end  func(server *peer, cancel context.CancelCauseFunc)
		want error
	}{
		"the server dies":   {func(server *peer, _ context.CancelCauseFunc) { server.conn.Close() }, io.ErrUnexpectedEOF},
		"the server closes": {func(server *peer, _ context.CancelCauseFunc) { server.send(wire.KindClose) }, ErrDisconnected},
		"ctx ends":          {func(_ *peer, cancel context.CancelCauseFunc) { cancel(reason) }, reason},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, send := range []func(context.Context, *Process) error{
					func(ctx context.Context, p *Process) error { return p.Send(ctx, texts(10)...).Err() },
					func(ctx context.Context, p *Process) error { return p.SendAll(stream.FromSlice(texts(10))).Run(ctx) },
				} {
					p, server := opened(t, Config{ClientConfig: ClientConfig{Window: 5}, Heartbeat: -1}, 0)
					ctx, cancel := context.WithCancelCause(t.Context())
					sent := make(chan error)
					go func() { sent <- send(ctx, p) }()
					synctest.Wait()
					server.send(wire.KindAck, wire.KindAck)
					synctest.Wait()
					server.conn.(*pipeConn).in.change(func() { server.conn.(*pipeConn).in.data = nil }) // read
					test.end(server, cancel)
					err := <-sent
					failsToSend(t, "send", err, 7, 2, test.want)
					cancel(nil)
					p.Conn().Close()
				}
			})
		})
	}
}

func TestSendErrorDoesNotCountWhatABrokenConnectionDidNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := opened(t, Config{Heartbeat: -1}, 100)
		sent := make(chan error)
		m := Text(strings.Repeat("x", 33)) // 50 bytes
		go func() { sent <- p.Send(t.Context(), m, m, m, m, m).Err() }()
		time.Sleep(time.Second)
		server.conn.Close()
		if e := sendError(t, <-sent); e.Acknowledged != 0 || e.Sent < 2 {
			t.Errorf("send into a connection that breaks: got %v with %d sent and %d acknowledged; want at least 2 and none", e, e.Sent, e.Acknowledged)
		}
	})
}

func TestMessageThatMustNotBeSentEndsSendAllBehindTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := opened(t, Config{Heartbeat: -1}, 0)
		go server.send(wire.KindAck, wire.KindAck)
		var emitted []Message
		err := p.SendAll(stream.Just(Text("a"), Text("b"), Message{}, Text("c"))).
			ForEach(t.Context(), func(m Message) { emitted = append(emitted, m) })
		failsToSend(t, "send messages of which the third is empty", err, 2, 2, ErrInvalid)
		same(t, emitted, Text("a"), Text("b"))
		p.Conn().Close()
	})
}

func TestSendAllThatIsLeftSaysWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := opened(t, Config{ClientConfig: ClientConfig{Window: 5}, Heartbeat: -1}, 0)
		go func() {
			time.Sleep(time.Second)
			server.send(wire.KindAck)
		}()
		receives(t, "take the first message that SendAll emits", p.SendAll(stream.FromSlice(texts(10))).First(t.Context()), "0")
		if p.InFlight() != 4 {
			t.Errorf("after SendAll was left at its first message of a window of 5, %d are in flight, want 4", p.InFlight())
		}
		server.send(wire.KindAck, wire.KindAck, wire.KindAck, wire.KindAck, "pushed")
		p.Wait(t.Context())
		if p.InFlight() != 0 {
			t.Errorf("after all were acknowledged, %d are in flight, want none", p.InFlight())
		}
		p.Conn().Close()
	})
}

func TestSendAllOfASlowSourceSendsAsItComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{Heartbeat: -1}, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
			time.Sleep(400 * time.Millisecond)
			return c.CarryWith(count + 1)
		})
		conn, _ := server.listener.dial(0)
		p := must(t, "attach to the connection", New(Config{Heartbeat: -1}).Attach(t.Context(), conn))
		start := time.Now()
		var at []time.Duration
		seconds := operators.Map(func(i int) Message { return Text(fmt.Sprint(i)) })(stream.Interval(time.Second))
		succeeds(t, "send a message a second", p.SendAll(operators.Take[Message](4)(seconds)).ForEach(t.Context(), func(Message) { at = append(at, time.Since(start)) }))
		same(t, at, 1400*time.Millisecond, 2400*time.Millisecond, 3400*time.Millisecond, 4400*time.Millisecond)
		p.Close(t.Context())
	})
}

func TestServerThatHoldsTheFirstUntilTheLastGetsTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newMemoryListener()
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error)
		go func() {
			var held []*Held
			served <- Exchanges(New(Config{}).Accept(listener)).ForEach(ctx, func(x Exchange) {
				if x.Content() == "open" {
					return
				}
				if held = append(held, x.Hold()); len(held) == 50 {
					for _, h := range held {
						go h.Respond(ctx)
					}
				}
			})
		}()
		conn, _ := listener.dial(500)
		p := must(t, "attach and send open", fold.Then(New(Config{}).Attach(ctx, conn), Send(ctx, Text("open"))))
		succeeds(t, "send all", p.SendAll(stream.FromSlice(texts(50))).Run(ctx))
		p.Close(ctx)
		cancel()
		<-served
	})
}

// TestSendWindowSendsAMessageThatComesBeforeItWaits has a message come, and the source end, between
// a take and the notify behind it.
func TestSendWindowSendsAMessageThatComesBeforeItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := opened(t, Config{Heartbeat: -1}, 0)
		go func() {
			server.expect(`"0"`, `"1"`)
			server.send(wire.KindAck, wire.KindAck)
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		source := newPrefetcher(p.config)
		messages := texts(2)
		source.push(ctx, messages[0])
		taken := 0
		take := func(room int, queue *fifo.Queue[Message]) (ended bool) {
			ended = source.take(room, queue)
			if taken++; taken == 1 {
				source.push(ctx, messages[1])
				source.end()
			}
			return ended
		}
		w := newSendWindow(p, false)
		if err := w.run(ctx, take, source, nil); err != nil || w.delivered != 2 || source.waiting != nil {
			t.Errorf("run of a source whose second message comes late: %v, %d messages delivered; want no error, 2", err, w.delivered)
		}
		p.Conn().Close()
	})
}

// TestFloodOfAServerThatAnswersNeverDeadlocks has connections that hold little.
func TestFloodOfAServerThatAnswersNeverDeadlocks(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 50, 1000, 100_000} {
		for _, size := range []int{0, 100, 10_000, 100_000} {
			count := max(3, min(500, 200*limit/(size+50), 4<<20/(size+1)))
			t.Run(fmt.Sprint(limit, "/", size), func(t *testing.T) {
				if limit == 1 && size > 100 {
					size = 100
				}
				synctest.Test(t, func(t *testing.T) {
					server := serve(t, Config{Heartbeat: -1}, fold.Sum[int](), echo)
					conn, _ := server.listener.dial(limit)
					p := must(t, "attach to the connection", New(Config{Heartbeat: -1}).Attach(t.Context(), conn))
					var messages []Message
					for i := range count {
						messages = append(messages, Text(fmt.Sprint(i, strings.Repeat("x", size))))
					}
					succeeds(t, "send messages", p.Send(t.Context(), messages...).Err())
					for _, m := range messages {
						receives(t, "wait for a message", p.Wait(t.Context()), "echo: "+m.Content())
					}
					got, err := p.RequestAll(stream.FromSlice(messages)).Collect(t.Context())
					if err != nil || len(got) != count {
						t.Errorf("request %d answers: got %d and the error %v, want all and none", count, len(got), err)
					}
					for i, m := range got {
						if m.Content() != "echo: "+messages[i].Content() {
							t.Fatalf("answer %d: got %.100q, want the echo of %.100q", i, m.Content(), messages[i].Content())
						}
					}
					succeeds(t, "close the process", p.Close(t.Context()).Err())
				})
			})
		}
	}
}

func TestSendThatFillsTheInboxFailsAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{Heartbeat: -1}, fold.Sum[int](), echo)
		attach := func(maxUnread int) *Process {
			conn, _ := server.listener.dial(1000)
			p := must(t, "attach to the connection", New(Config{ClientConfig: ClientConfig{MaxUnread: maxUnread, Window: 50}, Heartbeat: -1}).Attach(t.Context(), conn))
			return p
		}
		p := attach(5000)
		err := p.Send(t.Context(), texts(1000)...).Err()
		e := sendError(t, err)
		if !errors.Is(err, ErrUnread) || e.Acknowledged < 20 || e.Sent > e.Acknowledged+50 {
			t.Errorf("send 1000 messages whose answers nobody reads: got %v with %d sent and %d acknowledged; want ErrUnread after some were acknowledged, and at most a window in flight", err, e.Sent, e.Acknowledged)
		}
		for i := range e.Sent { // nothing is lost
			receives(t, "wait for a message", p.Wait(t.Context()), fmt.Sprint("echo: ", i))
		}
		p.Close(t.Context())

		p = attach(100_000)
		read := make(chan int)
		go func() {
			n := 0
			p.Messages().ForEach(t.Context(), func(Message) { n++ })
			read <- n
		}()
		succeeds(t, "send 1000 messages", p.Send(t.Context(), texts(1000)...).Err())
		p.Close(t.Context())
		if n := <-read; n != 1000 {
			t.Errorf("read the answers of 1000 messages: got %d, want all", n)
		}
	})
}

// overEcho makes an operator of a method of Process: each run has a connection of its own
// to a server that answers.
func overEcho(config Config, method func(*Process, stream.Observable[Message]) stream.Observable[Message]) stream.Operator[Message, Message] {
	type both struct {
		*Process
		release func()
	}
	return func(source stream.Observable[Message]) stream.Observable[Message] {
		return stream.Using(func(ctx context.Context) (both, error) {
			listener := newMemoryListener()
			serving, end := context.WithCancel(context.Background())
			served := make(chan fold.Attempt[int])
			go func() {
				served <- ServeConnections(New(config).Accept(listener), fold.Sum[int]()).With(serving,
					func(m Message, c Continuation[int], count int) Continuation[int] { return c.Respond(m) })
			}()
			conn, _ := listener.dial(200)
			p, err := New(config).Attach(context.WithoutCancel(ctx), conn).Get()
			return both{p, func() {
				p.Close(context.Background())
				end()
				<-served
			}}, err
		}, func(b both) stream.Observable[Message] { return method(b.Process, source) }, func(b both) { b.release() })
	}
}

func TestSendAllAndRequestAllKeepTheContract(t *testing.T) {
	for _, window := range []int{1, 3, 100} {
		config := Config{ClientConfig: ClientConfig{Window: window}, Heartbeat: -1}
		options := []streamtest.Option{streamtest.ReadAhead(2 * window)}
		messages := texts(5)
		t.Run(fmt.Sprint("SendAll/", window), func(t *testing.T) {
			streamtest.CheckOperator(t, overEcho(config, (*Process).SendAll), messages, messages, options...)
		})
		t.Run(fmt.Sprint("RequestAll/", window), func(t *testing.T) {
			streamtest.CheckOperator(t, overEcho(config, (*Process).RequestAll), messages, messages, options...)
		})
	}
}
