package text_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/rxipc/rxipc/stream/text"
)

// FuzzLines compares Lines with bufio.Scanner.
func FuzzLines(f *testing.F) {
	for _, seed := range []string{"", "a\nb", "\r\n\n", "abcdefghijkl\n\nx\r"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		var want, fitting []string
		scanner := bufio.NewScanner(bytes.NewReader(input))
		scanner.Buffer(nil, len(input)+2)
		for scanner.Scan() {
			want = append(want, scanner.Text())
			if len(scanner.Bytes()) <= 8 {
				fitting = append(fitting, scanner.Text())
			}
		}
		for _, r := range []io.Reader{bytes.NewReader(input), iotest.OneByteReader(bytes.NewReader(input))} {
			got, err := text.Lines(r).Collect(t.Context())
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("Lines of %q: %q, %v; bufio.Scanner has %q", input, got, err, want)
			}
		}
		for _, r := range []io.Reader{bytes.NewReader(input), iotest.OneByteReader(bytes.NewReader(input))} {
			got, err := text.Lines(r, text.Limit(8), text.Skip(nil)).Collect(t.Context())
			if err != nil || !slices.Equal(got, fitting) {
				t.Errorf("Lines up to 8 bytes of %q: %q, %v; want %q", input, got, err, fitting)
			}
		}
	})
}

// FuzzJSONLines compares it with json.Unmarshal of each line.
func FuzzJSONLines(f *testing.F) {
	f.Add([]byte("1\n{\"a\":[2]}\n\n x\n\"b\""))
	f.Fuzz(func(t *testing.T, input []byte) {
		var want []string
		bad := 0
		for line := range bytes.Lines(input) {
			var v json.RawMessage
			if line = bytes.Trim(line, " \t\r\n"); len(line) == 0 {
				continue
			} else if json.Unmarshal(line, &v) != nil {
				bad++
			} else {
				want = append(want, string(v))
			}
		}
		skipped := 0
		got, err := text.JSONLines[json.RawMessage](bytes.NewReader(input), text.Skip(func(*text.Error) { skipped++ })).Collect(t.Context())
		if err != nil || skipped != bad || len(got) != len(want) {
			t.Fatalf("JSONLines of %q: %q, %v, %d skipped; want %q, %d skipped", input, got, err, skipped, want, bad)
		}
		for i := range got {
			if string(got[i]) != want[i] {
				t.Errorf("JSONLines of %q: value %d is %q, want %q", input, i, got[i], want[i])
			}
		}
	})
}

// FuzzJSONArray compares it with json.Unmarshal of the whole.
func FuzzJSONArray(f *testing.F) {
	for _, seed := range []string{"[]", "[1, {\"a\":[2]},\"x\"]", "[1,]", "[1", "[,1]", "{}", "[1]]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		var want []json.RawMessage
		whole := json.Unmarshal(input, &want)
		got, err := text.JSONArray[json.RawMessage](iotest.HalfReader(bytes.NewReader(input))).Collect(t.Context())
		if whole == nil && want != nil && (err != nil || !slices.EqualFunc(got, want, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) })) {
			t.Errorf("JSONArray of %q: %q, %v; want %q", input, got, err, want)
		}
		var where *text.Error
		if err != nil && !errors.As(err, &where) {
			t.Errorf("JSONArray of %q: %v, want a text.Error", input, err)
		}
		if err == nil && whole != nil { // what follows the array is not read
			end := bytes.LastIndexByte(input, ']')
			for ; end >= 0 && json.Unmarshal(input[:end+1], &want) != nil; end = bytes.LastIndexByte(input[:end], ']') {
			}
			if end < 0 {
				t.Errorf("JSONArray of %q: %q, want an error: %v", input, got, whole)
			}
		}
	})
}

// FuzzCSV compares it with csv.Reader, bad records skipped.
func FuzzCSV(f *testing.F) {
	f.Add([]byte("a,b\n\"1\n\",2\nx\n\"y\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		var want [][]string
		bad := 0
		for r := csv.NewReader(bytes.NewReader(input)); ; {
			record, err := r.Read()
			if err == io.EOF {
				break
			} else if err != nil {
				bad++
			} else {
				want = append(want, record)
			}
		}
		skipped := 0
		got, err := text.CSV(iotest.HalfReader(bytes.NewReader(input)), text.Skip(func(*text.Error) { skipped++ })).Collect(t.Context())
		if err != nil || skipped != bad || !slices.EqualFunc(got, want, slices.Equal[[]string]) {
			t.Errorf("CSV of %q: %q, %v, %d skipped; want %q, %d skipped", input, got, err, skipped, want, bad)
		}
	})
}
