package rxipc_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Each exported field has a comment of its own, above it or after it.
func TestStructFieldsAreDocumented(t *testing.T) {
	for _, pkg := range packages(t) {
		for _, name := range pkg.GoFiles {
			positions := token.NewFileSet()
			file, err := parser.ParseFile(positions, filepath.Join(pkg.Dir, name), nil, parser.ParseComments)
			if err != nil {
				t.Fatalf("parse a source file: %v", err)
			}
			ast.Inspect(file, func(node ast.Node) bool {
				spec, ok := node.(*ast.TypeSpec)
				if !ok || !spec.Name.IsExported() {
					return true
				}
				if fields, ok := spec.Type.(*ast.StructType); ok {
					for _, field := range fields.Fields.List {
						if len(field.Names) > 0 && field.Names[0].IsExported() && field.Doc == nil && field.Comment == nil {
							t.Errorf("%v: field %s.%s: got no comment, want one", positions.Position(field.Pos()), spec.Name, field.Names[0])
						}
					}
				}
				return true
			})
		}
	}
}

// The documentation of a package begins with what it is for and an example, before its long parts.
func TestPackageDocumentationBeginsWithAnExample(t *testing.T) {
	const begin = 14 // lines of source
	for _, pkg := range packages(t) {
		path := strings.TrimPrefix(pkg.ImportPath, module+"/")
		if strings.Contains(path, "internal") || strings.HasPrefix(path, "examples") || path == "socket/faults" {
			continue
		}
		text := ""
		for _, name := range pkg.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(pkg.Dir, name), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatalf("parse a source file: %v", err)
			}
			if file.Doc != nil {
				text += file.Doc.Text()
			}
		}
		lines := strings.Split(text, "\n")
		if !slices.ContainsFunc(lines[:min(begin, len(lines))], func(line string) bool { return strings.HasPrefix(line, "\t") }) {
			t.Errorf("read the first %d lines of the documentation of %s: got no code, want an example", begin, path)
		}
	}
}
