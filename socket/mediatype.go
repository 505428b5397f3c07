package socket

import (
	"fmt"
	"iter"
	"strings"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// MediaType describes the content of a message, as in RFC 6838: a top level type, a subtype
// with an optional suffix, and parameters. It is immutable and compared with ==. It holds its
// canonical spelling,
//
//	type/subtype+suffix; name=value, name=value
//
// The zero MediaType is empty and cannot be sent.
//
// The grammar is that of innmind/ipc, which is narrower than the RFC. The top level is one of
// application, audio, font, example, image, message, model, multipart, text and video, in
// lower case. A subtype, a suffix and the name of a parameter begin with a letter or a digit,
// followed by at most 126 of letters, digits and !#$&^_.-
// The value of a parameter is one or more of letters, digits and !#$%&'*+^_.-`|~ and may be in
// double quotes, which the canonical spelling omits. In quotes a value may be empty; the
// canonical spelling keeps its quotes. Quotes do not allow other characters: no space,
// separator or backslash. A ';' or a ',' and at most one space precede a parameter. The
// canonical spelling has at most 65,535 bytes, the maximum of a frame.
type MediaType struct{ text string }

// TextPlain returns text/plain, which is also the media type of control messages. It is a
// function, like OctetStream and JSON, so that no importer can assign to it.
func TextPlain() MediaType { return MediaType{wire.TextPlain} }

// OctetStream returns application/octet-stream, for bytes of any kind.
func OctetStream() MediaType { return MediaType{wire.OctetStream} }

// JSON returns application/json.
func JSON() MediaType { return MediaType{wire.JSON} }

// ParseMediaType checks text and converts it to its canonical spelling. It fails with
// ErrInvalid; the error has the fault and the byte at which it is.
func ParseMediaType(text string) (MediaType, error) {
	canonical, err := wire.ParseMediaType(text)
	if err != nil {
		return MediaType{}, &Error{Op: "parse media type", Err: fmt.Errorf("%w: %w", ErrInvalid, err)}
	}
	return MediaType{canonical}, nil
}

// MustParseMediaType is ParseMediaType for media types that are constant in the program. It
// panics if the media type is invalid.
func MustParseMediaType(text string) MediaType {
	mt, err := ParseMediaType(text)
	if err != nil {
		panic(err)
	}
	return mt
}

// String returns the canonical spelling, empty for the zero MediaType.
func (mt MediaType) String() string { return mt.text }

// IsZero reports whether mt is the zero MediaType.
func (mt MediaType) IsZero() bool { return mt.text == "" }

// TopLevel returns the part before the slash: text for text/plain.
func (mt MediaType) TopLevel() string {
	top, _, _ := strings.Cut(mt.text, "/")
	return top
}

// Sub returns the subtype without its suffix: svg for image/svg+xml.
func (mt MediaType) Sub() string {
	sub, _, _ := strings.Cut(mt.essence(), "+")
	return sub
}

// Suffix returns the suffix without its plus sign, xml for image/svg+xml, or empty if there is
// none.
func (mt MediaType) Suffix() string {
	_, suffix, _ := strings.Cut(mt.essence(), "+")
	return suffix
}

// essence returns the part between the slash and the parameters.
func (mt MediaType) essence() string {
	_, rest, _ := strings.Cut(mt.text, "/")
	essence, _, _ := strings.Cut(rest, ";")
	return essence
}

// Parameter returns the value of the first parameter called name, in any case (RFC 6838, 4.3),
// and whether there is one.
func (mt MediaType) Parameter(name string) (value string, ok bool) {
	return wire.Parameter(mt.text, name)
}

// Parameters returns the names and values of the parameters, in their order, repeated names
// included.
func (mt MediaType) Parameters() iter.Seq2[string, string] {
	return wire.Parameters(mt.text)
}

// MarshalText implements encoding.TextMarshaler. It fails with ErrInvalid for the zero
// MediaType.
func (mt MediaType) MarshalText() ([]byte, error) {
	if mt.IsZero() {
		return nil, &Error{Op: "marshal media type", Err: fmt.Errorf("%w: the zero MediaType", ErrInvalid)}
	}
	return []byte(mt.text), nil
}

// UnmarshalText implements encoding.TextUnmarshaler with the rules of ParseMediaType. It does
// not change mt if it fails.
func (mt *MediaType) UnmarshalText(text []byte) error {
	parsed, err := ParseMediaType(string(text))
	if err != nil {
		return err
	}
	*mt = parsed
	return nil
}
