package foldtest_test

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/fold/foldtest"
)

// recorder keeps the errors that are reported to it.
type recorder struct {
	testing.TB
	errors []string
}

func (*recorder) Helper() {}

func (r *recorder) Errorf(format string, arguments ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, arguments...))
}

type counts = map[string]int

func add(into, from counts) counts {
	for key, n := range from {
		into[key] += n
	}
	return into
}

// log keeps its storage in unexported fields.
type log struct {
	lines []string
	count *int
}

func freshLog() *log { return &log{count: new(int)} }

// count returns a test of the laws of m with some maps.
func count(m fold.Monoid[counts]) func(testing.TB) {
	return func(t testing.TB) { foldtest.Laws(t, m, counts{"a": 1}, counts{"a": 2, "b": 3}, counts{}) }
}

// number returns a test of the laws of m with some numbers.
func number(m fold.Monoid[int]) func(testing.TB) {
	return func(t testing.TB) { foldtest.Laws(t, m, 0, 1, 2, -7) }
}

// brokenMonoid is a test of the laws that fails, and a part of its message.
type brokenMonoid struct {
	name string
	laws func(t testing.TB)
	want string
}

func checkBroken(t *testing.T, tests []brokenMonoid) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := &recorder{TB: t}
			test.laws(r)
			if len(r.errors) != 1 || !strings.Contains(r.errors[0], test.want) {
				t.Errorf("Laws: got the errors %q, want one with %q", r.errors, test.want)
			}
		})
	}
}

func TestLawsReportsABrokenIdentity(t *testing.T) {
	sharedCounts := counts{}
	sharedLimits := struct{ limits [1][]int }{[1][]int{{3}}}
	sharedInt := new(big.Int)
	calls := 0
	checkBroken(t, []brokenMonoid{
		{"identity is not left neutral",
			number(fold.New(func() int { return 0 }, func(_, b int) int { return b + 1 })),
			"left identity"},
		{"identity is not right neutral",
			number(fold.New(func() int { return 0 }, func(_, b int) int { return b })),
			"right identity"},
		{"identity is wrong",
			number(fold.New(func() int { return 1 }, func(a, b int) int { return a + b })),
			"left identity"},
		{"identity differs from call to call",
			number(fold.New(func() int { calls++; return calls }, func(a, b int) int { return b })),
			"the identity changed"},
		{"identity shares a map",
			count(fold.New(func() counts { return sharedCounts }, func(a, b counts) counts { return add(maps.Clone(a), b) })),
			"share storage"},
		{"identity shares a slice inside a struct and an array",
			func(t testing.TB) {
				type limits = struct{ limits [1][]int }
				foldtest.Laws(t, fold.New(
					func() limits { return sharedLimits },
					func(a, b limits) limits { return b }))
			},
			"share storage"},
		{"identity shares what it points to",
			func(t testing.TB) {
				foldtest.Laws(t, fold.New(
					func() *big.Int { return sharedInt },
					func(a, b *big.Int) *big.Int { return a.Add(a, b) }), big.NewInt(1))
			},
			"share storage"},
		{"identity shares what a pointer inside it points to",
			func(t testing.TB) {
				type total = struct{ sum *big.Int }
				foldtest.Laws(t, fold.New(
					func() total { return total{sharedInt} },
					func(a, b total) total { a.sum.Add(a.sum, b.sum); return a }), total{big.NewInt(1)})
			},
			"changed another identity"},
	})
}

func TestLawsReportsABrokenCombine(t *testing.T) {
	spare := []int{1, 2, 3, 4}
	checkBroken(t, []brokenMonoid{
		{"not associative",
			number(fold.New(func() int { return 0 }, func(a, b int) int {
				if a == 0 || b == 0 {
					return a + b
				}
				return a - b
			})),
			"associativity"},
		{"right argument is changed at once",
			count(fold.New(func() counts { return counts{} }, func(a, b counts) counts { return add(b, a) })),
			"changed a right argument"},
		{"right argument is changed when the result is combined further",
			count(fold.New(func() counts { return counts{} }, func(a, b counts) counts {
				if len(a) == 0 {
					return b
				}
				return add(a, b)
			})),
			"changed a right argument"},
		{"right argument is changed in an unexported field",
			func(t testing.TB) {
				foldtest.Laws(t, fold.New(freshLog, func(a, b *log) *log {
					a.lines = append(a.lines, b.lines...)
					*a.count += *b.count
					*b.count++
					return a
				}), &log{[]string{"x"}, new(1)}, &log{[]string{"y", "z"}, new(2)})
			},
			"changed a right argument"},
		{"right argument is changed behind its length",
			func(t testing.TB) {
				foldtest.Laws(t, fold.New(
					func() []int { return nil },
					func(a, b []int) []int {
						if len(a) == 0 {
							return b
						}
						return append(a, b...)
					}), spare[:1], []int{9})
			},
			"changed a right argument"},
		{"an earlier result is changed",
			func(t testing.TB) {
				scratch := make([]int, 0, 64)
				foldtest.Laws(t, fold.New(
					func() []int { return nil },
					func(a, b []int) []int { return append(append(scratch, a...), b...) }), []int{1}, []int{2})
			},
			"changed a result"},
	})
}

func TestLawsShowsTheValuesOfABrokenLaw(t *testing.T) {
	r := &recorder{TB: t}
	foldtest.Laws(r, fold.New(freshLog, func(a, b *log) *log {
		return &log{append(append([]string{}, b.lines...), b.lines...), new(*a.count + *b.count)}
	}), &log{[]string{"x"}, new(1)})
	want := `left identity: Combine(Identity(), a) is not a
   a &{lines:["x"] count:&1}
 got &{lines:["x" "x"] count:&1}`
	if len(r.errors) == 0 || r.errors[0] != want {
		t.Errorf("got %q, want first %q", r.errors, want)
	}
}

func TestLawsAcceptsMonoids(t *testing.T) {
	t.Run("without values", func(t *testing.T) {
		foldtest.Laws(t, fold.Sum[int]())
	})
	t.Run("nil and empty", func(t *testing.T) {
		foldtest.Laws(t, fold.ConcatSlices[[]int](), nil, []int{}, []int{1})
	})
	t.Run("NaN", func(t *testing.T) {
		foldtest.Laws(t, fold.Max[float64](), math.NaN(), 1)
	})
	t.Run("values that share an array", func(t *testing.T) {
		array := []int{1, 2, 3, 4}
		foldtest.Laws(t, fold.ConcatSlices[[]int](), array[:1], array[1:2], array[:4])
	})
	t.Run("pointers", func(t *testing.T) {
		foldtest.Laws(t, fold.New(
			func() *big.Int { return new(big.Int) },
			func(a, b *big.Int) *big.Int { return a.Add(a, b) },
		), big.NewInt(1), big.NewInt(-5), new(big.Int).Lsh(big.NewInt(1), 100))
	})
	t.Run("unexported fields", func(t *testing.T) {
		foldtest.Laws(t, fold.New(freshLog, func(a, b *log) *log {
			a.lines = append(a.lines, b.lines...)
			*a.count += *b.count
			return a
		}), &log{[]string{"x"}, new(1)}, &log{[]string{"y", "z"}, new(2)})
	})
	t.Run("interfaces and cycles", func(t *testing.T) {
		ring := []any{1, nil}
		ring[1] = ring
		foldtest.Laws(t, fold.First[any](), fold.Just[any](ring), fold.Just[any](nil), fold.Nothing[any]())
	})
	t.Run("an Equal method", func(t *testing.T) {
		noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
		elsewhere := noon.In(time.FixedZone("east", 3600))
		foldtest.Laws(t, fold.New(
			func() time.Time { return time.Time{} },
			func(a, b time.Time) time.Time {
				if b.After(a) {
					return b
				}
				return a
			},
		), noon, elsewhere, noon.Add(time.Hour))
	})
}

func TestLawsFuncUsesItsEqual(t *testing.T) {
	values := []float64{0.1, 0.2, 0.3, 1e9}

	r := &recorder{TB: t}
	foldtest.Laws(r, fold.Sum[float64](), values...)
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], "associativity") {
		t.Errorf("got %q, want one error about associativity", r.errors)
	}

	near := func(a, b float64) bool { return math.Abs(a-b) < 1e-6 }
	foldtest.LawsFunc(t, fold.Sum[float64](), near, values...)
}
