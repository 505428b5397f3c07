package sketch_test

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/fold/sketch"
)

// codec is what pointers to sketches do.
type codec interface {
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}

// pointer returns a pointer to a sketch.
func pointer[S any, P interface {
	*S
	codec
}](s S) codec {
	return P(&s)
}

// samples are sketches of each kind: of nothing, of one value, of few and of many.
func samples() map[string][]codec {
	_, few := numbers(1, 10)
	_, many := numbers(2, 5000)
	top, filter, sample := sketch.TopK(20), sketch.Bloom(1000, 0.01), sketch.Reservoir[int](10)
	return map[string][]codec{
		"Set":          {pointer(sketch.Set{}), pointer(sketch.Member("a")), pointer(members(0, 1000)), pointer(members(0, 100_000))},
		"Distribution": {pointer(sketch.Distribution{}), pointer(sketch.Number(0)), pointer(sketch.Number(math.MaxFloat64)), pointer(few), pointer(many)},
		"Counts":       {pointer(sketch.Counts{}), pointer(sketch.Item("")), pointer(counted(top, zipf(1, 10))), pointer(counted(top, zipf(2, 5000)))},
		"Filter":       {pointer(sketch.Filter{}), pointer(sketch.Key("")), pointer(keys(filter, 0, 10)), pointer(keys(filter, 0, 5000))},
		"Sample":       {pointer(sketch.Sample[int]{}), pointer(sketch.Value(7)), pointer(drawn(sample, 0, 10)), pointer(drawn(sample, 0, 5000))},
	}
}

// another returns an empty sketch of the kind of s.
func another(s codec) codec { return reflect.New(reflect.TypeOf(s).Elem()).Interface().(codec) }

func TestEncodingsAreDecodedToTheSame(t *testing.T) {
	for kind, list := range samples() {
		for i, s := range list {
			data := encodedIn(t, s)
			binary := another(s)
			if err := binary.UnmarshalBinary([]byte(data)); err != nil || encodedIn(t, binary) != data {
				t.Errorf("decode %s %d: got %v, want no error and a sketch of the same encoding", kind, i, err)
			}
			text, err := json.Marshal(s)
			fromJSON := another(s)
			if failed := json.Unmarshal(text, fromJSON); err != nil || failed != nil || encodedIn(t, fromJSON) != data {
				t.Errorf("%s %d as JSON: encoded %v, decoded %v, want no error and a sketch of the same encoding", kind, i, err, failed)
			}
		}
	}
}

// Bytes that change with the process or the version of a library would not be understood
// elsewhere.
func TestEncodingsAreTheSameInAnyProcess(t *testing.T) {
	top := sketch.TopK(5)
	filter := sketch.Bloom(5, 0.1)
	_, few := numbers(1, 3)
	for kind, c := range map[string]struct {
		sketch codec
		want   string
	}{
		"Set":          {pointer(members(0, 3)), "UwECDgABAAAAAAAAAAMCLsUAAAAADObr7AGms5wI9OqxBw=="},
		"Distribution": {pointer(few), "RAEC/UqBWr9S8D8AAAAAAAAAAAUBPAIHAssBAlIC"},
		"Counts":       {pointer(counted(top, []string{"b", "a", "b"})), "VAEDAAIBYQEBYgI="},
		"Filter":       {pointer(keys(filter, 0, 5)), "QgECBAAnQKQBAAADgA=="},
	} {
		if got := base64.StdEncoding.EncodeToString([]byte(encodedIn(t, c.sketch))); got != c.want {
			t.Errorf("a %s is encoded as %s, want %s", kind, got, c.want)
		}
	}
}

func TestDecodingOfOtherBytesNamesWhatTheyAre(t *testing.T) {
	all := samples()
	for kind, list := range all {
		for name, c := range map[string]struct{ data, want string }{
			"nothing":     {"", "too short"},
			"one byte":    {"S", "too short"},
			"text":        {"hello", `they begin with "h", want`},
			"version":     {encodedIn(t, list[3])[:1] + "\x07", "they have version 7, want 1"},
			"cut short":   {encodedIn(t, list[3])[:20], ""},
			"a byte more": {encodedIn(t, list[3]) + "x", ""},
			"too long":    {encodedIn(t, list[3])[:2] + strings.Repeat("\x00", sketch.MaxEncoded), "more than 67108864 bytes"},
		} {
			s := another(list[3])
			err := s.UnmarshalBinary([]byte(c.data))
			if !errors.Is(err, sketch.ErrInvalid) || !strings.HasPrefix(err.Error(), "sketch: decode a "+kind+" from ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("decode %s as a %s: got %v, want ErrInvalid that says %q", name, kind, err, c.want)
			}
			if encodedIn(t, s) != encodedIn(t, another(list[3])) {
				t.Errorf("decode %s as a %s changed the sketch, want it to be as before", name, kind)
			}
		}
		for other := range all {
			if err := another(list[0]).UnmarshalBinary([]byte(encodedIn(t, all[other][2]))); other != kind && !strings.Contains(err.Error(), "they are a "+other) {
				t.Errorf("decode a %s as a %s: got %v, want an error that says so", other, kind, err)
			}
		}
		if err := another(list[0]).UnmarshalText([]byte("?")); !errors.Is(err, sketch.ErrInvalid) {
			t.Errorf("decode text as a %s: got %v, want ErrInvalid", kind, err)
		}
	}
}

// Some bytes say that very much follows.
func TestDecodingAllocatesInProportionToWhatThereIs(t *testing.T) {
	huge := strings.Repeat("\xff", 9) + "\x01" // the greatest uvarint
	for name, c := range map[string]struct {
		into codec
		data string
	}{
		"a set with 2^30 unsorted members": {new(sketch.Set), "S\x01\x02\x0e\x00\x01\x40\x00\x00\x00" + strings.Repeat("\x00", 12)},
		"a set with a list of 4 GiB":       {new(sketch.Set), "S\x01\x02\x0e\x00\x01" + strings.Repeat("\x00", 12) + "\xff\xff\xff\xf0"},
		"2^64 items":                       {new(sketch.Counts), "T\x01" + huge + "\x00" + huge},
		"2^20 items, of which there are 2": {new(sketch.Counts), "T\x01\x09\x00\x80\x80\x40\x01a\x01\x01b\x01"},
		"an item of 2^64 bytes":            {new(sketch.Counts), "T\x01" + huge + "\x00\x01" + huge},
		"2^64 values":                      {new(sketch.Sample[int]), "R\x01" + huge + huge},
		"a distribution of 2^64 bins":      {new(sketch.Distribution), "D\x01\x05" + huge},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := c.into.UnmarshalBinary([]byte(c.data))
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, sketch.ErrInvalid) || got > 1<<20 {
			t.Errorf("decode %s: got %v and %d bytes allocated, want ErrInvalid and less than 1 MiB", name, err, got)
		}
	}
}

func TestSampleSaysWhyAValueHasNoEncoding(t *testing.T) {
	if _, err := sketch.Value(math.Inf(1)).MarshalBinary(); !errors.As(err, new(*json.UnsupportedValueError)) {
		t.Errorf("encode a sample of an infinity: got %v, want the error of JSON", err)
	}
	err := new(sketch.Sample[int]).UnmarshalBinary([]byte(encodedIn(t, sketch.Value("x"))))
	if !errors.Is(err, sketch.ErrInvalid) || !errors.As(err, new(*json.UnmarshalTypeError)) {
		t.Errorf("decode a sample of strings as one of numbers: got %v, want ErrInvalid around the error of JSON", err)
	}
}

// fuzz decodes any bytes. A sketch that comes of them can be used like others, and encoding
// and decoding it changes nothing.
func fuzz[S any](f *testing.F, kind string, m fold.Monoid[S], decode func(*S, []byte) error, use func(S)) {
	list := samples()[kind]
	for _, s := range list {
		data, err := s.MarshalBinary()
		if err != nil {
			f.Fatalf("encode a seed: got %v, want no error", err)
		}
		f.Add(data)
	}
	encode := func(s S) ([]byte, error) { return any(s).(encoding.BinaryMarshaler).MarshalBinary() }
	f.Fuzz(func(t *testing.T, data []byte) {
		var first, second S
		given := slices.Clone(data)
		err := decode(&first, data)
		if !bytes.Equal(given, data) {
			t.Fatalf("decode %q changed the bytes to %q", given, data)
		}
		if err != nil {
			if !errors.Is(err, sketch.ErrInvalid) {
				t.Errorf("decode %q: got %v, want ErrInvalid", data, err)
			}
			return
		}
		clear(data) // the sketch does not depend on them
		once, err := encode(first)
		if err != nil {
			t.Fatalf("encode the sketch of %q: got %v, want no error", given, err)
		}
		if err := decode(&second, once); err != nil {
			t.Fatalf("decode the encoding of the sketch of %q: got %v, want no error", given, err)
		}
		if twice, err := encode(second); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("the sketch of %q is encoded as %q, and after that as %q, %v", given, once, twice, err)
		}
		use(first)
		both := m.Combine(m.Combine(m.Identity(), first), second)
		use(both)
		use(m.Combine(first, both))
	})
}

func FuzzSet(f *testing.F) {
	fuzz(f, "Set", sketch.Distinct(), (*sketch.Set).UnmarshalBinary, func(s sketch.Set) { s.Len() })
}

func FuzzDistribution(f *testing.F) {
	fuzz(f, "Distribution", sketch.Quantiles(), (*sketch.Distribution).UnmarshalBinary, func(d sketch.Distribution) { d.Quantile(0.5); d.Count() })
}

func FuzzCounts(f *testing.F) {
	fuzz(f, "Counts", sketch.TopK(3), (*sketch.Counts).UnmarshalBinary, func(c sketch.Counts) { c.Top(3); c.Of("a") })
}

func FuzzFilter(f *testing.F) {
	fuzz(f, "Filter", sketch.Bloom(100, 0.1), (*sketch.Filter).UnmarshalBinary, func(f sketch.Filter) { f.Has("a"); f.FalsePositiveRate() })
}

func FuzzSample(f *testing.F) {
	fuzz(f, "Sample", sketch.Reservoir[int](3), (*sketch.Sample[int]).UnmarshalBinary, func(s sketch.Sample[int]) { s.Values() })
}
