//go:build unix

package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// client is a client process. It plays one session after the other until it receives
// SIGTERM.
type client struct {
	chance *rand.Rand
	dir    string
	ipc    *socket.IPC
	next   uint64  // number of the next message; no other client uses it
	acked  journal // numbers of the acknowledged messages
	played map[string]int
	failed []failure // failed requests of its pools
}

// session is a kind of behaviour, with the weight with which it is chosen.
type session struct {
	name   string
	weight int
	play   func(*client, context.Context)
}

var sessions []session

func init() {
	sessions = []session{
		{"messages in order", 45, (*client).sendSome},
		{"requests and responses", 20, (*client).ask},
		{"lent responses", 15, (*client).askLent},
		{"requests of a pool", 20, (*client).askAPool},
		{"left without a word", 5, (*client).leave},
		{"flood without reading", 4, (*client).flood},
		{"half-closed", 4, (*client).halfClose},
		{"frame cut at every byte", 3, (*client).cut},
		{"trickled bytes", 4, (*client).trickle},
		{"garbage", 4, (*client).garbage},
		{"oversize length", 3, (*client).oversize},
		{"connects that say nothing", 3, (*client).crowd},
		{"no handshake, then messages", 2, (*client).impatient},
	}
}

func newClient(dir string, number, seed uint64) *client {
	return &client{
		chance: rand.New(rand.NewPCG(seed, number+1)),
		dir:    dir,
		ipc:    socket.New(socket.Config{Transport: transportOf(dir), ClientConfig: socket.ClientConfig{MaxUnread: 1 << 20}}),
		next:   number << 40,
		acked:  openJournal(dir, "client", number),
		played: make(map[string]int),
	}
}

func (c *client) play() {
	ctx, stop := socket.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	whole := 0
	for _, s := range sessions {
		whole += s.weight
	}
	c.sendSome(ctx) // opens what stays open for the life of the process
	goroutines, open := runtime.NumGoroutine(), descriptors()
	for ctx.Err() == nil {
		s := choose(c.chance.IntN(whole))
		s.play(c, ctx)
		c.played[s.name]++
		pause(ctx, time.Duration(c.chance.IntN(200))*time.Millisecond)
	}
	say(report{Played: c.played, Failed: c.failed, Left: left(goroutines, open)})
}

func choose(n int) session {
	for _, s := range sessions {
		if n -= s.weight; n < 0 {
			return s
		}
	}
	panic("choose a session: the number exceeds the sum of the weights")
}

// left describes the goroutines and descriptors that remain, "" if there are none.
func left(goroutines, open int) string {
	for patience := time.Now().Add(10 * time.Second); time.Now().Before(patience); runtime.Gosched() {
		if runtime.NumGoroutine() <= goroutines && descriptors() <= open {
			return ""
		}
	}
	stacks := make([]byte, 1<<16)
	return fmt.Sprintf("%d goroutines, %d before; %d descriptors, %d before\n%s", runtime.NumGoroutine(), goroutines,
		descriptors(), open, stacks[:runtime.Stack(stacks, true)])
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// connected calls f with a connection to the server, and closes it.
func (c *client) connected(ctx context.Context, f func(context.Context, *socket.Process)) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	p, err := c.ipc.ConnectTo(ctx, victim).Get()
	if err != nil {
		return
	}
	f(ctx, p)
	p.Close(ctx)
}

// messages makes n messages with unused numbers.
func (c *client) messages(n int, reply bool) (messages []socket.Message, numbers []uint64) {
	for range n {
		padding := c.chance.IntN(100)
		if c.chance.IntN(200) == 0 {
			padding = c.chance.IntN(1 << 20)
		}
		messages = append(messages, messageOf(c.next, reply, padding))
		numbers = append(numbers, c.next)
		c.next++
	}
	return messages, numbers
}

// send sends messages and records the acknowledged ones.
func (c *client) send(ctx context.Context, p *socket.Process, messages []socket.Message, numbers []uint64) bool {
	err := p.Send(ctx, messages...).Err()
	acknowledged := len(numbers)
	var partly *socket.SendError
	if errors.As(err, &partly) {
		acknowledged = partly.Acknowledged
	}
	c.acked.add(numbers[:acknowledged]...)
	c.played["unacknowledged"] += len(numbers) - acknowledged
	return err == nil
}

// sendSome sends messages that want no reply.
func (c *client) sendSome(ctx context.Context) {
	c.connected(ctx, func(ctx context.Context, p *socket.Process) {
		for range 1 + c.chance.IntN(4) {
			messages, numbers := c.messages(1+c.chance.IntN(64), false)
			if !c.send(ctx, p, messages, numbers) {
				return
			}
		}
	})
}

// ask sends messages and checks the reply to each.
func (c *client) ask(ctx context.Context) {
	c.connected(ctx, func(ctx context.Context, p *socket.Process) {
		for range 1 + c.chance.IntN(4) {
			messages, numbers := c.messages(1+c.chance.IntN(8), true)
			if !c.send(ctx, p, messages, numbers) {
				return
			}
			for _, m := range messages {
				reply, err := p.Wait(ctx).Get()
				if err != nil {
					return
				}
				if reply != m {
					panic(fmt.Sprintf("wait for the reply to %v: got %v", m, reply))
				}
			}
		}
	})
}

// askLent makes requests from some goroutines and checks each response while it is lent.
func (c *client) askLent(ctx context.Context) {
	c.connected(ctx, func(ctx context.Context, p *socket.Process) {
		var callers sync.WaitGroup
		for range 1 + c.chance.IntN(8) {
			messages, numbers := c.messages(1+c.chance.IntN(16), true)
			callers.Go(func() {
				for i, m := range messages {
					err := p.RequestView(ctx, m, func(v socket.View) error {
						if string(v.Bytes()) != m.Content() {
							panic(fmt.Sprintf("request %v: got the lent response %v", m, v))
						}
						return nil
					})
					if err != nil {
						return
					}
					c.acked.add(numbers[i])
				}
			})
		}
		callers.Wait()
	})
}

// leave sends messages and closes the socket without the closing of the protocol.
func (c *client) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	p, err := c.ipc.ConnectTo(ctx, victim).Get()
	if err != nil {
		return
	}
	messages, numbers := c.messages(1+c.chance.IntN(8), true)
	c.send(ctx, p, messages, numbers)
	p.Conn().Close()
	p.Close(ctx)
}
