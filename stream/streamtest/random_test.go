package streamtest

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rxipc/rxipc/operators"
)

func TestRandomDiagrams(t *testing.T) {
	seen := make(map[string]bool)
	for seed := range uint64(500) {
		text := RandomDiagram(rand.New(rand.NewPCG(seed, 0)), 12, "abc", "|#")
		if again := RandomDiagram(rand.New(rand.NewPCG(seed, 0)), 12, "abc", "|#"); again != text {
			t.Fatalf("seed %d gives %q and %q", seed, text, again)
		}
		d, err := read(text, time.Millisecond)
		if err != nil {
			t.Fatalf("reading the random diagram %q: got %v, want no error", text, err)
		}
		if d.length > 13 || len(d.marks) == 0 {
			t.Errorf("draw a random diagram of 12 frames: got %q of length %d with %d marks, want at most 13 and some", text, d.length, len(d.marks))
		}
		seen[text] = true
		for _, sign := range text {
			seen[string(sign)] = true
		}
	}
	for _, sign := range "-abc|#()" {
		if !seen[string(sign)] {
			t.Errorf("%c never came", sign)
		}
	}
	if len(seen) < 300 {
		t.Errorf("only %d diagrams", len(seen))
	}
	if text := RandomDiagram(rand.New(rand.NewPCG(1, 0)), 30, "", ""); strings.Trim(text, "-") != "" {
		t.Errorf("without names and ends it is %q", text)
	}
}

func TestProperty(t *testing.T) {
	runs := 0
	Property(t, 50, func(b *Bench, random *rand.Rand) {
		runs++
		one := b.Cold(RandomDiagram(random, 10, "abc", "|"))
		two := b.Cold(RandomDiagram(random, 10, "xyz", "|"))
		merged, err := operators.Merge(one, two).Collect(b.Context())
		alone, _ := operators.Concat(one, two).Collect(b.Context())
		slices.Sort(merged)
		slices.Sort(alone)
		if err != nil || !slices.Equal(merged, alone) {
			b.Errorf("got %q and %v, want %q", merged, err, alone)
		}
	})
	if runs != 50 {
		t.Errorf("check a property 50 times: it ran %d times", runs)
	}
}

func TestPropertyPrintsItsSeed(t *testing.T) {
	runs := 0
	var drawn string
	failing := func(b *Bench, random *rand.Rand) {
		runs++
		if n := random.IntN(10); n > 5 {
			drawn = RandomDiagram(random, 20, "abc", "|#")
			b.Errorf("%d is too much", n)
		}
	}
	of := func(wish string) string {
		r := new(reporter)
		property(t, r.over, r, wish, 1000, failing)
		return r.said.String()
	}
	said := of("")
	seed := regexp.MustCompile(`STREAMTEST_SEED=([0-9]+)`).FindStringSubmatch(said)
	if seed == nil || strings.Count(said, "\n") != 2 {
		t.Fatalf("it says %q", said)
	}
	first := drawn
	runs, drawn = 0, ""
	if again := of(seed[1]); again != said || drawn != first || runs != 1 {
		t.Errorf("it says %q and then, %d times, %q; drawn are %q and %q", said, runs, again, first, drawn)
	}
}

func TestPropertySeedThatIsNoNumber(t *testing.T) {
	r := new(reporter)
	defer func() {
		if recover() != any(errStopped) || !strings.HasPrefix(r.said.String(), "STREAMTEST_SEED: ") {
			t.Errorf("it says %q", r.said.String())
		}
	}()
	property(t, r.over, r, "seven", 1, func(*Bench, *rand.Rand) {})
}
