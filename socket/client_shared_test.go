package socket

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// TestSharedWriteIsOneForManyCallers has many callers make requests in the same moment.
func TestSharedWriteIsOneForManyCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{Heartbeat: -1}, 0)
		const callers = 50
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				if m, err := p.Request(t.Context(), Text(fmt.Sprint(i))).Get(); m != Text("re") || err != nil {
					t.Errorf("request %d got %v, %v, want its response", i, m, err)
				}
			})
		}
		synctest.Wait()
		writes := len(p.Conn().(*pipeConn).recorded())
		if writes > callers/2 {
			t.Errorf("%d requests made in the same moment took %d writes, want a few", callers, writes)
		}
		server.expect("start-ok")
		for range callers {
			server.next()
		}
		for range callers {
			server.send(wire.KindReceived, "re")
		}
		all.Wait()
		p.Conn().Close()
	})
}

// TestSharedWriteThatFailsTellsEachCallerAboutItsMessage lets a connection break while messages
// of several callers are written in part. Callers whose message never left learn that.
func TestSharedWriteThatFailsTellsEachCallerAboutItsMessage(t *testing.T) {
	const callers, size = 8, 150
	for room := 1; room < 1000; room += 37 {
		synctest.Test(t, func(t *testing.T) {
			p, server := attached(t, Config{Heartbeat: -1}, room)
			ask := func(content string, failed *error) func() {
				return func() { *failed = p.Request(t.Context(), Text(content)).Err() }
			}
			var all sync.WaitGroup
			var errs [callers]error
			var first error
			all.Go(ask("first", &first))
			server.expect("start-ok", `"first"`)
			for i := range callers {
				all.Go(ask(fmt.Sprint(i, strings.Repeat("x", size)), &errs[i]))
			}
			synctest.Wait()
			server.conn.Close()
			all.Wait()
			written := string(p.Conn().(*pipeConn).out.written)
			begun := 0
			for i, err := range errs {
				e := sendError(t, err)
				begun += e.Sent
				if left := strings.Contains(written, fmt.Sprint(i, "x")); left && e.Sent != 1 || e.Acknowledged != 0 || e.Doubtful() != e.Sent {
					t.Errorf("with room for %d bytes request %d, written: %v, failed with %d sent, %d doubtful: %v", room, i, left, e.Sent, e.Doubtful(), err)
				}
			}
			frame := wire.FrameSize(Text("0" + strings.Repeat("x", size)).wire())
			bytes := room - max(0, room-callers*frame)
			if want := (bytes + frame - 1) / frame; begun != want {
				t.Errorf("with room for %d bytes %d requests of %d bytes each say that they were sent, want %d", room, begun, frame, want)
			}
			if e := sendError(t, first); e.Sent != 1 {
				t.Errorf("the request before them failed with %d sent, want 1: %v", e.Sent, first)
			}
		})
	}
}

// TestRequestsInFlightKnowWhichOneWasRejected has a server reject the first of three requests.
func TestRequestsInFlightKnowWhichOneWasRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{Heartbeat: -1}, 0)
		var errs [3]error
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { errs[i] = p.Request(t.Context(), Text(fmt.Sprint(i))).Err() })
			synctest.Wait()
		}
		server.expect("start-ok", `"0"`, `"1"`, `"2"`)
		server.send([]byte(wire.CloseReason{Code: wire.ReasonRejected}.Frame()))
		all.Wait()
		for i, want := range []int{1, 0, 0} {
			if e := sendError(t, errs[i]); e.Sent != 1 || e.Doubtful() != want || !errors.Is(e, ErrRejected) {
				t.Errorf("request %d of 3 behind one that was rejected: got %d doubtful, want %d: %v", i, e.Doubtful(), want, e)
			}
		}
		server.conn.Close()
	})
}
