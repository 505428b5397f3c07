package journal

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats/broker"
)

// connected connects to a broker of its own, without JetStream.
func connected(t *testing.T) *nats.Conn {
	t.Helper()
	b, err := broker.Start("")
	if err != nil {
		t.Fatalf("start a broker: %v", err)
	}
	t.Cleanup(func() { b.Close() })
	conn, err := b.Connect()
	if err != nil {
		t.Fatalf("connect to the broker: %v", err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// The time of the first failure counts, not that of the last job.
func TestQueueThatWasIdleAsksASilentConsumerAgain(t *testing.T) {
	conn := connected(t)
	requests := 0
	_, err := conn.Subscribe("$JS.API.CONSUMER.MSG.NEXT.stream.q", func(request *nats.Msg) {
		answer := &nats.Msg{Subject: request.Reply, Header: nats.Header{"Status": {"409"}, "Description": {"Consumer Deleted"}}}
		if requests++; requests > 1 {
			answer = &nats.Msg{Subject: request.Reply, Reply: "js.ack.stream.q.1.7.1.0.0", Header: nats.Header{typeHeader: {"text/plain"}}}
		}
		if err := conn.PublishMsg(answer); err != nil {
			t.Errorf("answer request %d: %v", requests, err)
		}
	})
	if err != nil {
		t.Fatalf("subscribe to the requests of a queue: %v", err)
	}
	p, err := newPuller(conn, "stream", "q", 1, 0)
	if err != nil {
		t.Fatalf("make a puller: %v", err)
	}
	defer p.close()
	over := &Journal{conn: conn, config: Config{Timeout: time.Nanosecond}} // by the time of the failure
	r := &queueRun{Queue: Queue{Name: "q"}.withDefaults(), journal: over, freed: make(chan struct{}, 1), puller: p}
	if job, err := r.next(t.Context()); err != nil || job.Sequence != 7 {
		t.Errorf("wait for a job of a consumer that was away: got %+v and %v, want message 7", job, err)
	}
}

func TestAppendLeavesNothingBehindThatIsNotAnswered(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir(), "test", Config{Timeout: 5 * time.Second})
	if err != nil {
		t.Fatalf("open a journal: %v", err)
	}
	defer j.Close()
	if err := j.js.DeleteStream(t.Context(), "test"); err != nil {
		t.Fatalf("delete the stream: %v", err)
	}
	if _, err := j.conn.SubscribeSync(j.subject()); err != nil { // gets the message and answers nothing
		t.Fatalf("subscribe to the messages: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := j.Append(ended, socket.Text("lost")); !errors.Is(err, context.Canceled) {
		t.Fatalf("append without an answer: got %v, want context.Canceled", err)
	}
	select {
	case <-j.js.PublishAsyncComplete():
	case <-time.After(time.Minute):
		t.Errorf("%d messages wait for an answer a minute after Append has returned, want 0", j.js.PublishAsyncPending())
	}
}
