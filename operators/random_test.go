package operators_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// randomRuns is the number of random scripts that each model gets: 250 for each of RXIPC_ROUNDS,
// which is 1 by default.
var randomRuns = func() int {
	text, found := os.LookupEnv("RXIPC_ROUNDS")
	if !found {
		return 250
	}
	factor, err := strconv.ParseUint(text, 10, 16)
	if err != nil || factor == 0 {
		panic(fmt.Sprintf("RXIPC_ROUNDS=%q is no factor above zero", text))
	}
	return 250 * int(factor)
}()

// odd is what makes a period of whole milliseconds one that ends when no value comes.
const odd = time.Microsecond

// seenAt is what a run tells: a value, or how it ended, so long after the start.
func seenAt(at time.Duration, what any) string { return fmt.Sprint(at, " ", what) }

// timeline is all that a run of the source tells.
func timeline[T any](ctx context.Context, source stream.Observable[T]) (told []string) {
	start := time.Now()
	err := source.ForEach(ctx, func(v T) { told = append(told, seenAt(time.Since(start), v)) })
	return append(told, seenAt(time.Since(start), err))
}

// randomScript is a script of up to most values below limit, of which some come at the
// same time; it completes or fails.
func randomScript(random *rand.Rand, most, limit int) (steps []step, err error) {
	at := 0
	for range random.IntN(most + 1) {
		at += 10 * random.IntN(6)
		steps = append(steps, step{at, random.IntN(limit)})
	}
	if random.IntN(3) == 0 {
		err = errBroken
	}
	return append(steps, step{at + 10*random.IntN(6), 0}), err
}

// wantModel checks on random scripts that what agree makes of them tells the same as its
// model.
func wantModel(t *testing.T, agree func(random *rand.Rand, steps []step, err error) (run func(context.Context) []string, model []string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		for seed := range uint64(randomRuns) {
			random := rand.New(rand.NewPCG(seed, 7))
			steps, err := randomScript(random, 14, 9)
			run, want := agree(random, steps, err)
			if got := run(t.Context()); !slices.Equal(got, want) {
				t.Fatalf("seed %d, script %v that ends with %v: the run told\n%q, want\n%q", seed, steps, err, got, want)
			}
		}
	})
}

// at is the time of a step.
func (s step) time() time.Duration { return time.Duration(s.at) * ms }

// cut are the values of a script and the time of its end.
func cut(steps []step) (values []step, end time.Duration) {
	last := len(steps) - 1
	return steps[:last], steps[last].time()
}
