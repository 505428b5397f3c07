package journal_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats/journal"
	"github.com/rxipc/rxipc/stream"
)

// hundred has 100 bytes.
var hundred = strings.Repeat("0123456789", 10)

// BenchmarkWrite compares the journal with the asynchronous publish of nats.go, on the same broker
// and so with the same storage and sync. nats.go has 4000 messages in flight, its default.
func BenchmarkWrite(b *testing.B) {
	for name, config := range map[string]journal.Config{"sync always": {}, "sync every 2m": {SyncEvery: 2 * time.Minute}} {
		j := opened(b, b.TempDir(), config)
		b.Run(name+"/journal", func(b *testing.B) {
			messages := stream.Pipe1(stream.Range(0, b.N), operators.Map(func(int) socket.Message { return socket.Text(hundred) }))
			if err := j.Write(messages).Run(context.Background()); err != nil {
				b.Fatalf("write %d messages: %v", b.N, err)
			}
		})
		b.Run(name+"/nats.go", func(b *testing.B) {
			js := plain(b, j)
			for range b.N {
				if _, err := js.PublishAsync("plain", []byte(hundred)); err != nil {
					b.Fatalf("publish: %v", err)
				}
			}
			<-js.PublishAsyncComplete()
		})
	}
}

// plain returns JetStream of the journal's broker, with a stream of its own.
func plain(b *testing.B, j *journal.Journal) jetstream.JetStream {
	js, err := jetstream.New(j.Conn())
	if err == nil {
		_, err = js.CreateOrUpdateStream(context.Background(), jetstream.StreamConfig{Name: "plain", Subjects: []string{"plain"}})
	}
	if err != nil {
		b.Fatalf("make a stream: %v", err)
	}
	return js
}

// BenchmarkReplay compares a replay with the ordered consumer of nats.go, on the same messages. It
// reports the largest heap during the replay, with that of the broker.
func BenchmarkReplay(b *testing.B) {
	j := opened(b, b.TempDir(), journal.Config{SyncEvery: time.Hour})
	const stored = 200_000
	messages := stream.Pipe1(stream.Range(0, stored), operators.Map(func(int) socket.Message { return socket.Text(hundred) }))
	if err := j.Write(messages).Run(context.Background()); err != nil {
		b.Fatalf("write %d messages: %v", stored, err)
	}
	b.Run("journal", func(b *testing.B) {
		left, peak := b.N, uint64(0)
		for left > 0 {
			err := j.Replay(journal.FromBeginning())(context.Background(), func(journal.Entry) bool {
				if left--; left%(1<<16) == 0 {
					var memory runtime.MemStats
					runtime.ReadMemStats(&memory)
					peak = max(peak, memory.HeapAlloc)
				}
				return left > 0
			})
			if err != nil {
				b.Fatalf("replay: %v", err)
			}
		}
		b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
	})
	for name, next := range map[string]func(jetstream.Consumer, *int) error{"nats.go Messages": readMessages, "nats.go Consume": consume} {
		b.Run(name, func(b *testing.B) {
			js, err := jetstream.New(j.Conn())
			left := b.N
			for left > 0 && err == nil {
				var consumer jetstream.Consumer
				if consumer, err = js.OrderedConsumer(context.Background(), "test", jetstream.OrderedConsumerConfig{}); err == nil {
					err = next(consumer, &left)
				}
			}
			if err != nil {
				b.Fatalf("consume: %v", err)
			}
		})
	}
}

// readMessages reads messages until left is 0, or there are no more.
func readMessages(consumer jetstream.Consumer, left *int) error {
	messages, err := consumer.Messages()
	if err != nil {
		return err
	}
	defer messages.Stop()
	for *left > 0 {
		m, err := messages.Next()
		if err != nil {
			return err
		}
		*left--
		if meta, err := m.Metadata(); err != nil || meta.NumPending == 0 {
			return err
		}
	}
	return nil
}

// consume is readMessages with a callback.
func consume(consumer jetstream.Consumer, left *int) error {
	done := make(chan error, 1)
	running, err := consumer.Consume(func(m jetstream.Msg) {
		if *left == 0 {
			return
		}
		*left--
		if meta, err := m.Metadata(); err != nil || meta.NumPending == 0 || *left == 0 {
			done <- err
		}
	})
	if err != nil {
		return err
	}
	defer running.Stop()
	return <-done
}
