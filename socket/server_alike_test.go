package socket

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
)

// TestServerAnswersASlowMessageBeforeTheNextOfTheSameRead sends messages that are alike and handed
// on together.
func TestServerAnswersASlowMessageBeforeTheNextOfTheSameRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{Heartbeat: -1}, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
			if m.Content() == "slow" {
				time.Sleep(2 * time.Second)
			}
			return c.CarryWith(count + 1)
		})
		client := server.dial().greet()
		start := time.Now()
		client.send("first", "slow", "slow", "last")
		for i, want := range []time.Duration{2 * time.Second, 2 * time.Second, 4 * time.Second, 4 * time.Second} {
			client.expect("ack")
			if got := time.Since(start); got != want {
				t.Errorf("acknowledgement %d of a quick, two slow and a quick message came after %v, want %v", i+1, got, want)
			}
		}
		client.leave()
		server.end()
		<-server.result
	})
}

// TestServerHandsOnAlikeMessagesInOrder has a handler keep the messages that came together.
func TestServerHandsOnAlikeMessagesInOrder(t *testing.T) {
	var kept []Message
	server := serve(t, Config{}, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
		kept = append(kept, m)
		return c.Respond(m).CarryWith(count + 1)
	})
	client := server.dial().greet()
	var parts []any
	var want []Message
	for i := range 100 {
		m := Text(strings.Repeat(string(rune('a'+i%26)), i%40))
		parts, want = append(parts, m), append(want, m)
	}
	go client.send(parts...)
	for _, m := range want {
		client.expect("ack", `"`+m.Content()+`"`)
	}
	client.leave()
	server.end()
	<-server.result
	if !slices.Equal(kept, want) {
		t.Errorf("kept the messages that came together: got %q, want %q", kept, want)
	}
}
