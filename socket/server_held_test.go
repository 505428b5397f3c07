package socket

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// holding runs a server that holds the exchanges whose content begins with "hold",
// and hands them over.
func holding(t *testing.T, config Config) (*memoryListener, chan *Held, context.CancelFunc, chan error) {
	ctx, cancel := context.WithCancel(t.Context())
	helds := make(chan *Held, 100)
	listener, ended := merging(ctx, config, func(ctx context.Context, exchanges stream.Observable[Exchange]) error {
		return exchanges.ForEach(ctx, func(x Exchange) {
			if !strings.HasPrefix(x.Content(), "hold") {
				x.Respond(Text("re: " + x.Content()))
				return
			}
			held := x.Hold()
			if held != x.Hold() {
				t.Error("Hold returned two different Helds for one exchange, want the same")
			}
			helds <- held
		})
	})
	return listener, helds, cancel, ended
}

func TestHeldAnswersLeaveInTheOrderOfTheMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, helds, _, _ := holding(t, Config{Heartbeat: -1})
		client := listener.client(t, 0).greet()
		client.send("a", "hold 1", "b", "hold 2", "c")
		one, two := <-helds, <-helds
		client.expect("ack", `"re: a"`)
		succeeds(t, "answer the second held message", two.Respond(t.Context(), Text("2"), Text("2 too")))
		synctest.Wait()
		same(t, decoded(peerChunks(client)), "heartbeat start", `ack "re: a"`)
		succeeds(t, "acknowledge the first held message", one.Respond(t.Context()))
		client.expect("ack", "ack", `"re: b"`, "ack", `"2"`, `"2 too"`, "ack", `"re: c"`)
		fails(t, "acknowledge the first held message again", one.Respond(t.Context()), ErrAnswered)
		if one.Content() != "hold 1" || one.Connection() != two.Connection() {
			t.Errorf("the first held message is %v, want hold 1 on the connection of the second", one)
		}
		same(t, decoded(peerChunks(client)), "heartbeat start", `ack "re: a"`, `ack ack "re: b" ack "2" "2 too" ack "re: c"`)
		client.leave()
		listener.Close()
	})
}

// TestHeldAnswerUnderWayIsWrittenBeforeTheReasonToClose breaks a limit behind a held message.
// The answer does not fit into the pipe, so it is still being written when no message is held
// any more and the server closes.
func TestHeldAnswerUnderWayIsWrittenBeforeTheReasonToClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, helds, _, _ := holding(t, Config{MaxMessage: 200, Heartbeat: -1})
		client := listener.client(t, 100)
		client.expect("start")
		client.send([]byte(wire.MarkedStartOK))
		client.send("hold")
		held := <-helds
		client.send([]byte(raw(wire.TextPlain, 201, "", 0xCE)))
		synctest.Wait()
		answered := make(chan error, 1)
		go func() { answered <- held.Respond(t.Context(), Text(strings.Repeat("y", 200))) }()
		synctest.Wait()
		client.expect("ack", `"200 bytes"`, "close: reason=too-large, limit=200")
		if err := <-answered; err != nil {
			t.Errorf("Respond, while the connection ends: got %v, want nil", err)
		}
		client.expectEnd()
		client.conn.Close()
		listener.Close()
	})
}

func TestMaxHeldStopsReadingButNotAnswering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, helds, _, _ := holding(t, Config{ServerConfig: ServerConfig{MaxHeld: 2}, Heartbeat: -1})
		client := listener.client(t, 0).greet()
		client.send("a", "hold 1", "hold 2", "hold 3", "b")
		client.expect("ack", `"re: a"`)
		one, two := <-helds, <-helds
		synctest.Wait()
		if len(helds) != 0 {
			t.Error("a third message was handled beside two that are held, want that it waits")
		}
		two.Respond(t.Context())
		synctest.Wait()
		if len(helds) != 0 {
			t.Error("a third message was handled while the first is held, want that it waits")
		}
		one.Respond(t.Context())
		client.expect("ack", "ack")
		(<-helds).Respond(t.Context())
		client.expect("ack", "ack", `"re: b"`)
		client.leave()
		listener.Close()
	})
}

func TestConnectionThatIsFullStillSendsTheAnswersBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, helds, _, _ := holding(t, Config{ServerConfig: ServerConfig{MaxHeld: 1}, Heartbeat: -1})
		client := listener.client(t, 0).greet()
		client.send("a", "hold 1", "hold 2")
		client.expect("ack", `"re: a"`)
		(<-helds).Respond(t.Context())
		(<-helds).Respond(t.Context())
		client.expect("ack", "ack")
		client.leave()
		listener.Close()
	})
}

func TestHeldAfterTheConnectionIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, helds, _, _ := holding(t, Config{})
		client := listener.client(t, 0).greet()
		client.send("hold")
		held := <-helds
		client.leave()
		synctest.Wait()
		fails(t, "answer a held message", held.Respond(t.Context(), Text("late")), net.ErrClosed)
		listener.Close()
	})
}

func TestHeldAnswerThatIsRefusedCanBeGivenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, helds, _, _ := holding(t, Config{})
		client := listener.client(t, 0).greet()
		client.send("hold")
		held := <-helds
		fails(t, "answer a held message", held.Respond(t.Context(), Text("innmind/ipc:ack")), ErrReserved)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		fails(t, "answer a held message", held.Respond(ctx), context.Canceled)
		succeeds(t, "answer a held message", held.Respond(t.Context(), Text("fine")))
		client.expect("ack", `"fine"`)
		client.leave()
		listener.Close()
	})
}

func TestCloseWaitsForWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, helds, cancel, ended := func() (*memoryListener, chan *Held, context.CancelFunc, chan error) {
			l, h, c, e := holding(t, Config{Grace: 10 * time.Second, Heartbeat: -1})
			go func() {
				client := l.client(t, 0).greet()
				client.send("hold 1", "hold 2")
				client.expect("ack", `"in time"`, "close")
				client.send(wire.KindCloseOK)
			}()
			return l, h, c, e
		}()
		one, two := <-helds, <-helds
		cancel()
		time.Sleep(5 * time.Second)
		succeeds(t, "answer the first held message in time", one.Respond(t.Context(), Text("in time")))
		<-ended
		fails(t, "answer the second held message too late", two.Respond(t.Context()), net.ErrClosed)
	})
}

func TestRespondAndHoldMakeOneAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, _ := merging(t.Context(), Config{}, func(ctx context.Context, exchanges stream.Observable[Exchange]) error {
			return exchanges.ForEach(ctx, func(x Exchange) {
				x.Respond(Text("first"))
				held := x.Hold()
				fails(t, "answer an exchange that is held", x.Respond(Text("no more")), ErrAnswered)
				x.Reject(errors.New("not any more"))
				go func() {
					time.Sleep(time.Millisecond)
					held.Respond(ctx, Text("second"))
				}()
			})
		})
		client := listener.client(t, 0).greet()
		client.send("ask", "again")
		client.expect("ack", `"first"`, `"second"`, "ack", `"first"`, `"second"`)
		client.leave()
		listener.Close()
	})
}

func TestHeldAnswersFromManyGoroutinesKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, helds, _, _ := holding(t, Config{})
		client := listener.client(t, 50).greet()
		go func() {
			for held := range helds {
				go func() {
					time.Sleep(time.Duration(newRandom(uint64(held.Content()[5])).IntN(1000)) * time.Microsecond)
					held.Respond(t.Context(), held.Message)
				}()
			}
		}()
		go func() {
			for i := range 90 {
				client.send("hold " + string(rune(' '+i)))
			}
		}()
		for i := range 90 {
			client.expect("ack", describeMessage(Text("hold "+string(rune(' '+i)))))
		}
		close(helds)
		client.leave()
		listener.Close()
	})
}

func TestHeldThatIsRejectedEndsItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var handled []error
		config := Config{Heartbeat: -1, Hooks: Hooks{ServerHooks: ServerHooks{Handled: func(h Handling) { handled = append(handled, h.Err) }}}}
		listener, helds, _, _ := holding(t, config)
		client := listener.client(t, 0)
		client.expect("start")
		client.send([]byte(wire.MarkedStartOK))
		client.send("hold 1", "hold 2", "b", "hold 3")
		one, two, three := <-helds, <-helds, <-helds
		synctest.Wait()
		no := errors.New("no")
		two.Reject(no)
		two.Reject(errors.New("nor again"))
		fails(t, "answer the message that was rejected", two.Respond(t.Context()), ErrAnswered)
		fails(t, "answer a message behind it", three.Respond(t.Context()), net.ErrClosed)
		succeeds(t, "answer a message before it", one.Respond(t.Context()))
		one.Reject(errors.New("too late"))
		client.expect("ack", "close: reason=rejected, unsettled=yes")
		fails(t, "end the connection", one.Connection().Err(), no)
		client.send(wire.KindCloseOK)
		client.expectEnd()
		client.conn.Close()
		listener.Close()
		synctest.Wait()
		if len(handled) != 4 || handled[0] != nil || handled[1] != no || handled[2] != nil || !errors.Is(handled[3], net.ErrClosed) {
			t.Errorf("the hook Handled got the errors %v, want none for b and hold 1, %v for hold 2 and %v for hold 3", handled, no, net.ErrClosed)
		}
	})
}

// TestHeldThatIsRejectedIsBlamedAlone rejects a message behind one that is not answered within
// the grace: the first message without an acknowledgement is not the rejected one then.
func TestHeldThatIsRejectedIsBlamedAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, helds, _, _ := holding(t, Config{Heartbeat: -1})
		for _, c := range []struct {
			held int
			want string
		}{{1, "close: reason=rejected"}, {2, "close: reason=unsettled"}} {
			client := listener.client(t, 0)
			client.expect("start")
			client.send([]byte(wire.MarkedStartOK))
			for range c.held - 1 {
				client.send("hold")
				<-helds
			}
			client.send("hold")
			(<-helds).Reject(nil)
			client.expect(c.want)
			client.conn.Close()
		}
		listener.Close()
	})
}
