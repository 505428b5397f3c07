package journal_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/nats/journal"
	"github.com/rxipc/rxipc/stream"
)

// attempts makes a function that notes attempts, and a list of what it noted. stop ends the run
// after count of them.
func attempts(count int, settle func(*journal.Job) error) (got *[]string, handle func(*journal.Job) bool) {
	got = new([]string)
	return got, func(job *journal.Job) bool {
		*got = append(*got, fmt.Sprint(job.Content(), "/", job.Attempt))
		if err := job.Settle(context.Background(), settle(job)); err != nil {
			*got = append(*got, err.Error())
		}
		return len(*got) < count
	}
}

func done(*journal.Job) error { return nil }

func TestQueueDeliversEachJobOnce(t *testing.T) {
	folder := t.TempDir()
	j := opened(t, folder, journal.Config{})
	q := journal.Queue{Name: "q", Lease: 100 * time.Millisecond} // which the third job's must reach, since the broker ends
	appended(t, j, texts(1, 4)...)
	var got []string
	err := q.Jobs(j)(t.Context(), func(job *journal.Job) bool {
		got = append(got, job.Content())
		return job.Sequence < 3 // with the third, yield returns false
	})
	if want := []string{"1", "2", "3"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("first run: got the jobs %q, %v; want %q", got, err, want)
	}
	closed(t, j)
	j = opened(t, folder, journal.Config{})
	appended(t, j, texts(5, 5)...)
	rest, handle := attempts(3, done)
	if err := q.Jobs(j)(t.Context(), handle); err != nil {
		t.Errorf("second run: got %v", err)
	}
	slices.Sort(*rest)
	if want := []string{"3/2", "4/1", "5/1"}; !slices.Equal(*rest, want) {
		t.Errorf("second run: got the jobs %q, want %q: the third was not settled", *rest, want)
	}
	other, handle := attempts(5, done)
	if err := (journal.Queue{Name: "other"}).Jobs(j)(t.Context(), handle); err != nil || len(*other) != 5 {
		t.Errorf("another queue: got the jobs %q, %v; want all", *other, err)
	}
}

func TestQueueDeliversAgainAfterAnError(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	q := journal.Queue{Name: "q", Attempts: 3, Delay: time.Millisecond}
	appended(t, j, texts(1, 1)...)
	got, handle := attempts(3, func(*journal.Job) error { return errors.New("not today") })
	if err := q.Jobs(j)(t.Context(), handle); err != nil {
		t.Errorf("run: got %v", err)
	}
	if want := []string{"1/1", "1/2", "1/3"}; !slices.Equal(*got, want) {
		t.Errorf("a job that fails: got the attempts %q, want %q", *got, want)
	}
	letters, err := q.DeadLetters(j).Collect(t.Context())
	if err != nil || len(letters) != 1 || letters[0].Content() != "1" || letters[0].Sequence != 1 || letters[0].Attempts != 3 || letters[0].Reason != "not today" {
		t.Errorf("dead letters: got %+v, %v; want the job and why it failed", letters, err)
	}
	appended(t, j, texts(2, 2)...)
	got, handle = attempts(1, done)
	if err := q.Jobs(j)(t.Context(), handle); err != nil || !slices.Equal(*got, []string{"2/1"}) {
		t.Errorf("run after the dead letter: got the attempts %q, %v; want the next job only", *got, err)
	}
}

func TestQueueDeliversAgainAfterTheLease(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	q := journal.Queue{Name: "q", Attempts: 2, Lease: 50 * time.Millisecond, InFlight: 10}
	appended(t, j, texts(1, 2)...)
	died, err := j.Conn().SubscribeSync("rxipc.journal.test.dead.q")
	if err != nil {
		t.Fatalf("subscribe to dead letters: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []string
	var run sync.WaitGroup
	run.Go(func() {
		q.Jobs(j).ForEach(ctx, func(job *journal.Job) {
			got = append(got, fmt.Sprint(job.Content(), "/", job.Attempt))
			if job.Sequence == 1 {
				job.Hold() // and never settle it
			}
		})
	})
	if _, err := died.NextMsgWithContext(t.Context()); err != nil {
		t.Errorf("wait for a dead letter: %v", err)
	}
	cancel()
	run.Wait()
	if want := []string{"1/1", "1/2", "2/1"}; !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("a job that is never settled: got the attempts %q, want %q in any order", got, want)
	}
	letters, err := q.DeadLetters(j).Collect(t.Context())
	if err != nil || len(letters) != 1 || letters[0].Sequence != 1 || !strings.Contains(letters[0].Reason, "lease of 50ms ended") {
		t.Errorf("dead letters: got %+v, %v; want the job and its lease", letters, err)
	}
}

func TestQueueIsSharedByProcesses(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	appended(t, j, texts(1, 100)...)
	q := journal.Queue{Name: "q", InFlight: 4}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	var runs sync.WaitGroup
	got := map[string]int{}
	for range 3 {
		runs.Go(func() {
			err := stream.Pipe2(q.Jobs(j),
				operators.Map((*journal.Job).Hold),
				operators.MapParallel(4, func(ctx context.Context, job *journal.Job) (bool, error) {
					mu.Lock()
					defer mu.Unlock()
					if got[job.Content()]++; len(got) == 100 {
						cancel()
					}
					return true, job.Settle(context.WithoutCancel(ctx), nil)
				}),
			).Run(ctx)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("run a shared queue: got %v, want context.Canceled", err)
			}
		})
	}
	runs.Wait()
	for content, times := range got {
		if times != 1 {
			t.Errorf("job %s was delivered %d times, want once", content, times)
		}
	}
}

func TestQueueWantsJobsHeldBeforeAStageThatBuffers(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	appended(t, j, texts(1, 1)...)
	q := journal.Queue{Name: "q"}
	err := stream.Pipe1(q.Jobs(j), operators.ObserveOn[*journal.Job](10)).Run(t.Context())
	if !errors.Is(err, journal.ErrUnsettled) || !strings.Contains(err.Error(), "call Hold") {
		t.Errorf("buffer a job that is not held: got %v, want ErrUnsettled and what to do", err)
	}
	got, handle := attempts(1, done)
	if err := q.Jobs(j)(t.Context(), handle); err != nil || !slices.Equal(*got, []string{"1/2"}) {
		t.Errorf("the next run: got %q, %v; want the job again", *got, err)
	}
}

func TestQueueDeliversAgainAfterAPanic(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	appended(t, j, texts(1, 1)...)
	q := journal.Queue{Name: "q"}
	func() {
		defer func() {
			if recover() != "work" {
				t.Error("panic in yield: got none, want that of yield")
			}
		}()
		q.Jobs(j).ForEach(t.Context(), func(*journal.Job) { panic("work") })
	}()
	got, handle := attempts(1, done)
	if err := q.Jobs(j)(t.Context(), handle); err != nil || !slices.Equal(*got, []string{"1/2"}) {
		t.Errorf("the next run: got %q, %v; want the job again", *got, err)
	}
}

func TestQueueExtendsALease(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	appended(t, j, texts(1, 2)...)
	q := journal.Queue{Name: "q", Lease: time.Hour, InFlight: 2}
	err := q.Jobs(j)(t.Context(), func(job *journal.Job) bool {
		if err := job.Extend(t.Context()); err != nil {
			t.Errorf("extend the lease: got %v, want no error", err)
		}
		if err := errors.Join(job.Settle(t.Context(), nil), job.Settle(t.Context(), nil), job.Extend(t.Context())); err != nil {
			t.Errorf("settle a job twice, and extend it: got %v, want that nothing happens", err)
		}
		return job.Sequence < 2
	})
	if err != nil {
		t.Errorf("run: got %v", err)
	}
}
