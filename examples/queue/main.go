// Command queue shows a supervisor whose workers are killed again and again, and no job is lost.
// The jobs are numbers, which the workers factor. Without arguments the command runs a supervisor
// and four workers, each in a process of its own, and kills the workers with SIGKILL:
//
//	go run ./examples/queue
//
// To run them in terminals, in any order, with as many workers as you like:
//
//	go run ./examples/queue serve -jobs 100000
//	go run ./examples/queue work
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxipc/rxipc/examples/internal/command"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/queue"
	"github.com/rxipc/rxipc/stream"
)

const usage = `usage:
  queue                  a supervisor and four workers that are killed
  queue serve [flags]    give numbers to workers, and print their factors
  queue work [flags]     factor numbers until the supervisor ends
`

func main() {
	command.Main("queue", usage, func() error { return command.Story("queue", tell) }, map[string]func([]string) error{
		"serve": func(args []string) error { return run("serve", args, serve) },
		"work":  func(args []string) error { return run("work", args, work) },
	})
}

// run runs a role with its flags.
func run(role string, args []string, play func(ctx context.Context, config socket.Config, name socket.Name, jobs int) error) error {
	flags := flag.NewFlagSet("queue "+role, flag.ExitOnError)
	dir, nameText := command.DirFlag(flags), command.NameFlag(flags, "factors")
	jobs := flags.Int("jobs", 1000, "`number` of jobs; for serve")
	flags.Parse(args)
	if flags.NArg() != 0 {
		return command.ErrUsage
	}
	name, err := socket.ParseName(*nameText)
	if err != nil {
		return err
	}
	ctx, stop := socket.NotifyContext(context.Background())
	defer stop()
	return play(ctx, socket.Config{Dir: *dir}, name, *jobs)
}

// serve is the supervisor. A worker has four jobs at the same time, and ten seconds for each. A job
// that a worker cannot do, or that kills each worker which takes it, is given up after a while.
func serve(ctx context.Context, config socket.Config, name socket.Name, jobs int) error {
	outcomes := stream.Pipe2(
		stream.Range(1, jobs),
		operators.Map(func(n int) socket.Message { return socket.Text(strconv.Itoa(n)) }),
		queue.Serve(socket.New(config).Listen(name), queue.Config{
			InFlight: 4,
			Lease:    10 * time.Second,
			Retry:    operators.RetryPolicy{Times: 100, Delay: 10 * time.Millisecond, MaxDelay: time.Second},
		}),
	)
	done, again := 0, 0
	err := outcomes.ForEach(ctx, func(o queue.Done) {
		if o.Err != nil {
			fmt.Printf("%s: %v\n", o.Job.Content(), o.Err)
			return
		}
		done, again = done+1, again+min(o.Attempts-1, 1)
		fmt.Printf("%s = %s\n", o.Job.Content(), o.Result.Content())
	})
	fmt.Printf("%d of %d jobs are done, %d of them at a second attempt or later\n", done, jobs, again)
	return err
}

// work is a worker. It ends with its supervisor.
func work(ctx context.Context, config socket.Config, name socket.Name, _ int) error {
	return queue.Work(socket.New(config), name, func(_ context.Context, job socket.Message) (socket.Message, error) {
		n, err := strconv.Atoi(job.Content())
		if err != nil || n < 1 {
			return socket.Message{}, queue.Final(errors.New("want a number from 1 on"))
		}
		time.Sleep(10 * time.Millisecond) // as if it were work
		return socket.Text(strings.Join(factors(n), " x ")), nil
	}).Run(ctx)
}

func factors(n int) (list []string) {
	for p := 2; p*p <= n; p++ {
		for ; n%p == 0; n /= p {
			list = append(list, strconv.Itoa(p))
		}
	}
	if n > 1 || len(list) == 0 {
		list = append(list, strconv.Itoa(n))
	}
	return list
}

// tell runs the supervisor, and workers until it ends.
func tell(ctx context.Context, dir string, fail func(error)) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	var workers sync.WaitGroup
	var killed atomic.Int32
	for range 4 {
		workers.Go(func() {
			// Each life is longer than the one before, so that on a slow machine, too, a
			// worker lives long enough to do a job.
			for life := 40 * time.Millisecond; ctx.Err() == nil; life += 40 * time.Millisecond {
				living, kill := context.WithTimeout(ctx, life)
				if command.Self(living, "work", "-dir", dir).Run() != nil {
					killed.Add(1)
				}
				kill()
			}
		})
	}
	if err := command.Self(ctx, "serve", "-dir", dir).Run(); err != nil {
		fail(fmt.Errorf("serve: %w", err))
	}
	end()
	workers.Wait()
	fmt.Printf("%d workers were killed\n", killed.Load())
}
