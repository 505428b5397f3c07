package tcp

import (
	"strings"
	"testing"
)

// FuzzParseTable checks that a file is either refused, with the number of one of its lines, or
// names addresses that are in it.
func FuzzParseTable(f *testing.F) {
	f.Add("# names\n\ntwo a.example.org:1 b.example.org:2 # both\ncounter [::1]:3")
	f.Add("counter")
	f.Add("a/b 1:2\n")
	f.Fuzz(func(t *testing.T, content string) {
		table, line, err := parseTable(content)
		lines := strings.Count(content, "\n") + 1
		if err != nil && (line < 1 || line > lines) {
			t.Errorf("parse %q: got an error in line %d of %d", content, line, lines)
		}
		for name, addresses := range table {
			if len(addresses) == 0 || !strings.Contains(content, name) || !strings.Contains(content, addresses[0]) {
				t.Errorf("parse %q: got %q with the addresses %q", content, name, addresses)
			}
		}
	})
}
