package sketch_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/fold/foldtest"
	"github.com/rxipc/rxipc/fold/sketch"
)

// zipf is n words, of which the i-th is about 1/i times as frequent as the first.
func zipf(seed uint64, n int) []string {
	numbers := rand.NewZipf(rand.New(rand.NewPCG(seed, 0)), 1.1, 1, 100_000)
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprint("w", numbers.Uint64())
	}
	return words
}

// counted counts words one after the other.
func counted(m fold.Monoid[sketch.Counts], words []string) sketch.Counts {
	all := m.Identity()
	for _, word := range words {
		all = m.Combine(all, sketch.Item(word))
	}
	return all
}

// countedInParts cuts words at random, down to parts of one and none, and combines the parts.
func countedInParts(m fold.Monoid[sketch.Counts], random *rand.Rand, words []string) sketch.Counts {
	if len(words) < 2 || random.IntN(10) == 0 {
		return counted(m, words)
	}
	at := random.IntN(len(words) + 1)
	return m.Combine(countedInParts(m, random, words[:at]), countedInParts(m, random, words[at:]))
}

// checkCounts checks the bounds that TopK states, for k counters and the words that came.
func checkCounts(t *testing.T, what string, got sketch.Counts, k int, words []string) {
	t.Helper()
	want := make(map[string]uint64)
	for _, word := range words {
		want[word]++
	}
	if got.Total() != uint64(len(words)) {
		t.Errorf("%s: %d strings in all, want %d", what, got.Total(), len(words))
	}
	most := uint64(len(words) / (k + 1))
	for word, n := range want {
		switch c := got.Of(word); {
		case c.AtLeast > n || c.AtMost < n || c.AtMost-c.AtLeast > most:
			t.Errorf("%s: %s came from %d to %d times, want bounds around %d that are %d apart at most", what, word, c.AtLeast, c.AtMost, n, most)
		case n > most && c.AtLeast == 0:
			t.Errorf("%s: %s came %d of %d times and is not among the counts", what, word, n, len(words))
		}
	}
	if kept := len(got.Top(len(words))); kept > 2*k {
		t.Errorf("%s: %d strings are kept, want %d at most", what, kept, 2*k)
	}
}

func TestTopKKeepsTheLawsWithinItsError(t *testing.T) {
	const k = 20
	m := sketch.TopK(k)
	near := func(a, b sketch.Counts) bool {
		for _, c := range append(a.Top(3*k), b.Top(3*k)...) {
			if x, y := a.Of(c.Item), b.Of(c.Item); x.AtLeast > y.AtMost || y.AtLeast > x.AtMost {
				return false
			}
		}
		return a.Total() == b.Total()
	}
	foldtest.LawsFunc(t, m, near, sketch.Counts{}, sketch.Item("w1"), counted(m, zipf(1, 30)), counted(m, zipf(2, 3000)), counted(m, zipf(3, 3000)))
}

func TestTopKIsWithinItsBoundsHoweverItIsCombined(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 0))
	for run := range 300 {
		k := 1 + random.IntN(30)
		words := zipf(uint64(run), random.IntN(1500))
		if run%3 == 0 { // all are different
			for i := range words {
				words[i] = fmt.Sprint(i)
			}
		}
		m := sketch.TopK(k)
		checkCounts(t, fmt.Sprintf("run %d, k %d, %d words one by one", run, k, len(words)), counted(m, words), k, words)
		checkCounts(t, fmt.Sprintf("run %d, k %d, %d words in parts", run, k, len(words)), countedInParts(m, random, words), k, words)
	}
}

func TestCountPrintsBothBoundsIfTheyDiffer(t *testing.T) {
	for want, c := range map[string]sketch.Count{"a: 3": {Item: "a", AtLeast: 3, AtMost: 3}, "a: 3 to 5": {Item: "a", AtLeast: 3, AtMost: 5}} {
		if got := c.String(); got != want {
			t.Errorf("print a count: got %q, want %q", got, want)
		}
	}
}

func TestTopKOfDifferentSizesHasTheBoundsOfTheSmallest(t *testing.T) {
	a, b := zipf(5, 4000), zipf(6, 4000)
	for _, sizes := range [][2]int{{10, 100}, {100, 10}} {
		got := sketch.TopK(100).Combine(counted(sketch.TopK(sizes[0]), a), counted(sketch.TopK(sizes[1]), b))
		words := append(append([]string(nil), a...), b...)
		if kept := len(got.Top(1000)); kept > 200 {
			t.Errorf("k of %v: %d strings are kept, want 200 at most", sizes, kept)
		}
		for _, c := range got.Top(200) {
			if c.AtMost-c.AtLeast > uint64(len(words)/11) {
				t.Errorf("k of %v: %s came from %d to %d times, want bounds %d apart at most", sizes, c.Item, c.AtLeast, c.AtMost, len(words)/11)
			}
		}
	}
}

func TestTopKOfFewStringsIsExact(t *testing.T) {
	m := sketch.TopK(3)
	words := []string{"b", "a", "c", "a", "b", "a"}
	for name, got := range map[string]sketch.Counts{
		"in order":   counted(m, words),
		"in reverse": m.Combine(counted(m, []string{"a", "b", "a"}), counted(m, []string{"c", "a", "b"})),
	} {
		want := fmt.Sprint([]sketch.Count{{"a", 3, 3}, {"b", 2, 2}, {"c", 1, 1}})
		if fmt.Sprint(got.Top(5)) != want {
			t.Errorf("%s: the top is %v, want %v", name, got.Top(5), want)
		}
	}
	for _, n := range []int{0, -1} {
		if top := counted(m, words).Top(n); len(top) != 0 {
			t.Errorf("Top(%d) is %v, want none", n, top)
		}
	}
	if top := sketch.Item("x").Top(1); fmt.Sprint(top) != "[x: 1]" {
		t.Errorf("the top of one item is %v, want x once", top)
	}
	if all := counted(sketch.TopK(-1), words); all.Total() != 6 || len(all.Top(9)) > 2 {
		t.Errorf("with a k below 1: %d strings, %d kept; want 6 and 2 at most", all.Total(), len(all.Top(9)))
	}
}
