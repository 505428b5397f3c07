package operators_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// row is a line of the tables of CATALOGUE.md. In the table of tasks the first two cells are
// a group and a task.
type row struct{ reactivex, ro, here string }

// catalogue returns the rows of the tables that say what an operator of others is called here.
func catalogue(t *testing.T) []row {
	t.Helper()
	rows, _ := tables(t)
	return rows
}

// tables returns the rows of the families, and those of the section of tasks.
func tables(t *testing.T) (families, tasks []row) {
	t.Helper()
	text, err := os.ReadFile("CATALOGUE.md")
	if err != nil {
		t.Fatalf("reading the catalogue: got %v, want no error", err)
	}
	rows := &families
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(line, "## "); ok {
			if rows = &families; title == "Operators by task" {
				rows = &tasks
			}
		}
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "| ReactiveX ") || strings.HasPrefix(line, "| | I want to ") ||
			strings.HasPrefix(line, "|---") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 3 {
			t.Errorf("%q has %d cells, want 3", line, len(cells))
			continue
		}
		for i, cell := range cells {
			cells[i] = strings.TrimSpace(cell)
		}
		*rows = append(*rows, row{cells[0], cells[1], cells[2]})
	}
	if len(families) == 0 || len(tasks) == 0 {
		t.Fatalf("CATALOGUE.md has %d rows of families and %d of tasks, want some of both", len(families), len(tasks))
	}
	return families, tasks
}

// inCode are the names that a cell has in code, without their arguments.
var inCode = regexp.MustCompile("`([A-Za-z0-9_.]+)[^`]*`")

func namesIn(cell string) (names []string) {
	for _, match := range inCode.FindAllStringSubmatch(cell, -1) {
		names = append(names, match[1])
	}
	return names
}

// declared are the functions, types, variables and constants of the package in a folder, and
// its methods as Type.Method, each behind the prefix.
func declared(t *testing.T, folder, prefix string) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no files in ", folder, err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_go127.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatalf("parsing %s: got %v, want no error", path, err)
		}
		for _, declaration := range file.Decls {
			switch d := declaration.(type) {
			case *ast.FuncDecl:
				names[prefix+receiver(d)+d.Name.Name] = true
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						names[prefix+s.Name.Name] = true
					case *ast.ValueSpec:
						for _, name := range s.Names {
							names[prefix+name.Name] = true
						}
					}
				}
			}
		}
	}
	return names
}

// receiver is the type of a method, and a dot.
func receiver(f *ast.FuncDecl) string {
	name := ""
	if f.Recv != nil {
		ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && name == "" {
				name = id.Name + "."
			}
			return true
		})
	}
	return name
}

func TestCatalogueNamesWhatThereIs(t *testing.T) {
	known := declared(t, ".", "")
	for name := range declared(t, "../stream", "stream.") {
		known[name] = true
	}
	for name := range declared(t, "../fold", "fold.") {
		known[name] = true
	}
	for _, folder := range []string{"../stream/text", "../stream/system", "../stream/web", "../stream/stages", "../fold/sketch"} {
		for name := range declared(t, folder, filepath.Base(folder)+".") {
			known[name] = true
		}
	}
	families, tasks := tables(t)
	for _, r := range append(families, tasks...) {
		names := namesIn(r.here)
		if len(names) == 0 && !strings.HasPrefix(r.here, "not here: ") && !strings.HasPrefix(r.here, "nothing: ") {
			t.Errorf("the row of %q names nothing of ours: write it in backquotes, or \"not here: \" and why", r.reactivex+r.ro)
		}
		for _, name := range names {
			if !known[name] {
				t.Errorf("the row of %q names `%s`, which does not exist", r.reactivex+r.ro, name)
			}
		}
	}
}

func TestEveryOperatorIsInTheCatalogue(t *testing.T) {
	var listed []string
	for _, r := range catalogue(t) {
		listed = append(listed, namesIn(r.here)...)
	}
	for _, name := range exported(t) {
		if !slices.Contains(listed, name) {
			t.Errorf("%[1]s is in no row of CATALOGUE.md: add to the table of its family\n| what ReactiveX calls it | what samber/ro calls it | `%[1]s` |\n"+
				"with an empty cell where that has none, and strike the name from rows that said there was nothing", name)
		}
	}
}

// Those that reactivex.io lists by category, but for what is shared and what emits
// observables.
func TestCatalogueHasTheOperatorsOfReactiveX(t *testing.T) {
	var listed []string
	words := regexp.MustCompile(`[A-Za-z]+`)
	for _, r := range catalogue(t) {
		listed = append(listed, words.FindAllString(r.reactivex, -1)...)
	}
	for name := range strings.FieldsSeq(`
		Create Defer Empty Never Throw From Interval Just Range Repeat Start Timer
		Buffer FlatMap Map Scan
		Debounce Distinct ElementAt Filter First IgnoreElements Last Sample Skip SkipLast Take TakeLast
		And Then When CombineLatest Join Merge StartWith Switch Zip
		Catch Retry
		Delay Do Materialize Dematerialize ObserveOn Serialize Subscribe SubscribeOn TimeInterval Timeout Timestamp Using
		All Amb Contains DefaultIfEmpty SequenceEqual SkipUntil SkipWhile TakeUntil TakeWhile
		Average Concat Count Max Min Reduce Sum
		To`) {
		if !slices.Contains(listed, name) {
			t.Errorf("%s is in no row of CATALOGUE.md", name)
		}
	}
}
