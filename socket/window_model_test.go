package socket

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// TestWhateverHappensToAWindowItsErrorTellsTheTruth sends in all ways, one after the
// other, over connections and to servers of all kinds, with contexts that end and
// connections that break.
func TestWhateverHappensToAWindowItsErrorTellsTheTruth(t *testing.T) {
	for seed := range uint64(80) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { flyAtRandom(t, seed) })
		})
	}
}

func flyAtRandom(t *testing.T, seed uint64) {
	random := newRandom(seed)
	config := Config{
		Window: 1 + random.IntN(20), WindowBytes: 1 + random.IntN(5000), MaxUnread: 1000 + random.IntN(100_000),
		Dialect: Dialect(random.IntN(4) / 3), Heartbeat: time.Duration(1+random.IntN(100)) * time.Millisecond,
	}
	var mu sync.Mutex
	var handled []string
	pace, dies := time.Duration(random.IntN(3))*time.Millisecond, random.IntN(300)
	server := serve(t, config, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
		mu.Lock()
		handled = append(handled, strings.TrimRight(m.Content(), "."))
		mu.Unlock()
		if count == dies {
			c.Connection().Conn().Close()
		}
		time.Sleep(pace)
		return c.Respond(NewMessage(m.MediaType(), "re "+m.Content())).CarryWith(count + 1)
	})
	conn, _ := server.listener.dial(1 + random.IntN(3000))
	p, err := New(config).Attach(t.Context(), conn).Get()
	if err != nil {
		t.Fatal(err)
	}

	var acknowledged, unsent []string
	number := 0
	for range 20 {
		var names []string
		var messages []Message
		for range 1 + random.IntN(40) {
			names = append(names, fmt.Sprint(number))
			messages = append(messages, Text(fmt.Sprint(number, strings.Repeat(".", random.IntN(2)*random.IntN(500)))))
			number++
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+random.IntN(60))*time.Millisecond)
		var err error
		switch source := stream.FromSlice(messages); random.IntN(3) {
		case 0:
			err = p.Send(ctx, messages...).Err()
		case 1:
			i := 0
			err = p.SendAll(source).ForEach(ctx, func(m Message) {
				if m != messages[i] {
					t.Error(i, m)
				}
				i++
			})
		case 2:
			i := 0
			err = p.RequestAll(source).ForEach(ctx, func(m Message) {
				if m.Content() != "re "+messages[i].Content() {
					t.Error(i, m.Content()[:min(20, m.Len())])
				}
				i++
			})
		}
		cancel()
		e := &SendError{Acknowledged: len(messages), Sent: len(messages)}
		if err != nil {
			e = sendError(t, err)
		}
		acknowledged = append(acknowledged, names[:e.Acknowledged]...)
		unsent = append(unsent, names[e.Sent:]...)
		p.mu.Lock()
		for p.inbox.len() > 0 {
			p.take()
		}
		p.mu.Unlock()
	}
	p.Close(t.Context())
	server.end()
	<-server.result

	for _, name := range acknowledged {
		if !slices.Contains(handled, name) {
			t.Error("acknowledged and not handled:", name)
		}
	}
	for _, name := range unsent {
		if slices.Contains(handled, name) {
			t.Error("not sent and handled:", name)
		}
	}
	t.Logf("%d acknowledged, %d not sent, %d handled of %d", len(acknowledged), len(unsent), len(handled), number)
	last := -1
	for _, name := range handled {
		var n int
		if fmt.Sscan(name, &n); n <= last {
			t.Error("handled twice, or out of order:", name)
		}
		last = n
	}
}
