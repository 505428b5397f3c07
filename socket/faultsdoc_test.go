package socket

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestFaultsAreShownByTests: each test that FAULTS.md names exists.
func TestFaultsAreShownByTests(t *testing.T) {
	text, err := os.ReadFile("FAULTS.md")
	if err != nil {
		t.Fatalf("read FAULTS.md: %v", err)
	}
	there := testsIn(t, "*_test.go", "internal/*/*_test.go", "systemd/*_test.go", "pubsub/*_test.go", "sender/*_test.go",
		"queue/*_test.go", "child/*_test.go", "faults/*_test.go", "nats/*_test.go", "nats/journal/*_test.go", "../internal/*/*_test.go")
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllSubmatch(text, -1)
	if len(named) == 0 {
		t.Error("FAULTS.md names no test")
	}
	for _, name := range named {
		if !there[string(name[1])] {
			t.Errorf("FAULTS.md names %s, which is not there", name[1])
		}
	}
}

// testsIn are the functions of the files that match.
func testsIn(t *testing.T, patterns ...string) map[string]bool {
	there := make(map[string]bool)
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatalf("list the test files %s: %v", pattern, err)
		}
		for _, path := range paths {
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				t.Fatalf("parse the test file %s: %v", path, err)
			}
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok {
					there[f.Name.Name] = true
				}
			}
		}
	}
	return there
}
