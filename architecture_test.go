package rxipc_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// architecture is ARCHITECTURE.md by the titles of its sections.
func architecture(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatalf("reading the page: %v", err)
	}
	sections := map[string]string{}
	for _, section := range strings.Split(string(page), "\n## ")[1:] {
		title, text, _ := strings.Cut(section, "\n")
		sections[title] = text
	}
	return sections
}

// references are the rows of a table with a file and names in it: | … | `file` | `name`, `name` |
var reference = regexp.MustCompile("(?m)^\\|.*\\| `([^`|]+\\.go)` \\| (.+) \\|$")

var quoted = regexp.MustCompile("`([^`]+)`")

func TestArchitectureNamesWhatIsThere(t *testing.T) {
	for title, text := range architecture(t) {
		for _, row := range reference.FindAllStringSubmatch(text, -1) {
			file, cell := row[1], row[2]
			declared := declarations(t, file)
			for _, name := range quoted.FindAllStringSubmatch(cell, -1) {
				if !declared[name[1]] {
					t.Errorf("%q says that %s declares %s, which it does not", title, file, name[1])
				}
			}
		}
	}
}

func TestArchitectureDrawingsAreShort(t *testing.T) {
	drawings := 0
	for title, text := range architecture(t) {
		rows := len(reference.FindAllString(text, -1))
		if !strings.HasPrefix(title, "The way of") || rows == 0 {
			continue
		}
		drawings++
		if rows > 12 {
			t.Errorf("%q has %d rows, want at most 12", title, rows)
		}
	}
	if drawings < 5 {
		t.Errorf("the page has %d drawings, want at least 5", drawings)
	}
}

func TestArchitectureNamesEveryPackage(t *testing.T) {
	text := architecture(t)["Packages"]
	for _, pkg := range packages(t) {
		path := strings.TrimPrefix(pkg.ImportPath, module+"/")
		if !strings.Contains(text, "`"+path+"`") && !strings.HasPrefix(path, "examples") {
			t.Errorf("\"Packages\" does not name %s", path)
		}
	}
}

func TestArchitectureNamesEveryLock(t *testing.T) {
	text := architecture(t)["Locks"]
	for _, file := range socketFiles(t) {
		ast.Inspect(parse(t, file), func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			fields, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			for _, field := range fields.Fields.List {
				for _, name := range field.Names {
					if lock := spec.Name.Name + "." + name.Name; isLock(field.Type) && !strings.Contains(text, "`"+lock+"`") {
						t.Errorf("\"Locks\" does not name %s of %s", lock, file)
					}
				}
			}
			return true
		})
	}
}

func isLock(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "mutex"
	case *ast.SelectorExpr:
		return e.Sel.Name == "Mutex" || e.Sel.Name == "RWMutex"
	}
	return false
}

func TestArchitectureNamesEveryGoroutine(t *testing.T) {
	text := architecture(t)["Goroutines"]
	for _, file := range socketFiles(t) {
		starts := false
		ast.Inspect(parse(t, file), func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				starts = true
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Go" {
					starts = true
				}
			}
			return true
		})
		if starts && !strings.Contains(text, "`"+file+"`") {
			t.Errorf("\"Goroutines\" does not name %s, which starts some", file)
		}
	}
}

// socketFiles are the sources of socket and its rooms, for every system.
func socketFiles(t *testing.T) []string {
	t.Helper()
	here, err1 := filepath.Glob("socket/*.go")
	rooms, err2 := filepath.Glob("socket/internal/*/*.go")
	if err1 != nil || err2 != nil || len(rooms) == 0 {
		t.Fatalf("listing the sources of socket: %v, %v, %d in rooms", err1, err2, len(rooms))
	}
	return slices.DeleteFunc(append(here, rooms...), func(file string) bool { return strings.HasSuffix(file, "_test.go") })
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatalf("parsing %s: %v", file, err)
	}
	return f
}

// declarations are the names that a file declares: functions, types, values, and methods and
// fields behind the name of their type.
func declarations(t *testing.T, file string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	ast.Inspect(parse(t, file), func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			names[receiver(n)+n.Name.Name] = true
			return false
		case *ast.TypeSpec:
			names[n.Name.Name] = true
			maps.Copy(names, members(n))
		case *ast.ValueSpec:
			for _, name := range n.Names {
				names[name.Name] = true
			}
		}
		return true
	})
	return names
}

// members are the fields of a struct and the methods of an interface.
func members(spec *ast.TypeSpec) map[string]bool {
	var list *ast.FieldList
	switch typ := spec.Type.(type) {
	case *ast.StructType:
		list = typ.Fields
	case *ast.InterfaceType:
		list = typ.Methods
	default:
		return nil
	}
	names := map[string]bool{}
	for _, field := range list.List {
		for _, name := range field.Names {
			names[spec.Name.Name+"."+name.Name] = true
		}
	}
	return names
}

// receiver is the type of a method and a dot, nothing for a function.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	typ := f.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	switch index := typ.(type) {
	case *ast.IndexExpr: // a receiver with a type parameter
		typ = index.X
	case *ast.IndexListExpr: // with several
		typ = index.X
	}
	if name, ok := typ.(*ast.Ident); ok {
		return name.Name + "."
	}
	return ""
}
