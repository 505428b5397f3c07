package operators_test

import (
	"context"
	"errors"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

var errOdd = errors.New("odd")

func half(n int) (int, error) {
	if n%2 != 0 {
		return 0, errOdd
	}
	return n / 2, nil
}

func twice(n int) stream.Observable[int] { return stream.Just(n, n) }

func below(limit int) func(int) bool { return func(n int) bool { return n < limit } }

// contracts checks each operator under its name, in each of its moods.
var contracts = map[string]func(*testing.T){
	"Map": func(t *testing.T) {
		streamtest.CheckOperator(t, operators.Map(triple), []int{1, 2, 3}, []int{3, 6, 9})
	},
	"MapErr": func(t *testing.T) {
		t.Run("success", func(t *testing.T) {
			streamtest.CheckOperator(t, operators.MapErr(half), []int{2, 4}, []int{1, 2})
		})
		t.Run("failure", func(t *testing.T) {
			streamtest.Check(t, operators.MapErr(half)(stream.Just(2, 3, 4)), []int{1}, streamtest.Fails(errOdd))
		})
	},
	"MapSkipErr": func(t *testing.T) {
		streamtest.CheckOperator(t, operators.MapSkipErr(half, func(int, error) {}), []int{2, 3, 4}, []int{1, 2})
	},
	"ConcatMap": func(t *testing.T) {
		streamtest.CheckOperator(t, operators.ConcatMap(twice), []int{1, 2}, []int{1, 1, 2, 2})
	},
	"Filter": func(t *testing.T) {
		streamtest.CheckOperator(t, operators.Filter(even), []int{1, 2, 3, 4, 5}, []int{2, 4})
	},
	"Take": func(t *testing.T) {
		for count, want := range [][]int{{}, {1}, {1, 2}, {1, 2, 3}, {1, 2, 3}} {
			t.Run(string(rune('0'+count)), func(t *testing.T) {
				streamtest.CheckOperator(t, operators.Take[int](count), []int{1, 2, 3}, want)
			})
		}
	},
	"TakeWhile": func(t *testing.T) {
		t.Run("exclusive", func(t *testing.T) {
			streamtest.CheckOperator(t, operators.TakeWhile(below(3)), []int{1, 2, 3, 4, 1}, []int{1, 2})
		})
		t.Run("inclusive", func(t *testing.T) {
			streamtest.CheckOperator(t, operators.TakeWhile(below(3), operators.Inclusive), []int{1, 2, 3, 4, 1}, []int{1, 2, 3})
		})
		t.Run("to the end", func(t *testing.T) {
			streamtest.CheckOperator(t, operators.TakeWhile(below(9)), []int{1, 2}, []int{1, 2})
		})
	},
	"First": func(t *testing.T) {
		streamtest.CheckOperator(t, operators.First[int](), []int{1, 2}, []int{1})
	},
	"Last": func(t *testing.T) {
		streamtest.CheckOperator(t, operators.Last[int](), []int{1, 2}, []int{2}, streamtest.LosesOnFailure())
	},
	"Scan": func(t *testing.T) {
		t.Run("sum", func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Scan(fold.Sum[int]()), []int{1, 2, 3}, []int{1, 3, 6})
		})
		t.Run("slices", func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Scan(fold.ConcatSlices[[]int]()),
				[][]int{{1}, {2}, {3}}, [][]int{{1}, {1, 2}, {1, 2, 3}})
		})
		t.Run("maps", func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Scan(fold.ByKey[string](fold.Sum[int]())),
				[]map[string]int{{"a": 1}, {"b": 1}, {"a": 1}},
				[]map[string]int{{"a": 1}, {"a": 1, "b": 1}, {"a": 2, "b": 1}})
		})
	},
	"ScanFrom": func(t *testing.T) {
		streamtest.CheckOperator(t, operators.ScanFrom(from(10), add), []int{1, 2, 3}, []int{11, 13, 16})
	},
	"Fold": func(t *testing.T) {
		t.Run("sum", func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Fold(fold.Sum[int]()), []int{1, 2, 3}, []int{6}, streamtest.LosesOnFailure())
		})
		t.Run("maps", func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Fold(fold.ByKey[string](fold.Sum[int]())),
				[]map[string]int{{"a": 1}, {"b": 1}, {"a": 1}}, []map[string]int{{"a": 2, "b": 1}}, streamtest.LosesOnFailure())
		})
	},
	"Reduce": func(t *testing.T) {
		streamtest.CheckOperator(t, operators.Reduce(from(10), add), []int{1, 2, 3}, []int{16}, streamtest.LosesOnFailure())
	},
	"Catch": func(t *testing.T) {
		recover := func(error) stream.Observable[int] { return stream.Just(8, 9) }
		t.Run("nothing to recover", func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Catch(recover), []int{1, 2, 3}, []int{1, 2, 3}, streamtest.Recovers())
		})
		t.Run("recovery", func(t *testing.T) {
			failing := func(s stream.Observable[int]) stream.Observable[int] {
				return operators.Catch(recover)(operators.MapErr(half)(s))
			}
			streamtest.CheckOperator(t, failing, []int{2, 4, 5}, []int{1, 2, 8, 9}, streamtest.Recovers())
		})
		t.Run("failure again", func(t *testing.T) {
			again := operators.Catch(func(err error) stream.Observable[int] { return stream.Throw[int](err) })
			streamtest.CheckOperator(t, again, []int{1, 2}, []int{1, 2})
		})
	},
	"Tap": func(t *testing.T) {
		streamtest.CheckOperator(t, operators.Tap(func(int) {}), []int{1, 2, 3}, []int{1, 2, 3})
	},
	"TakeUntilDone": func(t *testing.T) {
		t.Run("never done", func(t *testing.T) {
			streamtest.CheckOperator(t, operators.TakeUntilDone[int](context.Background()), []int{1, 2, 3}, []int{1, 2, 3})
		})
		t.Run("done before", func(t *testing.T) {
			stop, finish := context.WithCancel(context.Background())
			finish()
			streamtest.CheckOperator(t, operators.TakeUntilDone[int](stop), []int{1, 2, 3}, nil)
		})
	},
	"Merge": func(t *testing.T) {
		t.Run("none", func(t *testing.T) {
			streamtest.Check(t, operators.Merge[int](), nil)
		})
		t.Run("one", func(t *testing.T) {
			merge := func(s stream.Observable[int]) stream.Observable[int] { return operators.Merge(s) }
			streamtest.CheckOperator(t, merge, []int{1, 2, 3}, []int{1, 2, 3}, streamtest.ReadAhead(stream.DefaultBuffer+1))
		})
		t.Run("two", func(t *testing.T) {
			merge := func(s stream.Observable[int]) stream.Observable[int] {
				return operators.Merge(s, stream.Just(7, 8))
			}
			streamtest.CheckOperator(t, merge, []int{1, 2, 3}, []int{1, 2, 3, 7, 8},
				streamtest.Unordered(), streamtest.LosesOnFailure(), streamtest.ReadAhead(stream.DefaultBuffer+1))
		})
	},
	"MergeMap": func(t *testing.T) {
		t.Run("unlimited", func(t *testing.T) {
			streamtest.CheckOperator(t, operators.MergeMap(twice), []int{1, 2, 3}, []int{1, 1, 2, 2, 3, 3},
				streamtest.Unordered(), streamtest.LosesOnFailure(), streamtest.Unlimited())
		})
		t.Run("limited", func(t *testing.T) {
			streamtest.CheckOperator(t, operators.MergeMap(twice, operators.Limit(2), operators.Buffer(4)),
				[]int{1, 2, 3}, []int{1, 1, 2, 2, 3, 3}, streamtest.Unordered(), streamtest.LosesOnFailure(), streamtest.ReadAhead(2))
		})
		t.Run("one at a time", func(t *testing.T) {
			streamtest.CheckOperator(t, operators.MergeMap(twice, operators.Limit(1), operators.Buffer(1)),
				[]int{1, 2, 3}, []int{1, 1, 2, 2, 3, 3}, streamtest.LosesOnFailure(), streamtest.ReadAhead(1))
		})
	},
}

func TestContracts(t *testing.T) {
	for name, check := range contracts {
		t.Run(name, check)
	}
}

// exported are the exported functions of the package in this directory whose
// result names an observable or an operator.
func exported(t *testing.T) []string {
	var names []string
	eachFile(t, func(path string) bool { return !strings.HasSuffix(path, "_test.go") }, func(f *ast.FuncDecl) {
		if f.Recv == nil && f.Name.IsExported() && resultNames(f, "Observable", "Operator") {
			names = append(names, f.Name.Name)
		}
	})
	if len(names) == 0 {
		t.Fatal("no operator found")
	}
	return names
}

// resultNames reports whether the result of f names one of the types.
func resultNames(f *ast.FuncDecl, types ...string) bool {
	found := false
	if f.Type.Results != nil {
		ast.Inspect(f.Type.Results, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && slices.Contains(types, id.Name) {
				found = true
			}
			return true
		})
	}
	return found
}

// eachFile calls visit with the functions of the package's files that match.
func eachFile(t *testing.T, match func(path string) bool, visit func(*ast.FuncDecl)) {
	t.Helper()
	for _, file := range filesOf(t, match) {
		for _, declaration := range file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok {
				visit(f)
			}
		}
	}
}

// filesOf are the package's files that match and are built.
func filesOf(t *testing.T, match func(path string) bool) (files []*ast.File) {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil || len(paths) == 0 {
		t.Fatal("no files", err)
	}
	for _, path := range paths {
		built, err := build.Default.MatchFile(".", path) // an older Go cannot parse what it does not build
		if err != nil {
			t.Fatalf("reading the build constraints of %s: got %v, want no error", path, err)
		}
		if !built || !match(path) {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatalf("parsing %s: got %v, want no error", path, err)
		}
		files = append(files, file)
	}
	return files
}

func TestEveryOperatorHasAContract(t *testing.T) {
	for _, name := range exported(t) {
		if contracts[name] == nil {
			t.Errorf("%s is not in contracts", name)
		}
	}
}

func TestEveryOperatorHasAnExample(t *testing.T) {
	examples := make(map[string]bool)
	eachFile(t, func(path string) bool { return strings.HasSuffix(path, "_test.go") }, func(f *ast.FuncDecl) {
		if rest, ok := strings.CutPrefix(f.Name.Name, "Example"); ok {
			name, _, _ := strings.Cut(rest, "_")
			examples[name] = true
		}
	})
	eachFile(t, func(path string) bool { return !strings.HasSuffix(path, "_test.go") }, func(f *ast.FuncDecl) {
		if f.Recv == nil && f.Name.IsExported() && !examples[f.Name.Name] {
			t.Errorf("%s has no Example", f.Name.Name)
		}
	})
}
