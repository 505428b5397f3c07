package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/queue"
	"github.com/rxipc/rxipc/socket/sockettest"
	"github.com/rxipc/rxipc/stream"
)

var name = socket.MustParseName("jobs")

// hall is a supervisor with workers, over a network in memory and in virtual time.
type hall struct {
	t       *testing.T
	ipc     *socket.IPC
	workers sync.WaitGroup // which end with their supervisor
}

// inHall runs a test in virtual time.
func inHall(t *testing.T, test func(t *testing.T, h *hall)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &hall{t: t, ipc: socket.New(socket.Config{Transport: sockettest.NewNetwork()})}
		test(t, h)
		h.workers.Wait()
	})
}

// worker starts a worker. wait waits for its end, and returns what it emitted and its error.
func (h *hall) worker(ctx context.Context, handle queue.Handler) (wait func() ([]queue.Done, error)) {
	var emitted []queue.Done
	var err error
	ended := make(chan struct{})
	h.workers.Go(func() {
		defer close(ended)
		emitted, err = queue.Work(h.ipc, name, handle).Collect(ctx)
	})
	return func() ([]queue.Done, error) { <-ended; return emitted, err }
}

// serve returns the outcomes of jobs, sorted by their contents.
func (h *hall) serve(config queue.Config, jobs ...string) []queue.Done {
	h.t.Helper()
	source := func(ctx context.Context, yield func(socket.Message) bool) error {
		time.Sleep(time.Second) // until all workers are there
		return texts(jobs...)(ctx, yield)
	}
	outcomes, err := queue.Serve(h.ipc.Listen(name), config)(source).Collect(h.t.Context())
	if err != nil {
		h.t.Fatalf("serve the jobs %q: got %v, want no error", jobs, err)
	}
	slices.SortFunc(outcomes, func(a, b queue.Done) int { return strings.Compare(a.Job.Content(), b.Job.Content()) })
	return outcomes
}

func texts(contents ...string) stream.Observable[socket.Message] {
	return operators.Map(socket.Text)(stream.Just(contents...))
}

func upper(_ context.Context, job socket.Message) (socket.Message, error) {
	return socket.NewMessage(job.MediaType(), strings.ToUpper(job.Content())), nil
}

// never does a job until its context ends.
func never(ctx context.Context, _ socket.Message) (socket.Message, error) {
	<-ctx.Done()
	return socket.Message{}, context.Cause(ctx)
}

// at once retries without a delay.
var atOnce = operators.RetryPolicy{Delay: -1}

// describe is an outcome in a line.
func describe(o queue.Done) string {
	if o.Err != nil {
		return fmt.Sprintf("%s: %v, attempt %d", o.Job.Content(), o.Err, o.Attempts)
	}
	return fmt.Sprintf("%s: %s, attempt %d", o.Job.Content(), o.Result.Content(), o.Attempts)
}

// expect fails the test unless the outcomes are described by want.
func (h *hall) expect(what string, got []queue.Done, want ...string) {
	h.t.Helper()
	var lines []string
	for _, o := range got {
		lines = append(lines, describe(o))
	}
	if !slices.Equal(lines, want) {
		h.t.Errorf("%s: got %q, want %q", what, lines, want)
	}
}

func TestQueueGivesEachJobToAWorker(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		var contents []string
		for i := range 200 {
			contents = append(contents, fmt.Sprintf("job-%03d", i))
		}
		var waits []func() ([]queue.Done, error)
		for range 3 {
			waits = append(waits, h.worker(t.Context(), upper))
		}
		outcomes := h.serve(queue.Config{}, contents...)
		if len(outcomes) != len(contents) {
			t.Fatalf("serve %d jobs: got %d outcomes", len(contents), len(outcomes))
		}
		for i, o := range outcomes {
			if o.Err != nil || o.Attempts != 1 || o.Job != socket.Text(contents[i]) || o.Result != socket.Text(strings.ToUpper(contents[i])) {
				t.Errorf("outcome %d: got %s, want %s in upper case, at the first attempt", i, describe(o), contents[i])
			}
		}
		total := 0
		for i, wait := range waits {
			emitted, err := wait()
			if err != nil {
				t.Errorf("end of worker %d after the last job: got %v, want no error", i, err)
			}
			total += len(emitted)
		}
		if total != len(contents) {
			t.Errorf("the workers emitted %d jobs, want %d", total, len(contents))
		}
	})
}

func TestQueueGivesAWorkerAtMostInFlightJobs(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		var now, most atomic.Int32
		h.worker(t.Context(), func(_ context.Context, m socket.Message) (socket.Message, error) {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer now.Add(-1)
			time.Sleep(time.Second)
			return m, nil
		})
		start := time.Now()
		h.serve(queue.Config{InFlight: 4}, "a", "b", "c", "d", "e", "f", "g", "h")
		if took := time.Since(start); most.Load() != 4 || took.Round(time.Second) != 3*time.Second {
			t.Errorf("8 jobs of a second, 4 in flight: got %d at a time, in %v; want 4, in 2s after the first", most.Load(), took)
		}
	})
}

func TestQueueRetriesUntilADeadLetter(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		calls := map[string]int{}
		h.worker(t.Context(), func(_ context.Context, m socket.Message) (socket.Message, error) {
			calls[m.Content()]++ // one job at a time
			switch m.Content() {
			case "bad":
				return m, errors.New("no ink")
			case "final":
				return m, queue.Final(errors.New("no such form"))
			case "panics":
				panic("out of paper")
			case "twice":
				if calls["twice"] == 1 {
					return m, errors.New("jam")
				}
			}
			return socket.Text("printed"), nil
		})
		policy := operators.RetryPolicy{Times: 2, Delay: time.Second, Jitter: -1}
		h.expect("serve jobs that fail", h.serve(queue.Config{Retry: policy}, "bad", "final", "good", "panics", "twice"),
			"bad: queue: the worker failed: no ink, attempt 3",
			"final: queue: the worker failed: no such form, attempt 1",
			"good: printed, attempt 1",
			"panics: queue: the worker failed: panic: out of paper, attempt 3",
			"twice: printed, attempt 2")
	})
}

func TestQueuePartsDeadLetters(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		h.worker(t.Context(), func(_ context.Context, m socket.Message) (socket.Message, error) {
			if m.Content() == "b" {
				return m, errors.New("no")
			}
			return m, nil
		})
		dead := new(stream.Subject[queue.Done])
		buried := make(chan []queue.Done)
		go func() {
			letters, err := dead.Observe(16, stream.Block).Collect(t.Context())
			if err != nil {
				t.Errorf("observe the dead letters: got %v, want no error", err)
			}
			buried <- letters
		}()
		synctest.Wait()
		config := queue.Config{Retry: operators.RetryPolicy{Times: -1}}
		results, err := stream.Pipe2(texts("a", "b", "c"), queue.Serve(h.ipc.Listen(name), config), queue.DeadLetters(dead)).Collect(t.Context())
		if err != nil {
			t.Fatalf("serve three jobs: got %v, want no error", err)
		}
		slices.SortFunc(results, func(a, b queue.Done) int { return strings.Compare(a.Job.Content(), b.Job.Content()) })
		h.expect("the results", results, "a: a, attempt 1", "c: c, attempt 1")
		h.expect("the dead letters", <-buried, "b: queue: the worker failed: no, attempt 1")
	})
}

func TestQueueLeaseOfAHangingWorkerEnds(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		ended := make(chan error, 1)
		h.worker(t.Context(), func(ctx context.Context, m socket.Message) (socket.Message, error) {
			<-ctx.Done()
			ended <- context.Cause(ctx)
			time.Sleep(time.Hour) // heeds nothing
			return m, nil
		})
		synctest.Wait()
		go func() {
			time.Sleep(time.Minute)
			h.worker(t.Context(), upper)
		}()
		start := time.Now()
		var dropped stream.Drops
		ctx := stream.WithDrops(t.Context(), &dropped)
		outcomes, err := queue.Serve(h.ipc.Listen(name), queue.Config{Lease: 10 * time.Second, Retry: atOnce})(texts("a", "b")).Collect(ctx)
		if err != nil || time.Since(start).Round(time.Second) != time.Minute {
			t.Errorf("serve with a hanging worker, and another one after a minute: got %v after %v, want no error after 1m", err, time.Since(start))
		}
		slices.SortFunc(outcomes, func(a, b queue.Done) int { return b.Attempts - a.Attempts })
		if len(outcomes) != 2 || outcomes[0].Attempts != 2 || outcomes[1].Attempts != 1 {
			t.Errorf("serve 2 jobs: got %v, want one with two attempts and one with one", outcomes)
		}
		if cause := <-ended; !errors.Is(cause, context.DeadlineExceeded) {
			t.Errorf("the context of the hanging function ended with %v, want its deadline", cause)
		}
	})
}

func TestQueueTakesTheFirstResultAlthoughItsLeaseHasEnded(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		slow := func(d time.Duration, text string) queue.Handler {
			return func(context.Context, socket.Message) (socket.Message, error) {
				time.Sleep(d)
				return socket.Text(text), nil
			}
		}
		h.worker(t.Context(), slow(15*time.Second, "late"))
		synctest.Wait()
		var dropped stream.Drops
		source := func(ctx context.Context, yield func(socket.Message) bool) error {
			yield(socket.Text("a"))
			time.Sleep(time.Second)
			h.worker(ctx, slow(8*time.Second, "later"))
			time.Sleep(time.Minute) // until the second result has come, too
			return nil
		}
		outcomes, err := queue.Serve(h.ipc.Listen(name), queue.Config{Lease: 10 * time.Second, Retry: atOnce})(source).Collect(stream.WithDrops(t.Context(), &dropped))
		if err != nil {
			t.Fatalf("serve a job: got %v, want no error", err)
		}
		h.expect("a job with two results", outcomes, "a: late, attempt 2")
		if dropped.Skipped() != 1 || dropped.Total() != 0 {
			t.Errorf("results that came later: got %d skipped and %d dropped, want 1 and 0", dropped.Skipped(), dropped.Total())
		}
	})
}

func TestQueueGivesTheJobsOfALostWorkerToOthers(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		ctx, kill := context.WithCancelCause(t.Context())
		var begun atomic.Int32
		first := h.worker(ctx, func(ctx context.Context, m socket.Message) (socket.Message, error) {
			if begun.Add(1) == 2 {
				kill(errors.New("killed"))
			}
			return never(ctx, m)
		})
		synctest.Wait()
		go func() {
			first()
			h.worker(t.Context(), upper)
		}()
		h.expect("serve with a worker that leaves", h.serve(queue.Config{InFlight: 2, Retry: atOnce}, "a", "b"),
			"a: A, attempt 2", "b: B, attempt 2")
		if _, err := first(); err == nil || err.Error() != "killed" {
			t.Errorf("the end of the worker's context: got %v, want its cause", err)
		}
	})
}

func TestQueueWithoutRetriesSaysThatTheWorkerIsGone(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		ctx, kill := context.WithCancel(t.Context())
		h.worker(ctx, func(ctx context.Context, m socket.Message) (socket.Message, error) {
			kill()
			return never(ctx, m)
		})
		outcomes := h.serve(queue.Config{Retry: operators.RetryPolicy{Times: -1}}, "a")
		if len(outcomes) != 1 || !errors.Is(outcomes[0].Err, queue.ErrGone) || outcomes[0].Attempts != 1 {
			t.Errorf("serve a job whose worker leaves: got %v, want a dead letter with ErrGone", outcomes)
		}
		h.worker(t.Context(), func(_ context.Context, m socket.Message) (socket.Message, error) {
			time.Sleep(time.Minute) // heeds no lease
			return m, nil
		})
		outcomes = h.serve(queue.Config{Lease: time.Second, Retry: operators.RetryPolicy{Times: -1}}, "a")
		if len(outcomes) != 1 || !errors.Is(outcomes[0].Err, queue.ErrLease) || outcomes[0].Attempts != 1 {
			t.Errorf("serve a job whose worker hangs: got %v, want a dead letter with ErrLease", outcomes)
		}
	})
}

func TestQueueRefusesWhatCannotBeSent(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		h.worker(t.Context(), func(_ context.Context, m socket.Message) (socket.Message, error) {
			return socket.NewMessage(socket.MustParseMediaType("text/plain; job=1"), "taken"), nil
		})
		jobs := stream.Just(socket.Text("innmind/ipc:ack"), socket.NewMessage(socket.MustParseMediaType("text/plain; lease=1"), "own"), socket.Text("z"))
		outcomes, err := queue.Serve(h.ipc.Listen(name), queue.Config{})(jobs).Collect(t.Context())
		if err != nil || len(outcomes) != 3 {
			t.Fatalf("serve three jobs: got %d outcomes, %v; want 3, no error", len(outcomes), err)
		}
		slices.SortFunc(outcomes, func(a, b queue.Done) int { return strings.Compare(a.Job.Content(), b.Job.Content()) })
		if !errors.Is(outcomes[0].Err, socket.ErrReserved) || !errors.Is(outcomes[1].Err, socket.ErrInvalid) {
			t.Errorf("jobs that cannot be sent: got %v and %v, want ErrReserved and ErrInvalid", outcomes[0].Err, outcomes[1].Err)
		}
		if failed, ok := errors.AsType[*queue.WorkerError](outcomes[2].Err); !ok || !failed.Final || !strings.Contains(failed.Text, "job=1") {
			t.Errorf("a result that cannot be sent: got %v, want a final WorkerError that names the parameter", outcomes[2].Err)
		}
	})
}

func TestQueueKeepsParametersOfMediaTypes(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		csv := socket.NewMessage(socket.MustParseMediaType(`text/csv; header=present, empty=""`), "a,b")
		var seen socket.Message
		h.worker(t.Context(), func(_ context.Context, m socket.Message) (socket.Message, error) {
			seen = m
			return m, nil
		})
		outcomes, err := queue.Serve(h.ipc.Listen(name), queue.Config{})(stream.Just(csv)).Collect(t.Context())
		if err != nil || len(outcomes) != 1 || seen != csv || outcomes[0].Result != csv {
			t.Errorf("a job %v: the worker got %v, the outcomes are %v, %v; want the same message", csv, seen, outcomes, err)
		}
	})
}

func TestQueueEndsWithItsConnections(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		none := stream.Empty[*socket.Connection]()
		if err := queue.Serve(none, queue.Config{})(texts("a")).Run(t.Context()); !errors.Is(err, queue.ErrNoWorkers) {
			t.Errorf("serve a job without connections: got %v, want ErrNoWorkers", err)
		}
		broken := errors.New("broken")
		if err := queue.Serve(stream.Throw[*socket.Connection](broken), queue.Config{})(texts("a")).Run(t.Context()); !errors.Is(err, broken) {
			t.Errorf("serve a job while listening fails: got %v, want its error", err)
		}
		if err := queue.Serve(h.ipc.Listen(name), queue.Config{})(stream.Throw[socket.Message](broken)).Run(t.Context()); !errors.Is(err, broken) {
			t.Errorf("serve a source that fails: got %v, want its error", err)
		}
	})
}

func TestQueueWorkerLearnsWhyItsConnectionEnds(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		wait := h.worker(t.Context(), upper)
		ctx, cancel := context.WithCancelCause(t.Context())
		server := h.ipc.Listen(name)
		go socket.Exchanges(server).ForEach(ctx, func(x socket.Exchange) { x.Reject(nil) })
		if _, err := wait(); !errors.Is(err, socket.ErrRejected) {
			t.Errorf("a worker that meets another server: got %v, want ErrRejected", err)
		}
		cancel(nil)
	})
}

func TestQueueTyped(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		number := func(m socket.Message) (n int, err error) { _, err = fmt.Sscan(m.Content(), &n); return n, err }
		text := func(n int) (socket.Message, error) { return socket.Text(fmt.Sprint(n)), nil }
		h.worker(t.Context(), queue.Typed(number, text, func(_ context.Context, n int) (int, error) { return n * n, nil }))
		squares, err := queue.ServeTyped(h.ipc.Listen(name), queue.Config{}, text, number)(stream.Just(1, 2, 3)).Collect(t.Context())
		if err != nil {
			t.Fatalf("serve three numbers: got %v, want no error", err)
		}
		for _, o := range squares {
			if o.Err != nil || o.Result != o.Job*o.Job {
				t.Errorf("the square of %d: got %d, %v", o.Job, o.Result, o.Err)
			}
		}
	})
}
