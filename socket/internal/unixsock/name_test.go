package unixsock

import (
	"errors"
	"strings"
	"testing"
)

func TestCheckName(t *testing.T) {
	for text, want := range map[string]string{
		"a": "", "Z": "", "0": "", "-": "", "_": "", "foo-bar_42": "", strings.Repeat("n", 1000): "",

		"":          "the name is empty",
		"foo.bar":   `"foo.bar" has '.' at byte 3`,
		"../x":      `"../x" has '.' at byte 0`,
		"a/b":       `"a/b" has '/' at byte 1`,
		"a\nb":      `"a\nb" has 0x0A at byte 1`,
		"ab\x00":    `"ab\x00" has 0x00 at byte 2`,
		"naïve":     `"naïve" has 0xC3 at byte 2`,
		"with room": `"with room" has ' ' at byte 4`,
	} {
		err := CheckName(text)
		if want == "" && err != nil {
			t.Errorf("CheckName(%q) = %v, want none", text, err)
		}
		if want != "" && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want)) {
			t.Errorf("CheckName(%q) = %v, want ErrInvalid that says %s", text, err, want)
		}
	}
}

func TestCheckNameShowsLittleOfALongText(t *testing.T) {
	err := CheckName(strings.Repeat("x", 1<<20) + "!")
	if err == nil || len(err.Error()) > 300 {
		t.Errorf("CheckName of 1 MiB: an error of %d bytes, want at most 300", len(err.Error()))
	}
}
