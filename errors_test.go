package rxipc_test

import (
	"go/ast"
	"path/filepath"
	"regexp"
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

// The texts of errors that no user sees: the library ends its own runs and waits with them.
var privateTexts = map[string]bool{
	"operators: no longer wanted": true, "nothing more is wanted": true, "stream: yield has enough": true,
	"stream: the run's context is done": true, "nothing to read": true, "the socket was handed over": true,
}

var verb = regexp.MustCompile(`%[-+#0-9.]*[a-zA-Z]`)

// docs/errors.md has the longest part of each text of an error that is written in the code of the
// library, up to a semicolon or colon.
func TestErrorsPageHasEachText(t *testing.T) {
	page := strings.ReplaceAll(readPage(t, "docs/errors.md"), "\\|", "|")
	for _, pkg := range packages(t) {
		if regexp.MustCompile("test$|testcert|/examples|/faults|/schema|chaingen|/sketch").MatchString(pkg.ImportPath) {
			continue
		}
		for _, file := range pkg.GoFiles {
			for _, text := range errorTexts(parse(t, filepath.Join(pkg.Dir, file))) {
				if !strings.Contains(page, text) {
					t.Errorf("look for the error %q of %s in docs/errors.md: got nothing, want a row with its cause and remedy", text, file)
				}
			}
		}
	}
}

// errorTexts returns the longest literal part of each text that errors.New and fmt.Errorf get in
// a file, if it has several words.
func errorTexts(file *ast.File) (texts []string) {
	ast.Inspect(file, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		function, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || function.Sel.Name != "Errorf" && function.Sel.Name != "New" {
			return true
		}
		if from, ok := function.X.(*ast.Ident); !ok || from.Name != "fmt" && from.Name != "errors" {
			return true
		}
		longest := ""
		for _, part := range verb.Split(literal(call.Args[0]), -1) {
			part, _, _ = strings.Cut(strings.Trim(part, " :;,.()"), ";")
			if clause, _, two := strings.Cut(part, ": "); two && strings.Contains(clause, " ") {
				part = clause
			}
			if len(part) > len(longest) {
				longest = part
			}
		}
		if strings.Contains(longest, " ") && !privateTexts[longest] {
			texts = append(texts, longest)
		}
		return true
	})
	return texts
}

// literal returns the text of a literal, or of a sum of literals.
func literal(value ast.Expr) string {
	switch value := value.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(value.Value)
		return text
	case *ast.BinaryExpr:
		return literal(value.X) + literal(value.Y)
	}
	return ""
}
