package socket_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/sockettest"
	"github.com/rxipc/rxipc/stream"
)

// committing is a server that stores exchanges in batches of up to count.
func committing(ipc *socket.IPC, count int, store func(context.Context, []*socket.Held) error) stream.Observable[[]*socket.Held] {
	return stream.Pipe3(
		socket.Exchanges(ipc.Listen(idler)),
		operators.Map(func(x socket.Exchange) *socket.Held {
			x.Respond(x.Message)
			return x.Hold()
		}),
		operators.BufferTimeOrCount[*socket.Held](100*time.Millisecond, count),
		socket.Commit(store),
	)
}

// numbered makes messages.
func numbered(count int) (messages []socket.Message) {
	for i := range count {
		messages = append(messages, socket.Text(fmt.Sprint(i)))
	}
	return messages
}

// TestCommitStoresManyExchangesAtOnce has batches of more exchanges than 64 of one connection.
func TestCommitStoresManyExchangesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := socket.Config{Transport: sockettest.NewNetwork()}
		config.MaxHeld = 100
		ipc := socket.New(config)
		ctx, end := context.WithCancel(t.Context())
		var serving sync.WaitGroup
		stored, acknowledged, most := 0, 0, 0
		serving.Go(func() {
			committing(ipc, 100, func(_ context.Context, batch []*socket.Held) error {
				stored, most = stored+1, max(most, len(batch))
				return nil
			}).ForEach(ctx, func(batch []*socket.Held) { acknowledged += len(batch) })
		})
		p, err := ipc.ConnectTo(ctx, idler).Get()
		if err != nil {
			t.Fatalf("connect: got %v, want no error", err)
		}
		start := time.Now()
		responses, err := p.RequestAll(stream.FromSlice(numbered(1000))).Collect(ctx)
		if err != nil || len(responses) != 1000 {
			t.Errorf("1000 requests: got %d responses, %v; want 1000", len(responses), err)
		}
		if took := time.Since(start); stored != 10 || most != 100 || took != 0 {
			t.Errorf("1000 requests in batches of 100: got %d batches of up to %d, after %v; want 10 of 100 at once", stored, most, took)
		}
		p.Close(ctx)
		end()
		serving.Wait()
		if acknowledged != 1000 {
			t.Errorf("the stage emitted %d exchanges, want 1000", acknowledged)
		}
	})
}

func TestCommitThatFailsAcknowledgesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ipc := socket.New(socket.Config{Transport: sockettest.NewNetwork()})
		full := errors.New("no space left")
		ended := make(chan error, 1)
		go func() {
			ended <- committing(ipc, 3, func(context.Context, []*socket.Held) error { return full }).Run(t.Context())
		}()
		p, err := ipc.ConnectTo(t.Context(), idler).Get()
		if err != nil {
			t.Fatalf("connect: got %v, want no error", err)
		}
		defer p.Close(t.Context())
		err = p.Send(t.Context(), numbered(3)...).Err()
		if failed, ok := errors.AsType[*socket.SendError](err); !ok || failed.Acknowledged != 0 {
			t.Errorf("send three messages: got %v, want that none is acknowledged", err)
		}
		if err := <-ended; !errors.Is(err, full) {
			t.Errorf("the server: got %v, want the error of storing", err)
		}
	})
}

// TestCommitGoesOnWithoutAClientThatIsGone: messages of two clients are in one batch, and one of the
// clients leaves before it is stored.
func TestCommitGoesOnWithoutAClientThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ipc := socket.New(socket.Config{Transport: sockettest.NewNetwork()})
		ctx, end := context.WithCancel(t.Context())
		defer end()
		var stored []string
		go committing(ipc, 10, func(ctx context.Context, batch []*socket.Held) error {
			for _, h := range batch {
				stored = append(stored, h.Content())
				if h.Content() == "answered" {
					h.Respond(ctx)
				}
			}
			return nil
		}).Run(ctx)
		alice, bob := ipc.ConnectTo(ctx, idler), ipc.ConnectTo(ctx, idler)
		a, _ := alice.Get()
		b, _ := bob.Get()
		short, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		a.Send(short, socket.Text("left"))
		a.Conn().Close()
		if err := b.Send(ctx, socket.Text("answered"), socket.Text("stays")).Err(); err != nil {
			t.Errorf("send beside a client that left: got %v, want that all are acknowledged", err)
		}
		slices.Sort(stored)
		if want := []string{"answered", "left", "stays"}; !slices.Equal(stored, want) {
			t.Errorf("stored %q, want %q", stored, want)
		}
		b.Close(ctx)
	})
}

func TestMaxHeldBytesStopsReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := socket.Config{Transport: sockettest.NewNetwork()}
		config.MaxHeldBytes = 100
		ipc := socket.New(config)
		ctx, end := context.WithCancel(t.Context())
		defer end()
		var held []*socket.Held
		go socket.Exchanges(ipc.Listen(idler)).ForEach(ctx, func(x socket.Exchange) { held = append(held, x.Hold()) })
		p, err := ipc.ConnectTo(ctx, idler).Get()
		if err != nil {
			t.Fatalf("connect: got %v, want no error", err)
		}
		sent := make(chan error, 1)
		large, small := socket.Text(strings.Repeat("x", 200)), socket.Text("y")
		go func() { sent <- p.Send(ctx, large, small, small).Err() }()
		synctest.Wait()
		if len(held) != 1 {
			t.Errorf("a message of 200 bytes is held with a limit of 100: got %d exchanges, want 1", len(held))
		}
		held[0].Respond(ctx)
		synctest.Wait()
		if len(held) != 3 {
			t.Errorf("the large message is answered: got %d exchanges, want 3", len(held))
		}
		for _, h := range held[1:] {
			h.Respond(ctx)
		}
		if err := <-sent; err != nil {
			t.Errorf("send three messages: got %v, want that all are acknowledged", err)
		}
		p.Close(ctx)
	})
}

// ExampleCommit appends messages to a file. A message is acknowledged when it is on disk, and one
// sync serves many messages.
func ExampleCommit() {
	ctx, end := context.WithCancel(context.Background())
	defer end()
	config := socket.Config{Transport: sockettest.NewNetwork()}
	config.MaxHeld = 4096 // as many as a client has in flight
	ipc, name := socket.New(config), socket.MustParseName("journal")
	file, err := os.CreateTemp("", "journal")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(file.Name())

	syncs := 0
	journal := stream.Pipe3(
		socket.Exchanges(ipc.Listen(name)),
		operators.Map(socket.Exchange.Hold),
		operators.BufferTimeOrCount[*socket.Held](10*time.Millisecond, 500),
		socket.Commit(func(_ context.Context, batch []*socket.Held) error {
			for _, h := range batch {
				fmt.Fprintln(file, h.Content())
			}
			syncs++
			return file.Sync()
		}),
	)
	go journal.Run(ctx)

	p, _ := ipc.ConnectTo(ctx, name).Get()
	var lines []socket.Message
	for i := range 2000 {
		lines = append(lines, socket.Text(fmt.Sprint("line ", i)))
	}
	err = p.Send(ctx, lines...).Err() // all are acknowledged
	p.Close(ctx)
	text, _ := os.ReadFile(file.Name())
	fmt.Println(strings.Count(string(text), "\n"), "lines,", err, syncs < 1000)
	// Output: 2000 lines, <nil> true
}

// BenchmarkCommit has messages of a client stored on disk, each with a sync of its own, and with
// one for many.
func BenchmarkCommit(b *testing.B) {
	for _, count := range []int{1, 1000} {
		b.Run(fmt.Sprint("batches of ", count), func(b *testing.B) {
			config := socket.Config{Transport: sockettest.NewNetwork()}
			config.MaxHeld = 4096
			ipc := socket.New(config)
			file, err := os.CreateTemp(b.TempDir(), "journal")
			if err != nil {
				b.Fatalf("make a file: got %v, want no error", err)
			}
			defer file.Close()
			ctx, end := context.WithCancel(b.Context())
			var serving sync.WaitGroup
			syncs := 0
			serving.Go(func() {
				committing(ipc, count, func(_ context.Context, batch []*socket.Held) error {
					for _, h := range batch {
						fmt.Fprintln(file, h.Content())
					}
					syncs++
					return file.Sync()
				}).Run(ctx)
			})
			p, err := ipc.ConnectTo(ctx, idler).Get()
			if err != nil {
				b.Fatalf("connect: got %v, want no error", err)
			}
			b.ResetTimer()
			if err := p.Send(ctx, numbered(b.N)...).Err(); err != nil {
				b.Errorf("send %d messages: got %v, want no error", b.N, err)
			}
			b.StopTimer()
			p.Close(ctx)
			end()
			serving.Wait()
			b.ReportMetric(float64(syncs)/float64(b.N), "syncs/op")
		})
	}
}
