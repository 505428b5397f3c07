package unixsock

import (
	"fmt"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// CheckName returns ErrInvalid, and the byte that is not allowed, if text is no name of a server.
func CheckName(text string) error {
	if text == "" {
		return fmt.Errorf("%w: the name is empty", ErrInvalid)
	}
	for i := range len(text) {
		if !isNameByte(text[i]) {
			return fmt.Errorf("%w: %s has %s at byte %d, only a-z, A-Z, 0-9, '-' and '_' are allowed",
				ErrInvalid, wire.Quote(text), quotedByte(text[i]), i)
		}
	}
	return nil
}

func isNameByte(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '-' || b == '_'
}

// quotedByte shows a byte in an error: a printable one as itself, any other, bytes of UTF-8
// included, as its value.
func quotedByte(b byte) string {
	if ' ' <= b && b <= '~' {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("0x%02X", b)
}
