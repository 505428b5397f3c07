package streamtest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// seedVariable is the environment variable that repeats a run of a property.
const seedVariable = "STREAMTEST_SEED"

// Property runs a test in virtual time, as [Run] does, so many times, each on a
// bench of its own and with random numbers of its own, until one fails. That one's
// seed is printed; with it in the environment variable STREAMTEST_SEED, only that
// run is repeated.
func Property(t *testing.T, times int, f func(b *Bench, random *rand.Rand)) {
	t.Helper()
	property(t, func(t testing.TB) testing.TB { return t }, t, os.Getenv(seedVariable), times, f)
}

func property(t *testing.T, report func(testing.TB) testing.TB, outside testing.TB, wish string, times int, f func(*Bench, *rand.Rand)) {
	t.Helper()
	seed := rand.Uint64()
	if wish != "" {
		wished, err := strconv.ParseUint(wish, 10, 64)
		if err != nil {
			outside.Fatalf("%s: %v", seedVariable, err)
		}
		seed, times = wished, 1
	}
	for range times {
		passed := false
		func() {
			defer func() { // also when the bench has called FailNow
				if !passed {
					outside.Errorf("this run is repeated by %s=%d", seedVariable, seed)
				}
			}()
			failedBefore := outside.Failed()
			runBench(t, report, func(b *Bench) { f(b, rand.New(rand.NewPCG(seed, 0))) })
			passed = failedBefore || !outside.Failed()
		}()
		if !passed {
			return
		}
		seed++
	}
}

// RandomDiagram is a diagram of a source with up to so many columns before its
// end: idle ones, values and groups, of the given names. How it ends is one of
// ends, "|#" for instance; with no ends it does not.
//
//	source := b.Cold(streamtest.RandomDiagram(random, 20, "abc", "|#"))
func RandomDiagram(random *rand.Rand, columns int, names, ends string) string {
	var d strings.Builder
	name := func() rune { return oneOf(random, names) }
	for range random.IntN(columns + 1) {
		switch kind := random.IntN(10); {
		case names == "" || kind < 5:
			d.WriteRune(idle)
		case kind < 8:
			d.WriteRune(name())
		default:
			d.WriteRune(opening)
			for range 2 + random.IntN(2) {
				d.WriteRune(name())
			}
			d.WriteRune(closing)
		}
	}
	if ends != "" {
		d.WriteRune(oneOf(random, ends))
	}
	return d.String()
}

func oneOf(random *rand.Rand, names string) rune {
	all := []rune(names)
	return all[random.IntN(len(all))]
}
