package socket

import (
	"fmt"
	"iter"
	"strings"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// MediaType tells what the content of a message is, as in RFC 6838: a top level
// type, a subtype with an optional suffix, and parameters. It is immutable and
// compared with ==: it holds its canonical spelling,
//
//	type/subtype+suffix; name=value, name=value
//
// The zero MediaType is no media type and cannot be sent.
//
// The grammar is the one innmind/ipc accepts, narrower than the RFC. The top level
// is one of application, audio, font, example, image, message, model, multipart,
// text and video, in lower case. Subtype, suffix and parameter names begin with a
// letter or a digit, followed by at most 126 of letters, digits and !#$&^_.-
// A parameter value is one or more of letters, digits and !#$%&'*+^_.-`|~ and may
// stand in double quotes, which are dropped; in quotes it may be empty, and then the
// quotes stay. Quotes make room for nothing else: no space, separator or backslash.
// Parameters follow a ';' or a ',' and at most one space. The canonical spelling
// is at most 65,535 bytes long, what a frame can carry.
type MediaType struct{ text string }

// TextPlain returns text/plain, also the media type of the control messages of
// the protocol. It is a function, as are its siblings, so that no importer can
// assign to it.
func TextPlain() MediaType { return MediaType{wire.TextPlain} }

// OctetStream returns application/octet-stream: bytes of no stated kind.
func OctetStream() MediaType { return MediaType{wire.OctetStream} }

// JSON returns application/json.
func JSON() MediaType { return MediaType{wire.JSON} }

// ParseMediaType checks text and brings it to its canonical spelling. It fails
// with ErrInvalid, telling what is wrong and at which byte.
func ParseMediaType(text string) (MediaType, error) {
	canonical, err := wire.ParseMediaType(text)
	if err != nil {
		return MediaType{}, &Error{Op: "parse media type", Err: fmt.Errorf("%w: %w", ErrInvalid, err)}
	}
	return MediaType{canonical}, nil
}

// MustParseMediaType is ParseMediaType for media types known when the program is
// written; it panics when the media type is not good.
func MustParseMediaType(text string) MediaType {
	mt, err := ParseMediaType(text)
	if err != nil {
		panic(err)
	}
	return mt
}

// String returns the canonical spelling, empty for the zero MediaType.
func (mt MediaType) String() string { return mt.text }

// IsZero tells whether mt is the zero MediaType.
func (mt MediaType) IsZero() bool { return mt.text == "" }

// TopLevel returns what stands before the slash: text for text/plain.
func (mt MediaType) TopLevel() string {
	top, _, _ := strings.Cut(mt.text, "/")
	return top
}

// Sub returns the subtype without its suffix: svg for image/svg+xml.
func (mt MediaType) Sub() string {
	sub, _, _ := strings.Cut(mt.essence(), "+")
	return sub
}

// Suffix returns the suffix without its plus sign, xml for image/svg+xml, empty
// when there is none.
func (mt MediaType) Suffix() string {
	_, suffix, _ := strings.Cut(mt.essence(), "+")
	return suffix
}

// essence returns what stands between the slash and the parameters.
func (mt MediaType) essence() string {
	_, rest, _ := strings.Cut(mt.text, "/")
	essence, _, _ := strings.Cut(rest, ";")
	return essence
}

// Parameter returns the value of the first parameter called name, in any case
// (RFC 6838, 4.3), and whether there is one.
func (mt MediaType) Parameter(name string) (value string, ok bool) {
	return wire.Parameter(mt.text, name)
}

// Parameters returns the names and values of the parameters, in their order. A
// name given twice comes twice.
func (mt MediaType) Parameters() iter.Seq2[string, string] {
	return wire.Parameters(mt.text)
}

// MarshalText implements encoding.TextMarshaler. The zero MediaType fails with
// ErrInvalid.
func (mt MediaType) MarshalText() ([]byte, error) {
	if mt.IsZero() {
		return nil, &Error{Op: "marshal media type", Err: fmt.Errorf("%w: the zero MediaType", ErrInvalid)}
	}
	return []byte(mt.text), nil
}

// UnmarshalText implements encoding.TextUnmarshaler with the rules of
// ParseMediaType. After an error mt is as it was.
func (mt *MediaType) UnmarshalText(text []byte) error {
	parsed, err := ParseMediaType(string(text))
	if err != nil {
		return err
	}
	*mt = parsed
	return nil
}
