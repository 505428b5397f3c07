package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxipc/rxipc/examples/internal/command"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/system"
)

const written = 10_000 // lines

// tell writes lines for a second while it kills a shipper and a collector again and again. It checks
// what was collected once the last line has come.
func tell(ctx context.Context, dir string, fail func(error)) {
	log, out := filepath.Join(dir, "app.log"), filepath.Join(dir, "collected")
	living, end := context.WithCancel(ctx)
	var all sync.WaitGroup
	var killed atomic.Int32
	for _, args := range [][]string{{"collect", "-dir", dir, out}, {"ship", "-dir", dir, log}} {
		all.Go(func() { killed.Add(killAgainAndAgain(living, args)) })
	}
	all.Go(func() {
		if err := write(ctx, log); err != nil {
			fail(err)
		}
	})
	last := fmt.Sprint("line ", written)
	err := stream.Pipe2(
		system.Follow(out, system.FollowOptions{}),
		operators.Filter(func(l system.Line) bool { return strings.HasSuffix(l.Text, last) }),
		operators.First[system.Line](),
	).Run(ctx)
	end()
	all.Wait()
	if err == nil {
		err = check(out)
	}
	if err != nil {
		fail(err)
		return
	}
	fmt.Printf("each of %d lines was collected exactly once, %d processes were killed\n", written, killed.Load())
}

// killAgainAndAgain runs this program with the arguments until ctx ends, and kills it each time. Each
// life is longer than the one before, so that on a slow machine, too, a process comes to its work.
func killAgainAndAgain(ctx context.Context, args []string) (killed int32) {
	for life := 40 * time.Millisecond; ctx.Err() == nil; life += 40 * time.Millisecond {
		living, kill := context.WithTimeout(ctx, life)
		if command.Self(living, args...).Run() != nil {
			killed++
		}
		kill()
	}
	return killed
}

// write appends lines to a log, 100 at a time.
func write(ctx context.Context, path string) error {
	log, err := os.Create(path)
	if err != nil {
		return err
	}
	defer log.Close()
	n := 0
	return stream.Pipe1(stream.Interval(10*time.Millisecond), operators.Take[int](written/100)).ForEach(ctx, func(int) {
		for range 100 {
			n++
			fmt.Fprintln(log, "line", n)
		}
	})
}

// check fails unless a file has the lines once and in order.
func check(out string) error {
	file, err := os.Open(out)
	if err != nil {
		return err
	}
	defer file.Close()
	n := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if n++; !strings.HasSuffix(lines.Text(), fmt.Sprint(" line ", n)) {
			return fmt.Errorf("line %d of the collector is %q", n, lines.Text())
		}
	}
	if n != written {
		return fmt.Errorf("%d lines were collected, want %d", n, written)
	}
	return nil
}
