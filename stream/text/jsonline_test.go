package text_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/stream/text"
)

// Each line is what json.Unmarshal makes of it, whatever the lines before it were.
func TestJSONLinesAreThoseOfUnmarshal(t *testing.T) {
	pad := strings.Repeat(" ", 3000)
	long := `"` + strings.Repeat("x", 5000) + `"`
	lines := []string{
		"1", "2" + pad, pad + "3", "[4]", "5 6", "[", "7", `{"a":`, "}", `{"a":[1,{"b":null}]}`, "nul", "null",
		long, long + pad, long + "x", long[:4000], "8", "\t9 \r", "1,", ",1", "[1]]", `"\u00`, "10",
		strings.Repeat("y", 512), strings.Repeat(" ", 511) + "1", "11",
	}
	var want []string
	for _, line := range lines {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			want = append(want, err.Error())
		} else {
			want = append(want, fmt.Sprint(v))
		}
	}
	var got []string
	skip := text.Skip(func(err *text.Error) { got = append(got, err.Err.Error()) })
	err := text.JSONLines[any](strings.NewReader(strings.Join(lines, "\n")), skip).ForEach(t.Context(), func(v any) {
		got = append(got, fmt.Sprint(v))
	})
	if err != nil || len(got) != len(want) {
		t.Fatalf("JSONLines of %d lines: got %d results, %v; want one for each", len(lines), len(got), err)
	}
	for i, line := range lines {
		if got[i] != want[i] {
			t.Errorf("line %d, %.40q: got %.60q, want %.60q", i+1, line, got[i], want[i])
		}
	}
}
