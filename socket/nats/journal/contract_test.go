package journal_test

import (
	"context"
	"os"
	"testing"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/nats/journal"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// withJournal is an observable of a journal of its own, in which are the messages 1 to 3. So a run
// may be in a bubble, and with its end nothing is left.
func withJournal[T any](t *testing.T, make func(*journal.Journal) stream.Observable[T]) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		folder, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			return err
		}
		j, err := journal.Open(context.WithoutCancel(ctx), folder, "test", journal.Config{})
		if err != nil {
			return err
		}
		defer j.Close()
		for _, m := range texts(1, 3) { // one by one: for a batch the broker has a goroutine that ends later
			if _, err := j.Append(context.WithoutCancel(ctx), m); err != nil {
				return err
			}
		}
		return make(j)(ctx, yield)
	}
}

func content(e journal.Entry) string { return e.Content() }

func TestReplayKeepsTheContract(t *testing.T) {
	streamtest.Check(t, withJournal(t, func(j *journal.Journal) stream.Observable[string] {
		return stream.Pipe1(j.Replay(journal.FromBeginning()), operators.Map(content))
	}), []string{"1", "2", "3"}, streamtest.ReadAhead(500))
}

func TestStateKeepsTheContract(t *testing.T) {
	streamtest.Check(t, withJournal(t, func(j *journal.Journal) stream.Observable[string] {
		return stream.Pipe1(joined().Replay(j), operators.Map(func(c journal.Carry[string]) string { return c.Value }))
	}), []string{"", "1 ", "1 2 ", "1 2 3 "}, streamtest.ReadAhead(500))
}
