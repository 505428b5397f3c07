package socket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// world is a server and clients that do things at random, and what came of it.
type world struct {
	t      *testing.T
	random func(n int) int
	server *memoryListener
	config Config

	mu      sync.Mutex
	handled []string
	acked   []string
	end     context.CancelFunc
}

func TestWhateverHappensAcknowledgedMessagesWereHandledOnceAndInOrder(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runWorld(t, seed) })
		})
	}
}

func runWorld(t *testing.T, seed uint64) {
	random := newRandom(seed)
	lock := make(chan struct{}, 1)
	w := &world{t: t, server: newMemoryListener(), random: func(n int) int {
		lock <- struct{}{}
		defer func() { <-lock }()
		return random.IntN(n)
	}}
	w.config = Config{MaxHeld: 1 + w.random(4), Heartbeat: time.Duration(1+w.random(2000)) * time.Millisecond, MaxUnread: 20_000}
	ctx, cancel := context.WithCancel(t.Context())
	w.end = cancel
	ended := make(chan error)
	go func() { ended <- w.serve(ctx) }()
	var clients sync.WaitGroup
	for i := range 1 + w.random(5) {
		clients.Go(func() { w.client(t.Context(), i) })
	}
	clients.Wait()
	cancel()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	time.Sleep(time.Minute) // for the holders that are late
	w.check()
}

// serve handles exchanges in one of the two ways.
func (w *world) serve(ctx context.Context) error {
	connections := New(w.config).Accept(w.server)
	if w.random(2) == 0 {
		return Exchanges(connections).ForEach(ctx, func(x Exchange) { w.handle(ctx, x) })
	}
	return operators.MergeMap(func(c *Connection) stream.Observable[Exchange] {
		return func(ctx context.Context, _ func(Exchange) bool) error {
			c.Exchanges().ForEach(ctx, func(x Exchange) { w.handle(ctx, x) })
			return nil
		}
	})(connections).Run(ctx)
}

func (w *world) handle(ctx context.Context, x Exchange) {
	w.mu.Lock()
	w.handled = append(w.handled, x.Content())
	w.mu.Unlock()
	switch w.random(12) {
	case 0:
		time.Sleep(time.Duration(w.random(100)) * time.Millisecond)
	case 1, 2, 3:
		held := x.Hold()
		go func() {
			time.Sleep(time.Duration(w.random(300)) * time.Millisecond)
			held.Respond(ctx, Text("held"))
		}()
	case 4:
		go func() {
			limited, cancel := context.WithTimeout(ctx, time.Duration(w.random(100))*time.Millisecond)
			defer cancel()
			x.Connection().Send(limited, Text(strings.Repeat("p", w.random(3000))))
		}()
	case 5:
		x.Respond(Text(strings.Repeat("r", w.random(3000))), Text("r"))
	case 6:
		if w.random(10) == 0 {
			x.Connection().Close()
		}
	case 7:
		if w.random(40) == 0 {
			w.end()
		}
	default:
		x.Respond(Text("re"))
	}
}

// client connects some times and does things.
func (w *world) client(ctx context.Context, number int) {
	for life := range 1 + w.random(3) {
		conn, err := w.server.dial(50 + w.random(2000))
		if err != nil {
			return
		}
		p, err := New(w.config).Attach(ctx, conn).Get()
		if err != nil {
			return
		}
		var sender sync.WaitGroup
		sender.Go(func() {
			for i := range 30 {
				if !w.act(ctx, p, fmt.Sprintf("%d.%d:%03d", number, life, i)) {
					return
				}
			}
			if err := p.Close(ctx).Err(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				w.t.Error(err)
			}
		})
		p.Messages().Run(ctx)
		sender.Wait()
		p.Conn().Close()
	}
}

// act does one thing and reports whether to go on.
func (w *world) act(ctx context.Context, p *Process, content string) bool {
	limit := time.Hour
	switch w.random(20) {
	case 0:
		time.Sleep(time.Duration(w.random(3000)) * time.Millisecond)
	case 1, 2:
		limit = time.Duration(w.random(50)) * time.Millisecond
	case 3:
		if w.random(10) == 0 {
			p.Conn().Close() // killed
			return false
		}
	case 4:
		if w.random(10) == 0 {
			p.Close(ctx)
			return false
		}
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := p.Send(ctx, NewMessage(OctetStream(), content+strings.Repeat(".", w.random(2000)))).Err()
	if err == nil {
		w.mu.Lock()
		w.acked = append(w.acked, content)
		w.mu.Unlock()
		return true
	}
	if limit == time.Hour && errors.Is(err, context.DeadlineExceeded) {
		w.t.Error("stuck", err)
	}
	return errors.Is(err, context.DeadlineExceeded)
}

// check compares what was handled with what was acknowledged.
func (w *world) check() {
	last, seen := map[string]string{}, map[string]bool{}
	for _, content := range w.handled {
		content = strings.TrimRight(content, ".")
		life, number, _ := strings.Cut(content, ":")
		if last[life] >= number {
			w.t.Errorf("%s came after %s", content, last[life])
		}
		last[life], seen[content] = number, true
	}
	for _, content := range w.acked {
		if !seen[content] {
			w.t.Errorf("%s was acknowledged and not handled", content)
		}
	}
	if len(w.handled) > 0 && !slices.ContainsFunc(w.handled, func(s string) bool { return s != "" }) {
		w.t.Error("nothing happened")
	}
}
