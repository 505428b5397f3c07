package unixsock

import (
	"errors"
	"strings"
	"testing"
)

func TestAccountNumbers(t *testing.T) {
	for _, number := range []func(string) (int, error){UserNumber, GroupNumber} {
		if n, err := number("12345"); n != 12345 || err != nil {
			t.Errorf("the number of account 12345: %d, %v; want 12345", n, err)
		}
		for name, want := range map[string]string{
			"none-here":  `"none-here": `,
			"":           `"": `,
			"4294967295": `"4294967295" is the number of nobody`,
		} {
			if n, err := number(name); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
				t.Errorf("the number of account %q: %d, %v; want ErrInvalid and %s", name, n, err, want)
			}
		}
	}
}
