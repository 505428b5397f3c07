package text_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/text"
)

var errCause = errors.New("why the context ended")

func collect[T any](t *testing.T, source stream.Observable[T]) ([]T, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context()) // one that may end, as that of a program
	defer cancel()
	return source.Collect(ctx)
}

// expect runs source and compares its values, and its error's text.
func expect[T any](t *testing.T, source stream.Observable[T], want []T, wantErr string) {
	t.Helper()
	got, err := collect(t, source)
	text := ""
	if err != nil {
		text = err.Error()
	}
	if !reflect.DeepEqual(got, want) || text != wantErr {
		t.Errorf("read the text: got %#v and error %q\nwant %#v and %q", got, text, want, wantErr)
	}
}

// hostile are readers of a text that make no difference to what is in it.
var hostile = map[string]func(string) io.Reader{
	"at once":           func(s string) io.Reader { return strings.NewReader(s) },
	"a byte at a time":  func(s string) io.Reader { return iotest.OneByteReader(strings.NewReader(s)) },
	"data with the end": func(s string) io.Reader { return iotest.DataErrReader(strings.NewReader(s)) },
	"half of it":        func(s string) io.Reader { return iotest.HalfReader(strings.NewReader(s)) },
}

func TestLinesAreCutAtTheirEnds(t *testing.T) {
	for input, want := range map[string][]string{
		"":                nil,
		"\n":              {""},
		"a":               {"a"},
		"a\n":             {"a"},
		"a\r\nb\rc\r\n\r": {"a", "b\rc", ""},
		"\n\na\n\n":       {"", "", "a", ""},
		strings.Repeat("x", 70_000) + "\n" + strings.Repeat("y", 40_000): {strings.Repeat("x", 70_000), strings.Repeat("y", 40_000)},
	} {
		for name, reader := range hostile {
			got, err := collect(t, text.Lines(reader(input)))
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("Lines of %.20q, %s: got %.20q, %v; want %.20q", input, name, got, err, want)
			}
		}
	}
}

func TestLinesOverTheLimit(t *testing.T) {
	const input = "abc\nabcd\r\nabc\r\nabcdefghij\n\nabcdefgh"
	const failure = "text: line 2, at byte 4: too long: more than 3 bytes; Limit allows longer lines, Skip leaves them out"
	for name, reader := range hostile {
		t.Run(name, func(t *testing.T) {
			source := text.Lines(reader(input), text.Limit(3))
			expect(t, source, []string{"abc"}, failure)

			var skipped []int64
			source = text.Lines(reader(input), text.Limit(3), text.Skip(func(err *text.Error) {
				if !errors.Is(err, text.ErrTooLong) {
					t.Errorf("skip a line over the limit: got %v, want ErrTooLong", err)
				}
				skipped = append(skipped, err.Number)
			}))
			expect(t, source, []string{"abc", "abc", ""}, "")
			if want := []int64{2, 4, 6}; !slices.Equal(skipped, want) {
				t.Errorf("skip lines over the limit: got lines %v, want %v", skipped, want)
			}
		})
	}
}

func TestLinesBoundTheirMemory(t *testing.T) {
	endless := io.LimitReader(zeros{}, 1<<30) // 1 GiB without a newline
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := collect(t, text.Lines(endless))
	runtime.ReadMemStats(&after)
	if !errors.Is(err, text.ErrTooLong) {
		t.Errorf("read a line of 1 GiB: got %v, want ErrTooLong", err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 8<<20 {
		t.Errorf("read a line of 1 GiB: allocated %d bytes, want at most 8 MiB", got)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestReadersThatFail(t *testing.T) {
	failing := func(input string) io.Reader {
		return io.MultiReader(strings.NewReader(input), iotest.ErrReader(io.ErrClosedPipe))
	}
	const reason = "io: read/write on closed pipe"
	expect(t, text.Lines(failing("a\nb")), []string{"a"}, "text: line 2, at byte 2: "+reason)
	expect(t, text.CSV(failing("a,b\nc")), [][]string{{"a", "b"}}, "text: record 2, at byte 4: "+reason)
	expect(t, text.JSONLines[int](failing("1\n2")), []int{1}, "text: line 2, at byte 2: "+reason)
	expect(t, text.JSON[int](failing("1 2")), []int{1}, "text: value 2, at byte 1: "+reason)
	expect(t, text.JSONArray[int](failing("[1,2")), []int{1}, "text: element 2, at byte 2: "+reason)

	skip := text.Skip(func(err *text.Error) {
		t.Errorf("read with Skip: skipped the failure of the reader, %v, want it to fail the run", err)
	})
	if _, err := collect(t, text.JSONArray[int](failing("[1,2"), skip)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("read with Skip from a reader that fails: got %v, want it to wrap io.ErrClosedPipe", err)
	}
	expect(t, text.Lines(stuck{}), nil, "text: line 1, at byte 0: multiple Read calls return no data or error")
}

// stuck returns neither data nor an error.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

type point struct{ X, Y int }

func TestJSONOfAnyLayout(t *testing.T) {
	const values = "{\"X\":1}\n\n {\"X\":2,\n\"Y\":3}{\"Y\":4}\n"
	array := "\n[" + strings.NewReplacer("}\n\n ", "},", "}{", "}\n,{").Replace(values) + "] trailing"
	want := []point{{1, 0}, {2, 3}, {0, 4}}
	for name, reader := range hostile {
		t.Run(name, func(t *testing.T) {
			expect(t, text.JSON[point](reader(values)), want, "")
			expect(t, text.JSONArray[point](reader(array)), want, "")
		})
	}
	expect(t, text.JSONArray[int](strings.NewReader(" [ ] ")), nil, "")
	expect(t, text.JSON[int](strings.NewReader(" ")), nil, "")
	expect(t, text.JSON[json.RawMessage](strings.NewReader("1 [2]")), []json.RawMessage{json.RawMessage("1"), json.RawMessage("[2]")}, "")
}

func TestBadValuesAreSkipped(t *testing.T) {
	for name, c := range map[string]struct {
		source  func(...text.Option) stream.Observable[int]
		skipped []string
	}{
		"JSONLines": {
			func(o ...text.Option) stream.Observable[int] {
				return text.JSONLines[int](strings.NewReader("1\n{\nx\n2\n\"a\"\n3 4\n3"), o...)
			},
			[]string{"line 2, at byte 2", "line 3, at byte 4", "line 5, at byte 8", "line 6, at byte 12"},
		},
		"JSON": {
			func(o ...text.Option) stream.Observable[int] {
				return text.JSON[int](strings.NewReader("1 {} 2\"a\"3"), o...)
			},
			[]string{"value 2, at byte 1", "value 4, at byte 6"},
		},
		"JSONArray": {
			func(o ...text.Option) stream.Observable[int] {
				return text.JSONArray[int](strings.NewReader(`["",1,{} ,2, [],3]`), o...)
			},
			[]string{"element 1, at byte 1", "element 3, at byte 5", "element 5, at byte 11"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var skipped []string
			var lost stream.Drops
			got, err := c.source(text.Skip(func(err *text.Error) {
				place, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "text: "), ": ")
				skipped = append(skipped, place)
			})).Collect(stream.WithDrops(t.Context(), &lost))
			if lost.Skipped() != len(c.skipped) {
				t.Errorf("the Drops of the context count %d skipped values, want %d", lost.Skipped(), len(c.skipped))
			}
			if want := []int{1, 2, 3}; err != nil || !slices.Equal(got, want) {
				t.Errorf("read with bad values skipped: got %v, %v; want %v", got, err, want)
			}
			if !slices.Equal(skipped, c.skipped) {
				t.Errorf("places of skipped values: got %q, want %q", skipped, c.skipped)
			}
			if _, err := collect(t, c.source()); err == nil {
				t.Error("read a bad value without Skip: got no error, want one")
			}
			if got, err := collect(t, c.source(text.Skip(nil))); err != nil || len(got) != 3 {
				t.Errorf("Skip(nil): got %v, %v; want 3 values", got, err)
			}
		})
	}
}

// TestSyntaxErrorsEndJSON: nothing can follow them, whatever Skip says.
func TestSyntaxErrorsEndJSON(t *testing.T) {
	skip := text.Skip(func(err *text.Error) { t.Errorf("read with Skip: skipped %v, want it to fail the run", err) })
	for input, want := range map[string]string{
		"[1,,2]":     "element 2",
		"[1 2]":      "element 2",
		"[1,{]":      "element 2",
		"[1,2":       "element 3",
		"[1,":        "element 2",
		"[1":         "element 2",
		"[":          "element 1",
		"":           "element 1",
		`{"a":1}`:    "element 1, at byte 0: { is no array",
		"x":          "element 1",
		"[x]":        "element 1",
		"[1}":        "element 2",
		"[1,}":       "element 2",
		"[\"":        "element 1",
		"[1,2,nul]x": "element 3",
	} {
		got, err := collect(t, text.JSONArray[int](strings.NewReader(input), skip))
		var where *text.Error
		if !errors.As(err, &where) || !strings.Contains(err.Error(), want) {
			t.Errorf("JSONArray of %q: got %v, %v; want an error that names %q", input, got, err, want)
		}
	}
	got, err := collect(t, text.JSON[int](strings.NewReader("1 x 2"), skip))
	if err == nil || !slices.Equal(got, []int{1}) {
		t.Errorf("JSON with a syntax error: got %v, %v; want [1] and an error", got, err)
	}
}

// TestSyntaxErrorsOfElementsOwn: an element's own decoder may fail with a syntax error of
// what it looks into; the array goes on.
func TestSyntaxErrorsOfElementsOwn(t *testing.T) {
	source := text.JSONArray[inner](strings.NewReader(`["{", "{}", "]"]`), text.Skip(nil))
	if got, err := collect(t, source); err != nil || len(got) != 1 {
		t.Errorf("read elements whose own text is malformed: got %v, %v; want one that is not", got, err)
	}
}

// inner is JSON in a string.
type inner struct{ X int }

func (i *inner) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	type plain inner
	return json.Unmarshal([]byte(s), (*plain)(i))
}

func TestJSONOverTheLimit(t *testing.T) {
	long := `"` + strings.Repeat("x", 5000) + `"`
	for name, source := range map[string]stream.Observable[string]{
		"JSON":      text.JSON[string](strings.NewReader(`"a" `+long), text.Limit(1000), text.Skip(nil)),
		"JSONArray": text.JSONArray[string](strings.NewReader(`["a", `+long+"]"), text.Limit(1000), text.Skip(nil)),
	} {
		got, err := collect(t, source)
		if !errors.Is(err, text.ErrTooLong) || !slices.Equal(got, []string{"a"}) {
			t.Errorf("%s with a value over the limit: got %.20q, %v; want [a], ErrTooLong", name, got, err)
		}
	}
	got, err := collect(t, text.JSONArray[string](strings.NewReader("["+strings.Repeat(long+",", 99)+long+"]"), text.Limit(6000)))
	if err != nil || len(got) != 100 {
		t.Errorf("read values within the limit: got %d, %v; want 100", len(got), err)
	}
}

func TestCSVRecords(t *testing.T) {
	const input = "name,n\n\"a,\n1\",2\nshort\nbad\"quote,1\nb,3\n"
	expect(t, text.CSV(strings.NewReader(input)), [][]string{{"name", "n"}, {"a,\n1", "2"}},
		"text: record 3, at byte 16: record on line 4: wrong number of fields")

	var skipped []error
	skip := text.Skip(func(err *text.Error) { skipped = append(skipped, err.Err) })
	expect(t, text.CSV(strings.NewReader(input), skip), [][]string{{"name", "n"}, {"a,\n1", "2"}, {"b", "3"}}, "")
	if len(skipped) != 2 || !errors.Is(skipped[0], csv.ErrFieldCount) || !errors.Is(skipped[1], csv.ErrBareQuote) {
		t.Errorf("records that were skipped: got %v, want a wrong number of fields and a bare quote", skipped)
	}

	semicolons := text.Format(func(r *csv.Reader) { r.Comma, r.FieldsPerRecord = ';', -1 })
	expect(t, text.CSV(strings.NewReader("a;b\nc\n"), semicolons), [][]string{{"a", "b"}, {"c"}}, "")
}

func TestCSVWithAQuoteThatIsNotClosed(t *testing.T) {
	endless := io.MultiReader(strings.NewReader("a,b\n\"c,"), io.LimitReader(zeros{}, 1<<30))
	got, err := collect(t, text.CSV(endless, text.Limit(100_000), text.Skip(nil)))
	if !errors.Is(err, text.ErrTooLong) || len(got) != 1 {
		t.Errorf("read a quote that is not closed in 1 GiB: got %d records, %v; want 1, ErrTooLong", len(got), err)
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "numbers")
	if err := os.WriteFile(path, []byte("1\n2\nx\n"), 0o600); err != nil {
		t.Fatalf("write %s: got %v, want no error", path, err)
	}
	source := text.ReadFile(path, text.JSONLines[int], text.Skip(nil))
	for range 2 { // each run opens it
		expect(t, source, []int{1, 2}, "")
	}
	got, err := collect(t, text.ReadFile(path, text.JSONLines[int]))
	if err == nil || !strings.HasPrefix(err.Error(), path+": text: line 3, at byte 4: ") || len(got) != 2 {
		t.Errorf("read a file with a bad line: got %v, %v; want 2 values and an error that names file and line", got, err)
	}
	if _, err := collect(t, text.ReadFile(path+"-none", text.Lines)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("read a file that does not exist: got %v, want os.ErrNotExist", err)
	}
}

func TestRefusalsOfWhatIsComposed(t *testing.T) {
	for name, compose := range map[string]func(){
		"Lines of nil":        func() { text.Lines(nil) },
		"CSV of nil":          func() { text.CSV(nil) },
		"JSON of nil":         func() { text.JSON[int](nil) },
		"JSONLines of nil":    func() { text.JSONLines[int](nil) },
		"JSONArray of nil":    func() { text.JSONArray[int](nil) },
		"WriteLines to nil":   func() { text.WriteLines(nil) },
		"WriteCSV to nil":     func() { text.WriteCSV(nil) },
		"WriteJSON to nil":    func() { text.WriteJSON[int](nil) },
		"ReadFile with nil":   func() { text.ReadFile[int]("x", nil) },
		"Format of nil":       func() { text.Format(nil) },
		"Lines with a Format": func() { text.Lines(strings.NewReader(""), text.Format(func(*csv.Reader) {})) },
		"a nil observable":    func() { text.WriteLines(io.Discard)(nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was accepted, want a panic", name)
				}
			}()
			compose()
		}()
	}
}
