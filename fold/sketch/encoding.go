package sketch

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
)

// MaxEncoded is how many bytes an encoded sketch may have: 64 MiB. MarshalBinary and
// UnmarshalBinary fail for more.
const MaxEncoded = 64 << 20

// ErrInvalid says that bytes are not the encoding of the sketch that was asked for.
var ErrInvalid = errors.New("not such an encoding")

// version is the second byte of each encoding. The first is the letter of its kind.
const version = 1

var kindNames = map[byte]string{'S': "Set", 'D': "Distribution", 'T': "Counts", 'B': "Filter", 'R': "Sample"}

// encoded returns the encoding of a sketch: a letter, the version and what write appends.
func encoded(letter byte, write func([]byte) ([]byte, error)) ([]byte, error) {
	data, err := write([]byte{letter, version})
	if err == nil && len(data) > MaxEncoded {
		err = fmt.Errorf("%d bytes, of at most %d", len(data), MaxEncoded)
	}
	if err != nil {
		return nil, fmt.Errorf("sketch: encode a %s: %w", kindNames[letter], err)
	}
	return data, nil
}

// decoded calls read with the bytes that write of [encoded] has appended.
func decoded(letter byte, data []byte, read func([]byte) error) error {
	err := checkHead(letter, data)
	if err == nil {
		err = read(data[2:])
	}
	if err != nil {
		return fmt.Errorf("sketch: decode a %s from %d bytes: %w", kindNames[letter], len(data), err)
	}
	return nil
}

func checkHead(letter byte, data []byte) error {
	switch {
	case len(data) > MaxEncoded:
		return invalid("more than %d bytes", MaxEncoded)
	case len(data) < 2:
		return invalid("too short")
	case data[0] != letter && kindNames[data[0]] != "":
		return invalid("they are a %s", kindNames[data[0]])
	case data[0] != letter:
		return invalid("they begin with %q, want %q", data[:1], string(letter))
	case data[1] != version:
		return invalid("they have version %d, want %d", data[1], version)
	}
	return nil
}

// recovered is deferred where a library trusts its input: its panic says that the bytes are
// invalid.
func recovered(err *error) {
	if cause := recover(); cause != nil {
		*err = invalid("%v", cause)
	}
}

func invalid(format string, arguments ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, arguments...))
}

// asText is the encoding for JSON.
func asText(data []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.AppendEncode(nil, data), nil
}

// fromText decodes what asText returned.
func fromText(text []byte, unmarshal func([]byte) error) error {
	data, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("sketch: decode text: %w: %w", ErrInvalid, err)
	}
	return unmarshal(data)
}

// reader takes numbers and strings from the front of data. The first that is not there makes
// it short, and from then on it returns zeros.
type reader struct {
	data  []byte
	short bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.data, r.short = nil, true
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.data)) {
		r.data, r.short = nil, true
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

// end is an error unless all bytes were taken and none was missing.
func (r *reader) end() error {
	switch {
	case r.short:
		return invalid("cut short")
	case len(r.data) > 0:
		return invalid("%d bytes too many", len(r.data))
	}
	return nil
}

// appendBytes appends what uvarint and bytes read.
func appendBytes[B ~string | ~[]byte](data []byte, b B) []byte {
	return append(binary.AppendUvarint(data, uint64(len(b))), b...)
}
