package streamtest

import (
	"os"
	"strings"
	"testing"
)

// TestDocHasTheTableOfRules: the package's documentation lists each rule with what it
// cites.
func TestDocHasTheTableOfRules(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatalf("reading the documentation of the package: got %v, want no error", err)
	}
	table := make(map[string]string)
	for line := range strings.Lines(string(source)) {
		if name, spec, found := strings.Cut(strings.TrimPrefix(line, "//\t"), "  "); found {
			table[name] = strings.TrimSpace(spec)
		}
	}
	for _, r := range rulesOfOperators[int, int]() { // those of observables are among them
		if table[r.name] != r.spec {
			t.Errorf("the documentation has %q for %q, want %q", table[r.name], r.name, r.spec)
		}
	}
}
