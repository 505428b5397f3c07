package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

func TestRequestTellsItsResponseFromWhatIsPushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := opened(t, Config{Heartbeat: -1}, 0)
		server.send("pushed before")
		go func() {
			server.expect(`"a"`)
			server.send("pushed meanwhile", wire.KindAck, "re a", "more")
		}()
		receives(t, "request a", p.Request(t.Context(), Text("a")), "re a")
		for _, want := range []string{"pushed before", "pushed meanwhile", "more"} {
			receives(t, "wait for a message", p.Wait(t.Context()), want)
		}
		p.Conn().Close()
	})
}

func TestRequestAndSendMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := opened(t, Config{Heartbeat: -1}, 0)
		errs := make(chan error, 2)
		go func() { errs <- p.Send(t.Context(), Text("one way")).Err() }()
		synctest.Wait()
		go func() {
			m, err := p.Request(t.Context(), Text("a")).Get()
			if m != Text("re a") {
				t.Errorf("request a: got %v, want re a", m)
			}
			errs <- err
		}()
		server.expect(`"one way"`)
		synctest.Wait()
		server.send(wire.KindAck, "re one way", wire.KindAck, "re a")
		if a, b := <-errs, <-errs; a != nil || b != nil {
			t.Errorf("send one way and request a: got the errors %v and %v, want none", a, b)
		}
		receives(t, "wait for a message", p.Wait(t.Context()), "re one way")
		p.Conn().Close()
	})
}

func TestRequestWithoutResponseIsToldByTheNextAcknowledgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := opened(t, Config{Heartbeat: -1}, 0)
		type result struct {
			content string
			err     error
		}
		results := make([]chan result, 3)
		for i := range results {
			results[i] = make(chan result, 1)
			go func() {
				m, err := p.Request(t.Context(), Text(fmt.Sprint(i))).Get()
				results[i] <- result{m.Content(), err}
			}()
			synctest.Wait()
		}
		server.send(wire.KindAck, "re 0", wire.KindAck, wire.KindAck, "re 2")
		if r := <-results[0]; r.content != "re 0" {
			t.Errorf("request 0: got %+v, want re 0", r)
		}
		r := <-results[1]
		failsToSend(t, "request 1", r.err, 1, 1, ErrNoResponse)
		if r := <-results[2]; r.content != "re 2" {
			t.Errorf("request 2: got %+v, want re 2", r)
		}
		if p.replies.Len() != 0 || p.unread != 0 {
			t.Errorf("after all requests were answered: %d replies are due and %d bytes unread, want none", p.replies.Len(), p.unread)
		}
		p.Conn().Close()
	})
}

func TestRequestThatGaveUpDoesNotDisturbTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := opened(t, Config{Heartbeat: -1}, 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := p.Request(ctx, Text("a")).Err()
		failsToSend(t, "request a", err, 1, 0, context.DeadlineExceeded)
		go func() {
			server.expect(`"a"`, `"b"`)
			server.send(wire.KindAck, "re a", wire.KindAck, "re b")
		}()
		receives(t, "request b", p.Request(t.Context(), Text("b")), "re b")
		if p.replies.Len() != 0 || p.unread != 0 || p.inbox.Len() != 0 {
			t.Errorf("after both answers: %d replies are due, %d messages and %d bytes unread; want none", p.replies.Len(), p.inbox.Len(), p.unread)
		}
		p.Conn().Close()
	})
}

func TestSendAllAndRequestAllWhoseContextHasEndedSendNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := opened(t, Config{Heartbeat: -1}, 0)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, run := range []stream.Observable[Message]{p.SendAll(stream.Just(Text("a"))), p.RequestAll(stream.Just(Text("a")))} {
			err := run.Run(ctx)
			failsToSend(t, "run with a context that has ended", err, 0, 0, context.Canceled)
		}
		p.Conn().Close()
	})
}

func TestRequestAllEndsAtARequestWithoutResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := opened(t, Config{ClientConfig: ClientConfig{Window: 5}, Heartbeat: -1}, 0)
		go func() {
			time.Sleep(time.Second)
			server.send(wire.KindAck, "re 0", wire.KindAck, wire.KindAck, "re 2", wire.KindAck)
		}()
		var got []Message
		err := p.RequestAll(stream.FromSlice(texts(10))).ForEach(t.Context(), func(m Message) { got = append(got, m) })
		failsToSend(t, "request 10 messages", err, 5, 4, ErrNoResponse)
		same(t, got, Text("re 0"))
		server.send("re 3", wire.KindAck, "re 4", "pushed")
		receives(t, "wait for a message", p.Wait(t.Context()), "pushed")
		if p.replies.Len() != 0 || p.unread != 0 {
			t.Errorf("after the late answers: %d replies are due and %d bytes unread, want none", p.replies.Len(), p.unread)
		}
		p.Conn().Close()
	})
}

func TestRequestsOfManyGoroutinesGetTheirOwnResponses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{Heartbeat: -1}, fold.Sum[int](), echo)
		conn, _ := server.listener.dial(300)
		p := must(t, "attach to the connection", New(Config{Heartbeat: -1}).Attach(t.Context(), conn))
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				for j := range 20 {
					content := fmt.Sprint(i, ":", j)
					receives(t, "request "+content, p.Request(t.Context(), Text(content)), "echo: "+content)
				}
			})
		}
		all.Wait()
		p.Close(t.Context())
	})
}

func TestRequestFailsWithTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := opened(t, Config{Heartbeat: -1}, 0)
		go func() {
			server.expect(`"a"`)
			server.send(wire.KindAck)
			server.conn.Close()
		}()
		err := p.Request(t.Context(), Text("a")).Err()
		failsToSend(t, "request a", err, 1, 1, io.ErrUnexpectedEOF)
		err = p.Request(t.Context(), Text("b")).Err()
		failsToSend(t, "request b", err, 0, 0, io.ErrUnexpectedEOF)
		fails(t, "request an empty Message", p.Request(t.Context(), Message{}).Err(), ErrInvalid)
	})
}

// TestAcknowledgementsThatNobodyIsDueDoNotHarm has a server that acknowledges too much.
func TestAcknowledgementsThatNobodyIsDueDoNotHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := opened(t, Config{Heartbeat: -1}, 0)
		server.send(wire.KindAck, wire.KindAck, wire.KindAck)
		p.Send(t.Context())
		go func() {
			server.expect(`"a"`)
			server.send(wire.KindAck, "re a", wire.KindAck, wire.KindAck)
		}()
		receives(t, "request a", p.Request(t.Context(), Text("a")), "re a")
		p.Conn().Close()
	})
}

// A server of innmind/ipc 5.x gets a request once all before it were responded to: one that
// never began is not waited for.
func TestRequestThatDidNotBeginIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := newPipe(10)
		server := newPeer(t, theirs)
		go server.send(wire.KindStart)
		p, err := New(Config{Heartbeat: -1}).Attach(t.Context(), ours).Get()
		if err != nil {
			t.Fatal("attaching: ", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Request(ctx, Text("lost")).Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a request to a server that reads nothing: %v, want %v", err, context.DeadlineExceeded)
		}
		go func() {
			server.expect("start-ok", `"one"`)
			server.send(wire.KindAck, "1")
			server.expect("ack", `"two"`)
			server.send(wire.KindAck, "2")
		}()
		for _, request := range []string{"one", "two"} {
			if err := p.Request(t.Context(), Text(request)).Err(); err != nil {
				t.Errorf("request %s behind one that did not begin: %v", request, err)
			}
		}
		p.Conn().Close()
	})
}

// TestRequestAcknowledgesTheResponseBefore has a response come between the moment at which a
// request gets the write lock and the moment at which it gets its number. A server of
// innmind/ipc 5.x ends if the request comes before the acknowledgement.
func TestRequestAcknowledgesTheResponseBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := newPipe(0)
		server := newPeer(t, theirs)
		go server.send(wire.KindStart)
		p, err := New(Config{Heartbeat: -1}).Attach(t.Context(), ours).Get()
		if err != nil {
			t.Fatalf("Attach: %v", err)
		}
		answered := make(chan error, 1)
		go func() { answered <- p.Request(t.Context(), Text("a")).Err() }()
		server.expect("start-ok", `"a"`)
		succeeds(t, "lock the writer", p.frames.Lock(t.Context()))
		server.send(wire.KindAck, "answer to a")
		if err := <-answered; err != nil {
			t.Errorf("Request of a: %v", err)
		}
		_, err = p.writeNumbered(t.Context(), batch{messages: []Message{Text("b")}, request: true})
		p.frames.Unlock()
		if err != nil {
			t.Errorf("writing of b: %v", err)
		}
		server.expect("ack", `"b"`)
		p.Conn().Close()
	})
}
