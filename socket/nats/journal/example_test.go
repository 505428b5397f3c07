package journal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats/journal"
	"github.com/rxipc/rxipc/stream"
)

// inFolder calls use with a journal in a temporary folder.
func inFolder(use func(ctx context.Context, j *journal.Journal) error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	folder, err := os.MkdirTemp("", "journal")
	if err == nil {
		defer os.RemoveAll(folder)
		var j *journal.Journal
		if j, err = journal.Open(ctx, folder, "orders", journal.Config{}); err == nil {
			err = errors.Join(use(ctx, j), j.Close())
		}
	}
	if err != nil {
		fmt.Println(err)
	}
}

func ExampleJournal_Commit() {
	inFolder(func(ctx context.Context, j *journal.Journal) error {
		ipc, name := network(), socket.MustParseName("orders")
		count := journal.State[int]{
			Name:   "count",
			Monoid: fold.Sum[int](),
			Of:     func(journal.Entry) int { return 1 },
		}
		client := make(chan error, 1)
		go func() {
			client <- fold.Chain2(ipc.ConnectTo(ctx, name),
				func(p *socket.Process) fold.Attempt[*socket.Process] { return p.Send(ctx, texts(1, 3)...) },
				func(p *socket.Process) fold.Attempt[error] { return fold.Succeed(p.Close(ctx).Err()) },
			).Err()
		}()
		total, err := stream.Pipe3(
			socket.Exchanges(ipc.Listen(name)),
			j.Commit,
			count.Fold(j),
			operators.TakeWhile(func(c journal.Carry[int]) bool { return c.Value < 3 }, operators.Inclusive),
		).Last(ctx).Get()
		fmt.Println(total.Value, "messages are counted and on the disk")
		return errors.Join(err, <-client)
	})
	// Output:
	// 3 messages are counted and on the disk
}

func ExampleJournal_Replay() {
	inFolder(func(ctx context.Context, j *journal.Journal) error {
		if _, err := j.Append(ctx, socket.Text("tea"), socket.Text("milk"), socket.Text("honey")); err != nil {
			return err
		}
		return j.Replay(journal.FromSequence(2)).ForEach(ctx, func(e journal.Entry) { fmt.Println(e.Sequence, e.Content()) })
	})
	// Output:
	// 2 milk
	// 3 honey
}

func ExampleState_Replay() {
	inFolder(func(ctx context.Context, j *journal.Journal) error {
		longest := journal.State[int]{
			Name:   "longest",
			Monoid: fold.Max[int](),
			Of:     func(e journal.Entry) int { return e.Len() },
		}
		for _, text := range []string{"tea", "honey", "milk"} {
			if _, err := j.Append(ctx, socket.Text(text)); err != nil {
				return err
			}
			carry, err := longest.Replay(j).Last(ctx).Get() // goes on where the run before ended
			if err != nil {
				return err
			}
			fmt.Println("the longest of", carry.Sequence, "has", carry.Value)
		}
		return nil
	})
	// Output:
	// the longest of 1 has 3
	// the longest of 2 has 5
	// the longest of 3 has 5
}

func ExampleQueue_Jobs() {
	inFolder(func(ctx context.Context, j *journal.Journal) error {
		if _, err := j.Append(ctx, socket.Text("tea"), socket.Text("coffee")); err != nil {
			return err
		}
		q := journal.Queue{Name: "kitchen", Attempts: 2, Delay: time.Millisecond}
		settled := 0
		err := q.Jobs(j)(ctx, func(job *journal.Job) bool {
			var failure error
			if job.Content() == "coffee" {
				failure = errors.New("out of beans")
			}
			settled++
			return job.Settle(ctx, failure) == nil && settled < 3
		})
		if err != nil {
			return err
		}
		return q.DeadLetters(j).ForEach(ctx, func(d journal.DeadLetter) {
			fmt.Println(d.Content(), "after", d.Attempts, "attempts:", d.Reason)
		})
	})
	// Output:
	// coffee after 2 attempts: out of beans
}
