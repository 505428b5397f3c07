package socket

import (
	"errors"
	"slices"
	"testing"
)

func TestMediaTypeParts(t *testing.T) {
	mt := MustParseMediaType("image/svg+xml;Charset=utf-8,version=1.1,version=2")
	if mt.TopLevel() != "image" || mt.Sub() != "svg" || mt.Suffix() != "xml" {
		t.Errorf("parts of %v: got %q, %q and %q, want image, svg and xml", mt, mt.TopLevel(), mt.Sub(), mt.Suffix())
	}
	var got []string
	for name, value := range mt.Parameters() {
		got = append(got, name+"="+value)
	}
	if want := []string{"Charset=utf-8", "version=1.1", "version=2"}; !slices.Equal(got, want) {
		t.Errorf("Parameters = %q, want %q", got, want)
	}
	if value, ok := mt.Parameter("charset"); value != "utf-8" || !ok {
		t.Errorf("charset = %q, %v; want utf-8", value, ok)
	}
	if value, ok := mt.Parameter("version"); value != "1.1" || !ok {
		t.Errorf("version = %q, %v; want the first, 1.1", value, ok)
	}
	empty := MustParseMediaType(`text/csv; header="", sep="|"`)
	if value, ok := empty.Parameter("header"); value != "" || !ok {
		t.Errorf("header of %v = %q, %v; want the empty value", empty, value, ok)
	}
	if value, ok := empty.Parameter("sep"); value != "|" || !ok {
		t.Errorf("Parameter sep of %v: got %q, %v, want |", empty, value, ok)
	}
	if value, ok := mt.Parameter("none"); value != "" || ok {
		t.Errorf("Parameter none of %v: got %q, %v, want none", mt, value, ok)
	}
}

func TestMediaTypePartsOfShortOnes(t *testing.T) {
	for mt, want := range map[MediaType][3]string{
		TextPlain():                       {"text", "plain", ""},
		OctetStream():                     {"application", "octet-stream", ""},
		JSON():                            {"application", "json", ""},
		MustParseMediaType("text/x; a=c"): {"text", "x", ""},
		{}:                                {"", "", ""},
	} {
		if got := [3]string{mt.TopLevel(), mt.Sub(), mt.Suffix()}; got != want {
			t.Errorf("%q: parts %q, want %q", mt, got, want)
		}
		if mt.IsZero() {
			continue
		}
		if parsed, err := ParseMediaType(mt.String()); err != nil || parsed != mt {
			t.Errorf("ParseMediaType(%q) = %q, %v; want the same", mt, parsed, err)
		}
	}
}

func TestMediaTypeTravelsAsText(t *testing.T) {
	var mt MediaType
	if err := mt.UnmarshalText([]byte("text/plain;a=b")); err != nil {
		t.Fatalf("unmarshal text/plain;a=b: got %v, want no error", err)
	}
	if text, err := mt.MarshalText(); err != nil || string(text) != "text/plain; a=b" {
		t.Errorf("MarshalText = %s, %v; want text/plain; a=b", text, err)
	}
	if err := mt.UnmarshalText([]byte("nonsense")); !errors.Is(err, ErrInvalid) || mt.IsZero() {
		t.Errorf("UnmarshalText of nonsense: got the error %v and left %q, want ErrInvalid and the value as it was", err, mt)
	}
	if _, err := (MediaType{}).MarshalText(); !errors.Is(err, ErrInvalid) {
		t.Errorf("the zero one: %v", err)
	}
}

func TestMustParseMediaTypePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("MustParseMediaType of nonsense returned, want a panic")
		}
	}()
	MustParseMediaType("text/*")
}
