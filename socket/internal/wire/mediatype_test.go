package wire

import (
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
		if err != nil || mt != want {
			t.Errorf("ParseMediaType(%q) = %q, %v; want %q", text, mt, err, want)
			continue
		}
		if again, err := ParseMediaType(mt); err != nil || again != mt {
			t.Errorf("ParseMediaType of the canonical spelling %q: got %q, %v, want the same", mt, again, err)
		}
	}
}

func TestParseMediaTypeErrorNamesTheFault(t *testing.T) {
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
		if err == nil || mt != "" {
			t.Errorf("ParseMediaType(%q) = %q, %v; want an error and no media type", text, mt, err)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("ParseMediaType(%q): got %v\nwant an error with the text %s", text, err, want)
		}
	}
}

func TestParseMediaTypeLimitsTheLength(t *testing.T) {
	longest := "text/plain; a=" + strings.Repeat("b", maxMediaType-len("text/plain; a="))
	if _, err := ParseMediaType(longest); err != nil {
		t.Errorf("ParseMediaType of the longest media type: got %v, want nil", err)
	}
	quotes := strings.Replace(longest, "=", `="`, 1) + `"`
	if mt, err := ParseMediaType(quotes); err != nil || mt != longest {
		t.Errorf("ParseMediaType of the longest value in quotes: got %d bytes, %.300v, want %d, no error", len(mt), err, len(longest))
	}
	// The canonical spelling of each of these is one byte too long.
	for _, text := range []string{longest + "b", strings.Replace(longest, "; ", ";", 1) + "b"} {
		if _, err := ParseMediaType(text); err == nil || len(err.Error()) > 300 {
			t.Errorf("ParseMediaType of %d bytes: got %.300v, want an error of 300 bytes at most", len(text), err)
		}
	}
}

func TestParseMediaTypeAllocatesNothingIfCanonical(t *testing.T) {
	allocations := testing.AllocsPerRun(100, func() {
		if _, err := ParseMediaType(`application/json; charset=utf-8, version=1+1, note=""`); err != nil {
			t.Fatalf("ParseMediaType of a canonical media type: got %v, want nil", err)
		}
	})
	if allocations != 0 {
		t.Errorf("ParseMediaType of a canonical media type: got %v allocations, want none", allocations)
	}
}
