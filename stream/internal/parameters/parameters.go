// Package parameters finds the parameters of a package's functions that no test tries.
package parameters

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"
)

// WantInts fails the test unless the keys of tried are the int parameters of the exported
// functions and methods of the tested package: "Gather capacity", "Subject.Observe capacity".
func WantInts[F any](t *testing.T, tried map[string]F) {
	t.Helper()
	there := ints(t)
	for parameter := range there {
		if _, ok := tried[parameter]; !ok {
			t.Errorf("%s is an int that is not tried", parameter)
		}
	}
	for parameter := range tried {
		if !there[parameter] {
			t.Errorf("%s is tried, and no function has it", parameter)
		}
	}
}

// ints returns the int parameters of the package in the current folder.
func ints(t *testing.T) map[string]bool {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil || len(paths) == 0 {
		t.Fatalf("list the source files: got %d, %v; want some", len(paths), err)
	}
	found := make(map[string]bool)
	for _, path := range paths {
		built, err := build.Default.MatchFile(".", path)
		if err != nil {
			t.Fatalf("read the constraints of %s: got %v, want no error", path, err)
		}
		if !built || strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("parse %s: got %v, want no error", path, err)
		}
		for _, declaration := range file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok {
				add(found, f)
			}
		}
	}
	return found
}

// add adds the int parameters of f, if f is exported.
func add(found map[string]bool, f *ast.FuncDecl) {
	name := f.Name.Name
	if f.Recv != nil {
		receiver, _, _ := strings.Cut(types.ExprString(f.Recv.List[0].Type), "[")
		name = strings.TrimPrefix(receiver, "*") + "." + name
	}
	if !f.Name.IsExported() || !ast.IsExported(name) {
		return
	}
	for _, field := range f.Type.Params.List {
		if types.ExprString(field.Type) != "int" {
			continue
		}
		for _, parameter := range field.Names {
			found[name+" "+parameter.Name] = true
		}
	}
}
