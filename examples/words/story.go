package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rxipc/rxipc/examples/internal/command"
)

// poem has the verses that the clients of the story send, one each.
var poem = [][]string{
	{"Peter Piper picked a peck", "of pickled peppers."},
	{"A peck of pickled peppers", "Peter Piper picked."},
	{"If Peter Piper picked a peck", "of pickled peppers,", "where is the peck?"},
}

// story runs a server and a client for each verse as processes of their own, all at once. The
// clients wait until the server listens. The lines arrive in any order; the table does not depend
// on it.
func story() error { return command.Story("words", tell) }

func tell(ctx context.Context, dir string, fail func(error)) {
	var processes sync.WaitGroup
	start := func(args ...string) {
		processes.Go(func() {
			if err := runSelf(ctx, args...); err != nil {
				fail(fmt.Errorf("%s: %w", args[0], err)) // ends the other processes
			}
		})
	}
	words := 0
	for _, verse := range poem {
		start(append([]string{"send", "-dir", dir, "-timeout", "1m"}, verse...)...)
		words += len(strings.Fields(strings.Join(verse, " ")))
	}
	start("serve", "-dir", dir, "-until", strconv.Itoa(words))
	processes.Wait()
}

// runSelf runs this program with other arguments. The end of ctx interrupts it, so that a
// server still prints its table.
func runSelf(ctx context.Context, args ...string) error {
	process := command.Self(ctx, args...)
	process.Cancel = func() error { return process.Process.Signal(os.Interrupt) }
	process.WaitDelay = 5 * time.Second // after this time the process is killed
	return process.Run()
}
