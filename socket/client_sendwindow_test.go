package socket

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// TestWindowBytesAtItsBounds has messages wait whose frames are of 77 bytes each.
func TestWindowBytesAtItsBounds(t *testing.T) {
	m := Text(strings.Repeat("x", 60))
	for _, test := range []struct{ windowBytes, inFlight int }{
		{-1, 1}, {1, 1}, {77, 1}, {78, 2}, {2 * 77, 2}, {2*77 + 1, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			p, server := opened(t, Config{ClientConfig: ClientConfig{WindowBytes: test.windowBytes}, Heartbeat: -1}, 0)
			sent := make(chan error)
			go func() { sent <- p.Send(t.Context(), m, m, m, m).Err() }()
			synctest.Wait()
			if got := p.InFlight(); got != test.inFlight {
				t.Errorf("WindowBytes %d: %d messages of 77 bytes are in flight, want %d", test.windowBytes, got, test.inFlight)
			}
			for range 4 {
				server.send(wire.KindAck)
				synctest.Wait()
			}
			if err := <-sent; err != nil {
				t.Errorf("WindowBytes %d: Send of 4 messages, all acknowledged: %v", test.windowBytes, err)
			}
			p.Conn().Close()
		})
	}
}

// TestSendWindowWritesABoundedSize has two messages wait that are together as long
// as a write, or by one byte longer.
func TestSendWindowWritesABoundedSize(t *testing.T) {
	half := wire.FlushAt/2 - wire.FrameSize(Text("").wire())
	for _, test := range []struct{ size, writes int }{{half, 1}, {half + 1, 2}} {
		synctest.Test(t, func(t *testing.T) {
			p, server := opened(t, Config{Heartbeat: -1}, 0)
			before := len(peerChunks(server))
			sent := make(chan error)
			go func() {
				sent <- p.Send(t.Context(), Text(strings.Repeat("x", half)), Text(strings.Repeat("y", test.size))).Err()
			}()
			synctest.Wait()
			if got := len(peerChunks(server)) - before; got != test.writes {
				t.Errorf("contents of %d and %d bytes left in %d writes, want %d", half, test.size, got, test.writes)
			}
			server.send(wire.KindAck, wire.KindAck)
			if err := <-sent; err != nil {
				t.Errorf("Send of two messages, both acknowledged: %v", err)
			}
			p.Conn().Close()
		})
	}
}

// TestSendWindowIsRecycledEmpty looks at a window whose run ended with everything it can hold.
func TestSendWindowIsRecycledEmpty(t *testing.T) {
	w := &sendWindow{answers: make([]answer, 2, 8), inFlight: 1, bytes: 10, ready: 2, delivered: 1, request: true}
	w.answers[0].message, w.answers[1].message = Text("a"), Text("b")
	w.queue.Push(Text("c"))
	w.spans.Push(span{})
	w.recycle()
	if w.queue.Len() != 0 || w.spans.Len() != 0 || len(w.answers) != 0 {
		t.Errorf("a recycled window holds %d messages, %d spans and %d answers, want none", w.queue.Len(), w.spans.Len(), len(w.answers))
	}
	if kept := w.answers[:2]; kept[0] != (answer{}) || kept[1] != (answer{}) {
		t.Errorf("a recycled window keeps the answers %v, want none", kept)
	}
	if w.inFlight+w.bytes+w.ready+w.delivered != 0 || w.request {
		t.Errorf("a recycled window is %+v, want all counts zero", w)
	}
}

// TestSendAllThatIsLeftEndsASourceWithoutEnd has a source that asks for nothing but yield.
func TestSendAllThatIsLeftEndsASourceWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := opened(t, Config{ClientConfig: ClientConfig{Window: 2}, Heartbeat: -1}, 0)
		endless := func(_ context.Context, yield func(Message) bool) error {
			for yield(Text("again")) {
			}
			return nil
		}
		go func() {
			synctest.Wait() // the source waits for room
			server.send(wire.KindAck)
		}()
		if m, err := p.SendAll(endless).First(t.Context()).Get(); m != Text("again") || err != nil {
			t.Errorf("First of SendAll of a source without end = %v, %v; want again", m, err)
		}
		p.Conn().Close()
	})
}
