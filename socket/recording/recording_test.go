package recording_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/rxipc/rxipc/socket/recording"
)

// lines is a recording with each kind of entry.
const lines = `{"recording":1,"name":"counter","begin":"2026-11-27T21:16:36.5Z","about":"all kinds"}
{"ms":0.000001,"connection":1,"kind":"open"}
{"ms":0.2,"connection":1,"from":"server","kind":"heartbeat"}
{"ms":0.2,"connection":1,"from":"server","kind":"start","joined":true}
{"ms":5.4,"connection":1,"from":"client","kind":"start-ok","mediaType":"text/plain; peer=rxipc"}
{"ms":5.5,"connection":1,"from":"client","kind":"message","mediaType":"text/plain","content":"<\"ü\"> "}
{"ms":6,"connection":1,"from":"server","kind":"ack"}
{"ms":6.1,"connection":1,"from":"server","kind":"message","mediaType":"text/plain","base64":"/w=="}
{"ms":6.2,"connection":2,"kind":"open","name":"other"}
{"ms":6.3,"connection":2,"from":"server","kind":"received"}
{"ms":6.4,"connection":1,"from":"server","kind":"message","mediaType":"text/plain","content":"cut","missing":97}
{"ms":6.5,"connection":1,"from":"server","kind":"close","mediaType":"text/plain; reason=shutdown"}
{"ms":6.6,"connection":1,"from":"client","kind":"close-ok"}
{"ms":6.7,"connection":2,"from":"client","kind":"bytes","base64":"AAE="}
{"ms":6.8,"connection":2,"from":"client","kind":"end"}
{"ms":6.9,"kind":"stop"}
{"ms":7,"connection":3,"kind":"subscribed"}
{"ms":8,"connection":3,"kind":"value","content":"[1,2]"}
{"ms":9,"connection":3,"kind":"failed","content":"no luck"}
{"ms":9,"connection":3,"kind":"completed"}
{"ms":3600000,"connection":3,"kind":"left"}
`

func read(t testing.TB, text string) recording.Recording {
	t.Helper()
	r, err := recording.Read(strings.NewReader(text))
	if err != nil {
		t.Fatalf("read the recording %.200q: %v", text, err)
	}
	return r
}

// write returns the lines of entries, without the first.
func write(t testing.TB, config recording.Config, entries ...recording.Entry) string {
	t.Helper()
	var out bytes.Buffer
	w := recording.NewWriter(&out, config)
	for _, e := range entries {
		if err := w.Write(e); err != nil {
			t.Errorf("write %+v: %v", e, err)
		}
	}
	_, rest, _ := strings.Cut(out.String(), "\n")
	return rest
}

func TestRecordingReadsAndWritesTheSameLines(t *testing.T) {
	r := read(t, lines)
	if want := (recording.Header{Name: "counter", About: "all kinds", Begin: time.Date(2026, 11, 27, 21, 16, 36, 5e8, time.UTC)}); r.Header != want {
		t.Errorf("read the first line: got %+v, want %+v", r.Header, want)
	}
	_, want, _ := strings.Cut(lines, "\n")
	if got := write(t, recording.Config{Name: "counter"}, r.Entries...); got != want {
		t.Errorf("write the entries that were read:\n got %s\nwant %s", got, want)
	}
	if got, want := r.Entries[0].Time, time.Nanosecond; got != want {
		t.Errorf("read the time 0.000001 ms: got %v, want %v", got, want)
	}
	if got := len(r.Connections()); got != 2 {
		t.Errorf("count the connections: got %d, want 2, without the observable", got)
	}
}

func TestRecordingSortsEntriesByTime(t *testing.T) {
	r := read(t, `{"recording":1}
{"ms":2,"connection":1,"from":"client","kind":"end"}

{"ms":1,"connection":1,"kind":"open","unknown":[1]}`)
	if len(r.Entries) != 2 || r.Entries[0].Kind != recording.Open || r.Entries[1].Kind != recording.End {
		t.Errorf("read lines that are not in order: got %v, want open, end", r.Entries)
	}
}

func TestReaderSaysWhichLineIsWrong(t *testing.T) {
	const first = "{\"recording\":1}\n"
	for text, want := range map[string]string{
		"":                   "line 1: unexpected EOF",
		"{}":                 "line 1: no recording: the version is 0, want 1",
		`{"recording":2}`:    "the version is 2, want 1",
		"hello\n":            "line 1: no recording",
		first + "[]\n":       "line 2: no recording",
		first + `{"ms":1,"c`: "line 2: unexpected EOF",
		first + `{"ms":1,"connection":1,"kind":"x"}`:                                                                     `the kind "x" is not known`,
		first + `{"ms":-1,"connection":1,"kind":"open"}`:                                                                 "ms is -1",
		first + `{"ms":1e300,"connection":1,"kind":"open"}`:                                                              "ms is 1e+300",
		first + `{"ms":1,"kind":"open"}`:                                                                                 "open cannot be of the connection 0",
		first + `{"ms":1,"connection":1,"kind":"start"}`:                                                                 `start cannot be from ""`,
		first + `{"ms":1,"connection":1,"kind":"open","from":"client"}`:                                                  `open cannot be from "client"`,
		first + `{"ms":1,"connection":1,"kind":"open","content":"x"}`:                                                    "open cannot have a content of 1 bytes",
		first + `{"ms":1,"connection":1,"from":"client","kind":"message","mediaType":"nonsense"}`:                        "nonsense",
		first + `{"ms":1,"connection":1,"from":"client","kind":"message","mediaType":"a/b","base64":"!"}`:                "base64",
		first + `{"ms":1,"connection":1,"from":"client","kind":"bytes","content":"x","base64":"AA=="}`:                   "both content and base64",
		first + `{"ms":1,"connection":1,"from":"client","kind":"message","mediaType":"text/plain","missing":-1}`:         "-1 are missing",
		first + `{"ms":1,"connection":1,"from":"client","kind":"ack","mediaType":"text/html"}`:                           `ack cannot have the media type "text/html"`,
		first + `{"ms":1,"connection":1,"from":"client","kind":"start-ok","mediaType":"text/plain; reason=shutdown"}`:    "start-ok cannot have the media type",
		first + "{\"ms\":1,\"connection\":1,\"kind\":\"open\"}\n\n{\"ms\":1,\"connection\":\"1\",\"kind\":\"open\"}\n{}": "line 4: no recording",
	} {
		_, err := recording.Read(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("read %q: got the error %v, want one with %q", text, err, want)
		}
		if whole := !strings.Contains(want, "unexpected EOF"); errors.Is(err, recording.ErrFormat) != whole || errors.Is(err, io.ErrUnexpectedEOF) == whole {
			t.Errorf("read %q: got the error %v, want ErrFormat: %v, else io.ErrUnexpectedEOF", text, err, whole)
		}
	}
	broken := errors.New("broken")
	if _, err := recording.Read(io.MultiReader(strings.NewReader(first), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("read from a file that fails: got %v, want %v", err, broken)
	}
}

// A recorder that is killed leaves a part of a line.
func TestReadReturnsWhatIsBeforeTheFailure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "killed.jsonl")
	if err := os.WriteFile(path, []byte(lines[:len(lines)-5]), 0o600); err != nil {
		t.Fatalf("write a recording: %v", err)
	}
	r, err := recording.ReadFile(path)
	if want := len(read(t, lines).Entries) - 1; len(r.Entries) != want || !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), path) {
		t.Errorf("read a recording without its end: got %d entries and %v, want %d and io.ErrUnexpectedEOF with the path", len(r.Entries), err, want)
	}
	if _, err := recording.ReadFile(path + ".missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("read a recording that is not there: got %v, want os.ErrNotExist", err)
	}
}

func TestWriterCutsAndHidesContents(t *testing.T) {
	text := recording.Entry{Time: time.Millisecond, Connection: 1, From: recording.Client, Kind: recording.Message, MediaType: "text/plain", Content: "aüb"}
	data := text
	data.Content = "\xff\xfe\xfd"
	for _, c := range []struct {
		config          recording.Config
		entry           recording.Entry
		content, cutOff string
	}{
		{recording.Config{Cut: 4}, text, `"content":"aüb"`, ""},
		{recording.Config{Cut: 3}, text, `"content":"aü"`, `,"missing":1`},
		{recording.Config{Cut: 2}, text, `"content":"a"`, `,"missing":3`},
		{recording.Config{Cut: 2}, data, `"base64":"//4="`, `,"missing":1`},
		{recording.Config{Hide: true, Cut: 2}, text, "", `"missing":4`},
	} {
		want := `{"ms":1,"connection":1,"from":"client","kind":"message","mediaType":"text/plain",` + c.content + c.cutOff + "}\n"
		if got := write(t, c.config, c.entry); got != want {
			t.Errorf("write %q with %+v: got %s, want %s", c.entry.Content, c.config, got, want)
		}
	}
}

// failing fails from the given write on.
type failing struct{ left int }

func (f *failing) Write(p []byte) (int, error) {
	if f.left--; f.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestWriterKeepsItsFirstError(t *testing.T) {
	w := recording.NewWriter(&failing{left: 2}, recording.Config{})
	open := recording.Entry{Connection: 1, Kind: recording.Open}
	if err := w.Write(recording.Entry{Kind: recording.Open}); err == nil || w.Err() != nil {
		t.Errorf("write an open of no connection: got %v and Err %v, want an error that does not end the recording", err, w.Err())
	}
	for i, want := range []error{nil, io.ErrShortWrite, io.ErrShortWrite} {
		if err := w.Write(open); !errors.Is(err, want) || !errors.Is(w.Err(), want) {
			t.Errorf("write %d of a file that takes one entry: got %v and Err %v, want %v", i, err, w.Err(), want)
		}
	}
}

func TestEntryIsSpelledInWords(t *testing.T) {
	r := read(t, lines)
	var got []string
	for _, e := range r.Entries[2:6] {
		got = append(got, e.String())
	}
	got = append(got, r.Entries[9].String(), recording.Entry{Kind: recording.Bytes, Content: strings.Repeat("x", 61)}.String())
	want := []string{"start", "start-ok text/plain; peer=rxipc", `message text/plain "<\"ü\"> "`, "ack", `message text/plain "cut"… (100 bytes)`,
		`bytes "` + strings.Repeat("x", 60) + `"… (61 bytes)`}
	if !slices.Equal(got, want) {
		t.Errorf("spell entries:\n got %q\nwant %q", got, want)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(lines)
	for _, line := range strings.SplitAfter(lines, "\n") {
		f.Add("{\"recording\":1}\n" + line)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := recording.Read(strings.NewReader(text))
		if err != nil && !errors.Is(err, recording.ErrFormat) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("read: got %v, want ErrFormat or io.ErrUnexpectedEOF", err)
		}
		again := read(t, "{\"recording\":1}\n"+write(t, recording.Config{}, r.Entries...))
		if !slices.Equal(again.Entries, r.Entries) {
			t.Errorf("read what was written of %v: got %v", r.Entries, again.Entries)
		}
		r.Connections()
	})
}
