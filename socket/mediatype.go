package socket

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
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

const (
	textPlain   = "text/plain"
	octetStream = "application/octet-stream"
	jsonText    = "application/json"

	// emptyValue is how the empty value of a parameter is spelled. All others are
	// spelled without quotes.
	emptyValue = `""`

	// maxMediaType is what the length field of a frame can express.
	maxMediaType = math.MaxUint16

	// maxToken is the longest subtype, suffix and parameter name (RFC 6838, 4.2).
	maxToken = 127
)

// TextPlain returns text/plain, also the media type of the control messages of
// the protocol. It is a function, as are its siblings, so that no importer can
// assign to it.
func TextPlain() MediaType { return MediaType{textPlain} }

// OctetStream returns application/octet-stream: bytes of no stated kind.
func OctetStream() MediaType { return MediaType{octetStream} }

// JSON returns application/json.
func JSON() MediaType { return MediaType{jsonText} }

// ParseMediaType checks text and brings it to its canonical spelling. It fails
// with ErrInvalid, telling what is wrong and at which byte.
func ParseMediaType(text string) (MediaType, error) {
	mt, err := parseMediaType(text)
	if err != nil {
		return MediaType{}, &Error{Op: "parse media type", Err: fmt.Errorf("%w: %w", ErrInvalid, err)}
	}
	return mt, nil
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
	for key, value := range mt.Parameters() {
		if strings.EqualFold(key, name) {
			return value, true
		}
	}
	return "", false
}

// Parameters returns the names and values of the parameters, in their order. A
// name given twice comes twice.
func (mt MediaType) Parameters() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		_, rest, more := strings.Cut(mt.text, "; ")
		for more {
			var parameter string
			parameter, rest, more = strings.Cut(rest, ", ")
			name, value, _ := strings.Cut(parameter, "=")
			if value == emptyValue {
				value = ""
			}
			if !yield(name, value) {
				return
			}
		}
	}
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

// parseMediaType is ParseMediaType with a bare error: what is wrong with text,
// without a sentinel. The decoder blames the peer for it, ParseMediaType its caller.
func parseMediaType(text string) (MediaType, error) {
	s := mediaTypeScanner{text: text}
	size, err := s.scan()
	if err != nil {
		return MediaType{}, fmt.Errorf("media type %s: %w at byte %d", quoted(text), err, s.at)
	}
	if size > maxMediaType {
		return MediaType{}, fmt.Errorf("media type %s: its canonical spelling of %d bytes passes the limit of %d",
			quoted(text), size, maxMediaType)
	}
	if s.canonical {
		return MediaType{text}, nil
	}
	return MediaType{canonicalMediaType(text, size)}, nil
}

var (
	errNoTopLevel = errors.New("expected a known top level type and '/'")
	errToken      = errors.New("expected a letter or a digit")
	errLongToken  = errors.New("more than 127 bytes in a subtype, suffix or parameter name")
	errSeparator  = errors.New("expected ';', ',' or the end")
	errNoEquals   = errors.New("expected '=' after the name of a parameter")
	errNoValue    = errors.New("expected the value of a parameter")
	errQuote      = errors.New("expected a '\"' at the end of the quoted value, which can hold no space, separator or backslash")
)

// mediaTypeScanner walks over a media type once, left to right.
type mediaTypeScanner struct {
	text      string
	at        int  // the byte looked at
	canonical bool // whether text is spelled as String would
}

// scan checks the whole text and returns the length of its canonical spelling.
func (s *mediaTypeScanner) scan() (size int, err error) {
	if err := s.essence(); err != nil {
		return 0, err
	}
	size = s.at
	s.canonical = true
	for separator := byte(';'); s.at < len(s.text); separator = ',' {
		given := s.text[s.at]
		if given != ';' && given != ',' {
			return 0, errSeparator
		}
		s.at++
		spaced := s.skip(' ')
		s.canonical = s.canonical && spaced && given == separator
		length, err := s.parameter()
		if err != nil {
			return 0, err
		}
		size += len("; ") + length
	}
	return size, nil
}

// essence walks over type/subtype+suffix.
func (s *mediaTypeScanner) essence() error {
	top, _, found := strings.Cut(s.text, "/")
	if !found || !isTopLevel(top) {
		return errNoTopLevel
	}
	s.at = len(top) + len("/")
	if err := s.token(); err != nil {
		return err
	}
	if s.skip('+') {
		return s.token()
	}
	return nil
}

// parameter walks over name=value and returns the length of its canonical spelling.
func (s *mediaTypeScanner) parameter() (length int, err error) {
	start := s.at
	if err := s.token(); err != nil {
		return 0, err
	}
	if !s.skip('=') {
		return 0, errNoEquals
	}
	inQuotes := s.skip('"')
	value := s.at
	for s.at < len(s.text) && isValueByte(s.text[s.at]) {
		s.at++
	}
	empty := s.at == value
	switch {
	case !inQuotes && empty:
		return 0, errNoValue
	case !inQuotes:
		return s.at - start, nil
	case !s.skip('"'):
		return 0, errQuote
	case empty:
		return s.at - start, nil // its quotes stay
	}
	s.canonical = false
	return s.at - start - len(emptyValue), nil
}

// token walks over a subtype, a suffix or the name of a parameter.
func (s *mediaTypeScanner) token() error {
	start := s.at
	if s.at == len(s.text) || !isAlphanumeric(s.text[s.at]) {
		return errToken
	}
	for s.at < len(s.text) && isTokenByte(s.text[s.at]) {
		if s.at-start == maxToken {
			return errLongToken
		}
		s.at++
	}
	return nil
}

// skip walks over b if it comes next, and tells whether it did.
func (s *mediaTypeScanner) skip(b byte) bool {
	if s.at == len(s.text) || s.text[s.at] != b {
		return false
	}
	s.at++
	return true
}

// canonicalMediaType respells text, which scan found good, in size bytes. No part
// of it, a quoted value included, may hold a separator, a space or a quote, so each
// that is found is one.
func canonicalMediaType(text string, size int) string {
	var b strings.Builder
	b.Grow(size)
	separator := "; "
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ';', ',':
			b.WriteString(separator)
			separator = ", "
		case ' ':
		case '"':
			if strings.HasPrefix(text[i:], emptyValue) {
				b.WriteString(emptyValue)
				i++
			}
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

func isTopLevel(text string) bool {
	switch text {
	case "application", "audio", "font", "example", "image",
		"message", "model", "multipart", "text", "video":
		return true
	}
	return false
}

func isTokenByte(b byte) bool {
	switch b {
	case '!', '#', '$', '&', '^', '_', '.', '-':
		return true
	}
	return isAlphanumeric(b)
}

// isValueByte reports whether b may stand in the value of a parameter (RFC 9110, 5.6.2).
func isValueByte(b byte) bool {
	switch b {
	case '%', '\'', '*', '+', '`', '|', '~':
		return true
	}
	return isTokenByte(b)
}
