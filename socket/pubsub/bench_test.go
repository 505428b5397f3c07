package pubsub_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/pubsub"
	"github.com/rxipc/rxipc/stream"
)

// BenchmarkHub compares a message of 32 bytes that is sent one way with one that a hub sends to 100
// subscribers, over unix sockets, all in one process. The goal is at most 200 times the time.
func BenchmarkHub(b *testing.B) {
	b.Run("one way", func(b *testing.B) {
		ctx, ipc := benchIPC(b)
		serving, end := context.WithCancel(ctx)
		served := make(chan struct{})
		go func() {
			defer close(served)
			socket.Serve(ipc, name, fold.Sum[int]()).With(serving, func(_ socket.Message, c socket.Continuation[int], n int) socket.Continuation[int] {
				return c.CarryWith(n + 1)
			})
		}()
		p, err := ipc.ConnectTo(ctx, name).Get()
		if err != nil {
			b.Fatalf("connect: got %v", err)
		}
		messages := make([]socket.Message, 1000)
		for i := range messages {
			messages[i] = benchMessage
		}
		for b.Loop() {
			if err := p.Send(ctx, messages...).Err(); err != nil {
				b.Fatalf("send: got %v", err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/message")
		p.Close(ctx)
		end()
		<-served
	})
	b.Run("to 100 subscribers", func(b *testing.B) {
		ctx, ipc := benchIPC(b)
		hub := pubsub.NewHub(ipc, pubsub.Config{Retain: 1})
		served := hub.Serve(socket.Exchanges(ipc.Listen(name))).Subscribe(ctx, stream.Observer[socket.Exchange]{})
		publish := func(topic string) {
			if err := hub.Publish(ctx, topic, benchMessage); err != nil {
				b.Fatalf("publish: got %v", err)
			}
		}
		publish("begin")
		var begun, ended sync.WaitGroup
		for range 100 {
			begun.Add(1)
			ended.Go(func() {
				pubsub.Subscribe(ipc, name)(ctx, func(e pubsub.Event) bool {
					if e.Topic == "begin" {
						begun.Done()
					}
					return e.Topic != "end"
				})
			})
		}
		begun.Wait()
		for b.Loop() {
			for range 1000 {
				publish("t")
			}
			if err := hub.Flush(ctx); err != nil {
				b.Fatalf("flush: got %v", err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/message")
		publish("end")
		ended.Wait()
		served.Unsubscribe()
		served.Wait()
	})
}

var benchMessage = socket.Text(strings.Repeat("x", 32))

func benchIPC(b *testing.B) (context.Context, *socket.IPC) {
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		b.Fatalf("make a folder: %v", err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return b.Context(), socket.New(socket.Config{Dir: dir})
}
