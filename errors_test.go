package rxipc_test

import (
	"go/ast"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// docs/errors.md names each exported sentinel, with its message where that is a literal, and each
// exported type of an error.
func TestErrorsPageIsComplete(t *testing.T) {
	page := readPage(t, "docs/errors.md")
	for _, pkg := range packages(t) {
		if strings.Contains(pkg.ImportPath, "/internal") || strings.Contains(pkg.ImportPath, "/examples") {
			continue
		}
		base := pkg.ImportPath[strings.LastIndex(pkg.ImportPath, "/")+1:]
		for _, file := range pkg.GoFiles {
			for name, message := range exportedErrors(parse(t, filepath.Join(pkg.Dir, file))) {
				if !strings.Contains(page, "`"+base+"."+name+"`") {
					t.Errorf("look for %s.%s of %s in docs/errors.md: got nothing, want a row", base, name, file)
				} else if row := rowOf(page, base+"."+name); !strings.Contains(row, message) {
					t.Errorf("look for the message of %s.%s in its row: got %q, want %q in it", base, name, row, message)
				}
			}
		}
	}
}

func rowOf(page, name string) string {
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "| ") && strings.Contains(line, "`"+name+"`") {
			return line
		}
	}
	return ""
}

// exportedErrors returns the exported sentinels and types of errors of a file, and their messages
// up to the first semicolon.
func exportedErrors(file *ast.File) map[string]string {
	found := map[string]string{}
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			if name := strings.TrimSuffix(receiver(d), "."); d.Name.Name == "Error" && ast.IsExported(name) && d.Type.Params.NumFields() == 0 {
				found[name] = ""
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				values, ok := spec.(*ast.ValueSpec)
				if !ok {
					continue
				}
				for i, name := range values.Names {
					if ast.IsExported(name.Name) && strings.HasPrefix(name.Name, "Err") {
						found[name.Name] = ""
						if i < len(values.Values) {
							found[name.Name] = lastText(values.Values[i])
						}
					}
				}
			}
		}
	}
	return found
}

// lastText returns the last argument of a call if that is a literal, up to the first semicolon.
func lastText(value ast.Expr) string {
	call, ok := value.(*ast.CallExpr)
	if !ok {
		return ""
	}
	literal, ok := call.Args[len(call.Args)-1].(*ast.BasicLit)
	if !ok {
		return ""
	}
	text, _ := strconv.Unquote(literal.Value)
	text, _, _ = strings.Cut(text, ";")
	return text
}
