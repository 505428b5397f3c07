package stream_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

var errBroken = errors.New("broken")

// filled is a closed channel that holds the values.
func filled(values ...int) <-chan int {
	c := make(chan int, len(values))
	for _, v := range values {
		c <- v
	}
	close(c)
	return c
}

func same(s stream.Observable[int]) stream.Observable[int] { return s }

// contracts checks each source under its name.
var contracts = map[string]func(*testing.T){
	"Just": func(t *testing.T) {
		streamtest.Check(t, stream.Just(1, 2, 3), []int{1, 2, 3})
	},
	"FromSlice": func(t *testing.T) {
		streamtest.Check(t, stream.FromSlice([]int{1, 2, 3}), []int{1, 2, 3})
	},
	"Range": func(t *testing.T) {
		streamtest.Check(t, stream.Range(5, 3), []int{5, 6, 7})
		streamtest.Check(t, stream.Range(5, -1), nil)
	},
	"FromSeq": func(t *testing.T) {
		streamtest.Check(t, stream.FromSeq(slices.Values([]int{1, 2, 3})), []int{1, 2, 3})
	},
	"FromSeq2": func(t *testing.T) {
		streamtest.Check(t, stream.FromSeq2(stream.Just(1, 2, 3).Seq(context.Background())), []int{1, 2, 3})
		failing := func(yield func(int, error) bool) {
			_ = yield(1, nil) && yield(0, errBroken) && yield(2, nil)
		}
		streamtest.Check(t, stream.FromSeq2(failing), []int{1}, streamtest.Fails(errBroken))
	},
	"FromChannel": func(t *testing.T) {
		t.Run("closed", func(t *testing.T) {
			streamtest.Check(t, stream.Defer(func() stream.Observable[int] {
				return stream.FromChannel(filled(1, 2, 3))
			}), []int{1, 2, 3})
		})
		t.Run("open", func(t *testing.T) {
			streamtest.Check(t, stream.Defer(func() stream.Observable[int] {
				c := make(chan int, 3)
				c <- 1
				c <- 2
				return stream.FromChannel(c)
			}), []int{1, 2}, streamtest.Endless())
		})
	},
	"Defer": func(t *testing.T) {
		streamtest.Check(t, stream.Defer(func() stream.Observable[int] {
			n := 0
			return operators.Map(func(int) int { n++; return n })(stream.Range(0, 3))
		}), []int{1, 2, 3})
	},
	"Empty": func(t *testing.T) { streamtest.Check(t, stream.Empty[int](), nil) },
	"Throw": func(t *testing.T) {
		streamtest.Check(t, stream.Throw[int](errBroken), nil, streamtest.Fails(errBroken))
	},
	"Never": func(t *testing.T) { streamtest.Check(t, stream.Never[int](), nil, streamtest.Endless()) },
	"Timer": func(t *testing.T) {
		for _, d := range []time.Duration{-1, 0, time.Minute} {
			t.Run(d.String(), func(t *testing.T) {
				zero := operators.Map(func(now time.Time) bool { return now.IsZero() })
				streamtest.Check(t, zero(stream.Timer(d)), []bool{false})
			})
		}
	},
	"Interval": func(t *testing.T) {
		streamtest.Check(t, stream.Interval(time.Minute), []int{0, 1, 2}, streamtest.Endless())
	},
	"Gather": func(t *testing.T) {
		t.Run("no producer", func(t *testing.T) {
			streamtest.Check(t, stream.Gather(0, func(*stream.Group[int]) {}), nil)
		})
		for _, capacity := range []int{-1, 1, 2, 128} {
			t.Run(fmt.Sprint("capacity ", capacity), func(t *testing.T) {
				gather := func(s stream.Observable[int]) stream.Observable[int] {
					return stream.Gather(capacity, func(g *stream.Group[int]) { g.Go(s) })
				}
				streamtest.CheckOperator(t, gather, []int{1, 2, 3}, []int{1, 2, 3}, streamtest.ReadAhead(max(1, capacity)+1))
			})
		}
		t.Run("producers of producers", func(t *testing.T) {
			gather := func(s stream.Observable[int]) stream.Observable[int] {
				return stream.Gather(1, func(g *stream.Group[int]) {
					g.Go(func(ctx context.Context, yield func(int) bool) error {
						g.Go(s)
						_ = yield(7)
						return nil
					})
				})
			}
			streamtest.CheckOperator(t, gather, []int{1, 2, 3}, []int{1, 2, 3, 7},
				streamtest.Unordered(), streamtest.LosesOnFailure(), streamtest.ReadAhead(2))
		})
	},
	"Observe": func(t *testing.T) {
		for _, overflow := range []stream.Overflow{stream.Block, stream.DropOldest, stream.DropNewest, stream.Fail} {
			t.Run(fmt.Sprint("overflow ", overflow), func(t *testing.T) {
				subject := func(s stream.Observable[int]) stream.Observable[int] { return bySubject(s, 8, overflow) }
				streamtest.CheckOperator(t, subject, []int{1, 2, 3}, []int{1, 2, 3}, streamtest.ReadAhead(-1))
			})
			t.Run(fmt.Sprint("what is kept, overflow ", overflow), func(t *testing.T) {
				subject := stream.NewReplaySubject[int](3, 0)
				for n := range 5 {
					subject.Next(n)
				}
				subject.Error(errBroken)
				streamtest.Check(t, subject.Observe(1, overflow), []int{2, 3, 4}, streamtest.Fails(errBroken))
			})
		}
	},
	"Audience": func(t *testing.T) {
		t.Run("ended", func(t *testing.T) {
			var subject stream.Subject[int]
			subject.Complete()
			streamtest.Check(t, subject.Audience(), []int{0})
		})
		t.Run("coming and going", func(t *testing.T) {
			streamtest.Check(t, stream.Gather(8, func(g *stream.Group[int]) {
				subject := new(stream.Subject[int])
				g.Go(func(ctx context.Context, yield func(int) bool) error {
					before := -1
					return subject.Audience()(ctx, func(n int) bool {
						if n == before {
							t.Error("nothing has changed")
						}
						before = n
						return yield(n)
					})
				})
				for i := range 2 {
					g.Go(func(ctx context.Context, _ func(int) bool) error {
						if err := stream.Timer(time.Duration(i+1) * time.Minute).Run(ctx); err != nil {
							return err
						}
						stay, leave := context.WithTimeout(ctx, 90*time.Second)
						defer leave()
						_ = subject.Observe(1, stream.Block).Run(stay)
						if i == 1 {
							subject.Complete()
						}
						return nil
					})
				}
			}), []int{0, 1, 2, 1, 0})
		})
	},
	"Pipe1": func(t *testing.T) { checkPipe(t, stream.Pipe1(stream.Just(1, 2), same)) },
	"Pipe2": func(t *testing.T) { checkPipe(t, stream.Pipe2(stream.Just(1, 2), same, same)) },
	"Pipe3": func(t *testing.T) { checkPipe(t, stream.Pipe3(stream.Just(1, 2), same, same, same)) },
	"Pipe4": func(t *testing.T) { checkPipe(t, stream.Pipe4(stream.Just(1, 2), same, same, same, same)) },
	"Pipe5": func(t *testing.T) { checkPipe(t, stream.Pipe5(stream.Just(1, 2), same, same, same, same, same)) },
	"Pipe6": func(t *testing.T) {
		checkPipe(t, stream.Pipe6(stream.Just(1, 2), same, same, same, same, same, same))
	},
	"Pipe7": func(t *testing.T) {
		checkPipe(t, stream.Pipe7(stream.Just(1, 2), same, same, same, same, same, same, same))
	},
	"Pipe8": func(t *testing.T) {
		checkPipe(t, stream.Pipe8(stream.Just(1, 2), same, same, same, same, same, same, same, same))
	},
	"Pipe9": func(t *testing.T) {
		checkPipe(t, stream.Pipe9(stream.Just(1, 2), same, same, same, same, same, same, same, same, same))
	},
}

func checkPipe(t *testing.T, piped stream.Observable[int]) {
	streamtest.Check(t, piped, []int{1, 2})
}

// bySubject is what comes of s by way of a subject: another producer, which observes
// nothing and feeds the subject once it is observed.
func bySubject(s stream.Observable[int], capacity int, overflow stream.Overflow) stream.Observable[int] {
	return stream.Gather(1, func(g *stream.Group[int]) {
		subject := new(stream.Subject[int])
		g.Go(subject.Observe(capacity, overflow))
		g.Go(func(ctx context.Context, _ func(int) bool) error {
			_ = subject.Audience()(ctx, func(n int) bool { return n == 0 })
			_ = subject.Feed(ctx, s)
			return nil
		})
	})
}

func TestContracts(t *testing.T) {
	for name, check := range contracts {
		t.Run(name, check)
	}
}

func TestEverySourceHasAContract(t *testing.T) {
	eachFunction(t, false, func(f *ast.FuncDecl) {
		if returnsObservable(f) && contracts[f.Name.Name] == nil {
			t.Errorf("%s is not in contracts", f.Name.Name)
		}
	})
}

// TestEveryVerbHasAnExample wants one of each exported function and of each
// exported method of an exported type.
func TestEveryVerbHasAnExample(t *testing.T) {
	examples := make(map[string]bool)
	eachFunction(t, true, func(f *ast.FuncDecl) {
		if name, ok := strings.CutPrefix(f.Name.Name, "Example"); ok {
			examples[name] = true
			for i, r := range name { // ExampleX_suffix and ExampleX_Method_suffix too
				if r == '_' && i+1 < len(name) && name[i+1] >= 'a' {
					examples[name[:i]] = true
				}
			}
		}
	})
	eachFunction(t, false, func(f *ast.FuncDecl) {
		name := f.Name.Name
		if f.Recv != nil {
			name = receiver(f) + "_" + name
		}
		if !examples[name] {
			t.Errorf("there is no Example%s", name)
		}
	})
}

func returnsObservable(f *ast.FuncDecl) bool {
	found := false
	if f.Type.Results != nil {
		ast.Inspect(f.Type.Results, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && id.Name == "Observable" {
				found = true
			}
			return true
		})
	}
	return found
}

// receiver is the name of the type of a method.
func receiver(f *ast.FuncDecl) string {
	name := ""
	ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return true
	})
	return name
}

// eachFunction calls visit with the exported functions of this package's files,
// or of its tests, and with the exported methods of its exported types.
func eachFunction(t *testing.T, tests bool, visit func(*ast.FuncDecl)) {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil || len(paths) == 0 {
		t.Fatal("no files", err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") != tests {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatalf("parsing %s: got %v, want no error", path, err)
		}
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if ok && f.Name.IsExported() && (f.Recv == nil || ast.IsExported(receiver(f))) {
				visit(f)
			}
		}
	}
}
