package socket

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestParseMediaType(t *testing.T) {
	token := "a" + strings.Repeat("-", maxToken-1)
	for text, want := range map[string]string{
		"text/plain":                       "text/plain",
		"application/json; charset=utf-8":  "application/json; charset=utf-8",
		"application/json;charset=utf-8":   "application/json; charset=utf-8",
		"text/plain, a=b":                  "text/plain; a=b",
		"text/plain,a=b;c=d":               "text/plain; a=b, c=d",
		"text/plain; a=b; c=d; e=f":        "text/plain; a=b, c=d, e=f",
		"text/plain; a=b, a=c":             "text/plain; a=b, a=c",
		"image/svg+xml":                    "image/svg+xml",
		"application/vnd.a.b-c_1!#$&^+zip": "application/vnd.a.b-c_1!#$&^+zip",
		"text/PLAIN; Charset=UTF-8":        "text/PLAIN; Charset=UTF-8",
		"video/0; x=.-_":                   "video/0; x=.-_",
		"text/x; all=aZ09!#$%&'*+^_.-`|~":  "text/x; all=aZ09!#$%&'*+^_.-`|~",
		"multipart/mixed; boundary=*+%":    "multipart/mixed; boundary=*+%",
		`text/csv;header="present"`:        "text/csv; header=present",
		`text/csv;header="a+b";x="",y="|"`: `text/csv; header=a+b, x="", y=|`,
		`text/csv; header=""`:              `text/csv; header=""`,
		`text/csv,header=""`:               `text/csv; header=""`,
		"font/" + token + "+" + token:      "font/" + token + "+" + token,
		"audio/x; " + token + "=1":         "audio/x; " + token + "=1",
		"example/x":                        "example/x",
		"message/x":                        "message/x",
		"model/x":                          "model/x",
		"multipart/x":                      "multipart/x",
	} {
		mt, err := ParseMediaType(text)
		if err != nil || mt.String() != want {
			t.Errorf("ParseMediaType(%q) = %q, %v; want %q", text, mt, err, want)
			continue
		}
		if again, err := ParseMediaType(mt.String()); err != nil || again != mt {
			t.Errorf("its canonical spelling %q parses as %q, %v", mt, again, err)
		}
	}
}

func TestParseMediaTypeSaysWhatIsWrong(t *testing.T) {
	token := "a" + strings.Repeat("-", maxToken-1)
	for text, want := range map[string]string{
		"":                         "top level type and '/' at byte 0",
		"nonsense":                 "top level type and '/' at byte 0",
		"text":                     "top level type and '/' at byte 0",
		"/plain":                   "top level type and '/' at byte 0",
		"TEXT/PLAIN":               "top level type and '/' at byte 0",
		"foo/bar":                  "top level type and '/' at byte 0",
		" text/plain":              "top level type and '/' at byte 0",
		"text/":                    "expected a letter or a digit at byte 5",
		"text/*":                   "expected a letter or a digit at byte 5",
		"text/-x":                  "expected a letter or a digit at byte 5",
		"image/svg+":               "expected a letter or a digit at byte 10",
		"image/a+b+c":              "expected ';', ',' or the end at byte 9",
		"text/plain ":              "expected ';', ',' or the end at byte 10",
		"text/plain\x00":           "expected ';', ',' or the end at byte 10",
		"text/plain;":              "expected a letter or a digit at byte 11",
		"text/plain; ":             "expected a letter or a digit at byte 12",
		"text/plain;  a=b":         "expected a letter or a digit at byte 12",
		"text/plain; a=b;":         "expected a letter or a digit at byte 16",
		"text/plain; a":            "expected '=' after the name of a parameter at byte 13",
		"text/plain; a =b":         "expected '=' after the name of a parameter at byte 13",
		"text/plain; a=":           "expected the value of a parameter at byte 14",
		"text/plain; a=b c=d":      "expected ';', ',' or the end at byte 15",
		"text/plain; a=b@c":        "expected ';', ',' or the end at byte 15",
		`text/plain; a=b"c"`:       "expected ';', ',' or the end at byte 15",
		`text/plain; a="b"c`:       "expected ';', ',' or the end at byte 17",
		`text/plain; a="`:          "at the end of the quoted value, which can hold no space, separator or backslash at byte 15",
		`text/plain; a="b c"`:      "at the end of the quoted value, which can hold no space, separator or backslash at byte 16",
		`text/plain; a="b,c"`:      "at the end of the quoted value, which can hold no space, separator or backslash at byte 16",
		`text/plain; a="b\"c"`:     "at the end of the quoted value, which can hold no space, separator or backslash at byte 16",
		"text/é":                   "expected a letter or a digit at byte 5",
		"text/" + token + "a":      "more than 127 bytes",
		"text/a+" + token + "a":    "more than 127 bytes",
		"text/a; " + token + "a=b": "more than 127 bytes",
	} {
		mt, err := ParseMediaType(text)
		if !errors.Is(err, ErrInvalid) || !mt.IsZero() {
			t.Errorf("ParseMediaType(%q) = %q, %v; want ErrInvalid", text, mt, err)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("ParseMediaType(%q): %v\nwant it to say %s", text, err, want)
		}
	}
}

func TestParseMediaTypeKeepsToWhatAFrameCarries(t *testing.T) {
	longest := "text/plain; a=" + strings.Repeat("b", maxMediaType-len("text/plain; a="))
	if _, err := ParseMediaType(longest); err != nil {
		t.Error(err)
	}
	quotes := strings.Replace(longest, "=", `="`, 1) + `"`
	if mt, err := ParseMediaType(quotes); err != nil || mt.String() != longest {
		t.Errorf("ParseMediaType of the longest value in quotes gives %d bytes, %.300v; want %d, no error", len(mt.String()), err, len(longest))
	}
	// Each of these is one byte too long once it is canonical.
	for _, text := range []string{longest + "b", strings.Replace(longest, "; ", ";", 1) + "b"} {
		if _, err := ParseMediaType(text); !errors.Is(err, ErrInvalid) || len(err.Error()) > 300 {
			t.Errorf("%d bytes: %.300v", len(text), err)
		}
	}
}

func TestMediaTypeParts(t *testing.T) {
	mt := MustParseMediaType("image/svg+xml;Charset=utf-8,version=1.1,version=2")
	if mt.TopLevel() != "image" || mt.Sub() != "svg" || mt.Suffix() != "xml" {
		t.Errorf("parts: %q %q %q", mt.TopLevel(), mt.Sub(), mt.Suffix())
	}
	var got []string
	for name, value := range mt.Parameters() {
		got = append(got, name+"="+value)
	}
	if want := []string{"Charset=utf-8", "version=1.1", "version=2"}; !slices.Equal(got, want) {
		t.Errorf("Parameters = %q", got)
	}
	if value, ok := mt.Parameter("charset"); value != "utf-8" || !ok {
		t.Errorf("charset = %q, %v", value, ok)
	}
	if value, ok := mt.Parameter("version"); value != "1.1" || !ok {
		t.Errorf("version = %q, %v", value, ok)
	}
	empty := MustParseMediaType(`text/csv; header="", sep="|"`)
	if value, ok := empty.Parameter("header"); value != "" || !ok {
		t.Errorf("header of %v = %q, %v; want the empty value", empty, value, ok)
	}
	if value, ok := empty.Parameter("sep"); value != "|" || !ok {
		t.Errorf("sep of %v = %q, %v; want |", empty, value, ok)
	}
	if value, ok := mt.Parameter("none"); value != "" || ok {
		t.Errorf("none = %q, %v", value, ok)
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
			t.Errorf("%q parses as %q, %v", mt, parsed, err)
		}
	}
}

func TestMediaTypeTravelsAsText(t *testing.T) {
	var mt MediaType
	if err := mt.UnmarshalText([]byte("text/plain;a=b")); err != nil {
		t.Fatal(err)
	}
	if text, err := mt.MarshalText(); err != nil || string(text) != "text/plain; a=b" {
		t.Errorf("MarshalText = %s, %v", text, err)
	}
	if err := mt.UnmarshalText([]byte("nonsense")); !errors.Is(err, ErrInvalid) || mt.IsZero() {
		t.Errorf("a bad one: %v, left %q", err, mt)
	}
	if _, err := (MediaType{}).MarshalText(); !errors.Is(err, ErrInvalid) {
		t.Errorf("the zero one: %v", err)
	}
}

func TestMustParseMediaTypePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	MustParseMediaType("text/*")
}

func TestParsingACanonicalMediaTypeAllocatesNothing(t *testing.T) {
	allocations := testing.AllocsPerRun(100, func() {
		if _, err := ParseMediaType(`application/json; charset=utf-8, version=1+1, note=""`); err != nil {
			t.Fatal(err)
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}
