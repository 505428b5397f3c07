//go:build unix

package queue_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/queue"
	"github.com/rxipc/rxipc/stream"
)

// workerKey is the variable that makes the test binary a worker. Its value is a folder.
const workerKey = "RXIPC_TEST_WORKER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(workerKey); dir != "" {
		playWorker(dir)
		return
	}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// playWorker is a worker that goes wrong in the way a job says, once for each job.
func playWorker(dir string) {
	handle := func(_ context.Context, job socket.Message) (socket.Message, error) {
		if os.Mkdir(filepath.Join(dir, job.Content()), 0o700) != nil { // it went wrong before
			return upper(context.Background(), job)
		}
		switch fault, _, _ := strings.Cut(job.Content(), "-"); fault {
		case "kill":
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		case "stop":
			syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		case "exit":
			os.Exit(0)
		case "hang":
			select {}
		}
		return upper(context.Background(), job)
	}
	if err := queue.Work(socket.New(socket.Config{Dir: dir}), name, handle).Run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// crew is worker processes that are started again when they end.
type crew struct {
	t       *testing.T
	dir     string
	members sync.WaitGroup

	mu      sync.Mutex
	over    bool
	running []*os.Process
}

func newCrew(t *testing.T, size int) *crew {
	t.Helper()
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		t.Fatalf("make a folder: got %v, want no error", err)
	}
	c := &crew{t: t, dir: dir, running: make([]*os.Process, size)}
	for i := range size {
		c.members.Go(func() {
			for c.run(i) {
			}
		})
	}
	t.Cleanup(c.dismiss)
	return c
}

// run runs one process as a member, and reports whether to go on.
func (c *crew) run(i int) bool {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), workerKey+"="+c.dir, "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return false
	}
	if err := cmd.Start(); err != nil {
		c.mu.Unlock()
		c.t.Errorf("start worker %d: got %v, want no error", i, err)
		return false
	}
	c.running[i] = cmd.Process
	c.mu.Unlock()
	cmd.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running[i] = nil
	return true
}

// kill kills a member, and reports whether it was running.
func (c *crew) kill(i int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running[i] != nil && c.running[i].Signal(syscall.SIGKILL) == nil
}

// dismiss ends all members, stopped ones too.
func (c *crew) dismiss() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	for i := range c.running {
		c.kill(i)
	}
	c.members.Wait()
	os.RemoveAll(c.dir)
}

// serve serves a source with the crew, and fails the test unless each of the jobs has its result.
func (c *crew) serve(config queue.Config, source stream.Observable[socket.Message], jobs []string) {
	c.t.Helper()
	results := map[string]int{}
	ctx, cancel := context.WithTimeout(c.t.Context(), 5*time.Minute)
	defer cancel()
	ipc := socket.New(socket.Config{Dir: c.dir})
	err := queue.Serve(ipc.Listen(name), config)(source).ForEach(ctx, func(o queue.Done) {
		results[o.Job.Content()]++
		if o.Err != nil || o.Result.Content() != strings.ToUpper(o.Job.Content()) {
			c.t.Errorf("a job: got %s, want %s in upper case", describe(o), o.Job.Content())
		}
	})
	if err != nil {
		c.t.Fatalf("serve %d jobs: got %v after %d outcomes, want no error", len(jobs), err, len(results))
	}
	for _, job := range jobs {
		if results[job] != 1 {
			c.t.Errorf("job %s has %d outcomes, want 1", job, results[job])
		}
	}
	if len(results) != len(jobs) {
		c.t.Errorf("got outcomes of %d jobs, want %d", len(results), len(jobs))
	}
}

// rounds is how often the test of killed workers runs: RXIPC_ROUNDS, or once.
func rounds() int {
	n, _ := strconv.Atoi(os.Getenv("RXIPC_ROUNDS"))
	return max(1, n)
}

// TestQueueLosesNoJobOfKilledWorkers kills one of 8 workers each 40 ms, while they do 1,000 jobs.
func TestQueueLosesNoJobOfKilledWorkers(t *testing.T) {
	const workers, count, leastKills = 8, 1000, 5
	for seed := range rounds() {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			c := newCrew(t, workers)
			jobs := make([]string, count)
			for i := range jobs {
				jobs[i] = fmt.Sprintf("job-%04d", i)
			}
			ctx, end := context.WithCancel(t.Context())
			defer end()
			enough := make(chan struct{}) // workers were killed
			kills := 0
			var killing sync.WaitGroup
			killing.Go(func() {
				chance := rand.New(rand.NewPCG(uint64(seed), 0))
				operators.TakeUntilDone[int](ctx)(stream.Interval(40*time.Millisecond)).ForEach(context.Background(), func(int) {
					if !c.kill(chance.IntN(workers)) {
						return
					}
					if kills++; kills == leastKills {
						close(enough)
					}
				})
			})
			source := func(ctx context.Context, yield func(socket.Message) bool) error {
				if err := texts(jobs[:count-100]...)(ctx, yield); err != nil {
					return err
				}
				select { // a fast machine must not be done before
				case <-enough:
				case <-ctx.Done():
				}
				return texts(jobs[count-100:]...)(ctx, yield)
			}
			c.serve(queue.Config{InFlight: 4, Retry: operators.RetryPolicy{Delay: time.Millisecond, MaxDelay: 10 * time.Millisecond}}, source, jobs)
			end()
			killing.Wait()
			t.Logf("%d jobs, %d workers killed", count, kills)
		})
	}
}

// TestQueueLosesNoJobOfBadWorkers has workers that are stopped, hang, exit or are killed in the
// middle of a job.
func TestQueueLosesNoJobOfBadWorkers(t *testing.T) {
	c := newCrew(t, 6)
	jobs := []string{"kill-1", "stop-1", "hang-1", "exit-1", "well-1", "kill-2", "stop-2", "hang-2", "exit-2", "well-2"}
	c.serve(queue.Config{Lease: 300 * time.Millisecond, Retry: atOnce}, texts(jobs...), jobs)
}
