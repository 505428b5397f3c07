package socket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// recorder spells what hooks are told, one line each.
type recorder struct {
	mu    sync.Mutex
	lines []string
}

func (r *recorder) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

// told returns the lines since it was asked before.
func (r *recorder) told() (lines []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines, r.lines = r.lines, nil
	return lines
}

func (r *recorder) hooks() Hooks {
	return Hooks{
		ServerHooks: ServerHooks{
			Opened:   func(c *Connection) { r.note("opened") },
			Closed:   func(e Ending) { r.note("closed after %v: %s", e.Duration, Reason(e.Err)) },
			Received: func(c *Connection, m Message) { r.note("received %s", m.Content()) },
			Handled: func(h Handling) {
				became := "acknowledged"
				if h.Err != nil {
					became = Reason(h.Err)
				}
				r.note("handled %s after %v: %d responses, %d bytes, %s", h.Message.Content(), h.Duration, h.Responses, h.Bytes, became)
			},
			Pushed: func(c *Connection, m Message) { r.note("pushed %s", m.Content()) },
		},
		ClientHooks: ClientHooks{
			Connected:    func(p *Process) { r.note("connected") },
			Disconnected: func(p *Process, err error) { r.note("disconnected: %s", Reason(err)) },
			Sent:         func(p *Process, m Message) { r.note("sent %s", m.Content()) },
			Acknowledged: func(d Delivery) {
				became := "acknowledged"
				if d.Err != nil {
					became = Reason(d.Err)
				}
				r.note("%d bytes after %v: %s", d.Bytes, d.Duration, became)
			},
			Arrived: func(p *Process, m Message) { r.note("arrived %s", m.Content()) },
		},
	}
}

func TestHooksTellOfAConnectionFromOpenToClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		server := serve(t, Config{Hooks: r.hooks()}, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
			time.Sleep(3 * time.Millisecond)
			if m.Content() == "push" {
				c.Connection().Send(t.Context(), Text("pushed"), Text("again"))
			}
			return c.Respond(Text("12345"), Text("678")).CarryWith(count + 1)
		})
		client := server.dial().greet()
		synctest.Wait()
		same(t, r.told(), "opened")
		client.send("one", "push")
		client.expect(`"pushed"`, `"again"`, "ack", `"12345"`, `"678"`, "ack", `"12345"`, `"678"`)
		synctest.Wait()
		same(t, r.told(),
			"received one", "handled one after 3ms: 2 responses, 8 bytes, acknowledged",
			"received push", "pushed pushed", "pushed again", "handled push after 3ms: 2 responses, 8 bytes, acknowledged")
		client.leave()
		synctest.Wait()
		same(t, r.told(), "closed after 6ms: closed")
	})
}

func TestHooksNameTheReasonsOfAnEnd(t *testing.T) {
	for want, end := range map[string]func(*peer){
		"closed":    (*peer).leave,
		"left":      func(p *peer) { p.conn.Close() },
		"protocol":  func(p *peer) { p.send([]byte("\x00\x00garbage")); p.expect("EOF") },
		"too_large": func(p *peer) { p.send(strings.Repeat("x", 101)); p.expect("EOF") },
		"rejected":  func(p *peer) { p.send("respond"); p.expect("close"); p.send(wire.KindCloseOK); p.expect("EOF") },
		"panic":     func(p *peer) { p.send("panic"); p.expect("close"); p.send(wire.KindCloseOK); p.expect("EOF") },
	} {
		t.Run(want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r recorder
				server := serve(t, Config{MaxMessage: 100, Hooks: r.hooks()}, fold.Sum[int](),
					func(m Message, c Continuation[int], count int) Continuation[int] {
						if m.Content() == "respond" {
							return c.Respond(Text(strings.Repeat("x", 101)))
						}
						return explode(m, c, count)
					})
				end(server.dial().greet())
				synctest.Wait()
				server.end()
				<-server.result
				told := r.told()
				if got := told[len(told)-1]; got != "closed after 0s: "+want {
					t.Errorf("the hooks were told %q, want %q at the end", told, "closed after 0s: "+want)
				}
				if want == "rejected" || want == "panic" {
					if got := told[len(told)-2]; !strings.HasSuffix(got, "0 responses, 0 bytes, "+want) {
						t.Errorf("the hooks were told %q, want the %s before the end", told, want)
					}
				}
			})
		})
	}
}

func TestReasonOfOtherErrors(t *testing.T) {
	for want, err := range map[string]error{
		"closed":    &Error{Op: "wait", Err: ErrDisconnected},
		"shut":      &Error{Op: "send", Err: net.ErrClosed},
		"timeout":   &Error{Op: "wait", Err: context.DeadlineExceeded},
		"cancelled": context.Canceled,
		"rejected":  &Error{Op: "handle", Err: io.ErrUnexpectedEOF},
		"panic":     &Error{Op: "handle", Err: &stream.PanicError{Value: ErrProtocol}},
		"other":     errors.New("strange"),
	} {
		if got := Reason(err); got != want {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
	}
}

func TestHeldExchangesAreHandledWhenTheyAreAnsweredOrNeverWillBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		listener := newMemoryListener()
		held := make(chan *Held, 9)
		ctx, end := context.WithCancel(t.Context())
		over := make(chan error)
		go func() {
			connections := New(Config{Hooks: r.hooks(), Grace: time.Second}).Accept(listener)
			over <- Exchanges(connections).ForEach(ctx, func(x Exchange) {
				x.Respond(Text("first"))
				held <- x.Hold()
			})
		}()
		conn, err := listener.dial(0)
		if err != nil {
			t.Fatalf("dial the listener: %v", err)
		}
		client := newPeer(t, conn).greet()
		client.send("one", "two", "three")
		one, two := <-held, <-held
		<-held
		synctest.Wait()
		if n := one.Connection().Held(); n != 3 {
			t.Errorf("%d answers wait, want 3", n)
		}
		same(t, r.told(), "opened", "received one", "received two", "received three")
		time.Sleep(time.Second)
		succeeds(t, "answer both held messages", errors.Join(two.Respond(ctx), one.Respond(ctx, Text("1234"))))
		same(t, r.told(), "handled two after 1s: 1 responses, 5 bytes, acknowledged", "handled one after 1s: 2 responses, 9 bytes, acknowledged")
		if n := one.Connection().Held(); n != 1 {
			t.Errorf("%d answers wait, want 1", n)
		}
		end()
		<-over
		same(t, r.told(), "handled three after 2.001s: 0 responses, 0 bytes, shut", "closed after 2.001s: closed") // with the grace
	})
}

func TestExchangesThatAreWithdrawnAreHandledAsNotAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		listener := newMemoryListener()
		ctx, end := context.WithCancelCause(t.Context())
		over := make(chan error)
		go func() {
			connections := New(Config{Hooks: r.hooks()}).Accept(listener)
			over <- Exchanges(connections).ForEach(ctx, func(x Exchange) {
				time.Sleep(time.Second) // the other one waits for its turn
				end(io.ErrNoProgress)
			})
		}()
		for range 2 {
			conn, err := listener.dial(0)
			if err != nil {
				t.Fatalf("dial the listener: %v", err)
			}
			client := newPeer(t, conn).greet()
			client.send("one")
			go func() {
				for got := client.next(); got != "EOF" && got != io.ErrClosedPipe.Error(); got = client.next() {
					if got == "close" {
						client.send(wire.KindCloseOK)
					}
				}
			}()
		}
		if err := <-over; err != io.ErrNoProgress {
			t.Errorf("serve the exchanges: got the error %v, want io.ErrNoProgress", err)
		}
		told := strings.Join(r.told(), "\n")
		if strings.Count(told, "received one") != 2 || strings.Count(told, "acknowledged") != 1 || strings.Count(told, "bytes, other") != 1 {
			t.Errorf("the hooks were told %s, want one received twice, acknowledged once and failed once", told)
		}
	})
}

func TestHookThatPanicsIsToldToTheLogAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		config := Config{Log: slog.New(slog.NewTextHandler(&log, nil)), Hooks: Hooks{
			ServerHooks: ServerHooks{
				Opened:   func(*Connection) { panic("hook opened") },
				Received: func(*Connection, Message) { panic("hook received") },
				Handled:  func(Handling) { panic("hook handled") },
				Closed:   func(Ending) { panic("hook closed") },
			},
		}}
		server := serve(t, config, fold.Sum[int](), echo)
		client := server.dial().greet()
		client.send("one")
		client.expect("ack", `"echo: one"`)
		client.leave()
		server.end()
		interrupted(t, <-server.result, 1, context.Canceled)
		contains(t, "the log", log.String(), "hook opened", "hook received", "hook handled", "hook closed", `level=ERROR msg="hook panicked"`)
	})
}

func TestHookThatBlocksHoldsUpItsConnectionAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		config := Config{Hooks: Hooks{ServerHooks: ServerHooks{
			Handled: func(h Handling) {
				if h.Message.Content() == "block" {
					<-goOn
				}
			},
		}}}
		server := serve(t, config, fold.Sum[int](), echo)
		blocked, free := server.dial().greet(), server.dial().greet()
		blocked.send("block")
		synctest.Wait()
		free.send("one")
		free.expect("ack", `"echo: one"`)
		close(goOn)
		blocked.expect("ack", `"echo: block"`)
		free.leave()
		blocked.leave()
		server.end()
		interrupted(t, <-server.result, 2, context.Canceled)
	})
}

func TestLogLinesTellWhichConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		options := &slog.HandlerOptions{Level: slog.LevelDebug}
		var c *Connection
		config := Config{Log: slog.New(slog.NewTextHandler(&log, options)), Hooks: Hooks{ServerHooks: ServerHooks{Opened: func(opened *Connection) { c = opened }}}}
		server := serve(t, config, fold.Sum[int](), echo)
		server.dial().greet().leave()
		server.end()
		<-server.result
		who := fmt.Sprintf("name=%s connection=%d", c.Name(), c.ID())
		contains(t, "the log", log.String(),
			`level=DEBUG msg="connection opened" `+who+"\n",
			`level=DEBUG msg="connection ended" `+who+" reason=closed\n",
		)
	})
}

func TestHooksTellWhoIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refused []string
		config, log := logging(Config{ServerConfig: ServerConfig{Clients: Users(fmt.Sprint(stranger.UID)), MaxPerUser: 1}, Hooks: Hooks{
			ServerHooks: ServerHooks{
				Refused: func(r Refusal) {
					peer, _ := r.Peer.Get()
					refused = append(refused, fmt.Sprint(peer, " ", Reason(r.Err)))
				},
			},
		}})
		server := serve(t, config, fold.Sum[int](), explode)
		guest := server.dialAs(stranger, nil)
		guest.greet()
		server.dialAs(stranger, nil).refused("too-many")
		other := Peer{PID: 8, UID: stranger.UID + 1}
		server.dialAs(other, nil).refused("refused")
		same(t, refused, fmt.Sprint(stranger, " too_many"), fmt.Sprint(other, " not_allowed"))
		guest.send("panic")
		guest.expect("close")
		guest.send(wire.KindCloseOK)
		guest.expect("EOF")
		server.end()
		<-server.result
		contains(t, "the log of a stranger whose handler panics", log.String(), fmt.Sprintf("peer.pid=7 peer.uid=%d peer.gid=1000 reason=panic", stranger.UID))
	})
}

func TestConnectionsHaveDifferentIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := make(chan uint64, 2)
		config := Config{Hooks: Hooks{ServerHooks: ServerHooks{Opened: func(c *Connection) { ids <- c.ID() }}}}
		server := serve(t, config, fold.Sum[int](), echo)
		server.dial().greet().leave()
		server.dial().greet().leave()
		server.end()
		<-server.result
		if one, two := <-ids, <-ids; one == two {
			t.Errorf("two connections have the numbers %d and %d, want different ones", one, two)
		}
	})
}
