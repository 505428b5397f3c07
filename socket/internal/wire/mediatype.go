package wire

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
)

// The media types that most messages have.
const (
	TextPlain   = "text/plain" // also that of control messages
	OctetStream = "application/octet-stream"
	JSON        = "application/json"
)

const (
	// emptyValue is the spelling of the empty value of a parameter. All other values are
	// spelled without quotes.
	emptyValue = `""`

	// maxMediaType is the greatest length that the header of a frame can express.
	maxMediaType = math.MaxUint16

	// maxToken is the longest subtype, suffix and parameter name (RFC 6838, 4.2).
	maxToken = 127
)

// ParseMediaType checks text and returns its canonical spelling. The error says what is wrong
// with text and wraps no sentinel, because either the peer or the caller may be to blame.
func ParseMediaType(text string) (string, error) {
	s := mediaTypeScanner{text: text}
	size, err := s.scan()
	if err != nil {
		return "", fmt.Errorf("media type %s: %w at byte %d", Quote(text), err, s.at)
	}
	if size > maxMediaType {
		return "", fmt.Errorf("media type %s: its canonical spelling of %d bytes passes the limit of %d",
			Quote(text), size, maxMediaType)
	}
	if s.canonical {
		return text, nil
	}
	return canonicalSpelling(text, size), nil
}

// Parameters returns the names and values of the parameters of a media type, which
// is spelled in the canonical way, in their order.
func Parameters(mediaType string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		_, rest, more := strings.Cut(mediaType, "; ")
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

// Parameter returns the value of the first parameter that is called name, in any
// case (RFC 6838, 4.3), and whether there is one.
func Parameter(mediaType, name string) (value string, ok bool) {
	for key, value := range Parameters(mediaType) {
		if strings.EqualFold(key, name) {
			return value, true
		}
	}
	return "", false
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
	at        int  // the index of the current byte
	canonical bool // whether text is spelled in the canonical way
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
	top := strings.IndexByte(s.text, '/') + 1
	if !slices.Contains(topLevels, s.text[:top]) {
		return errNoTopLevel
	}
	s.at = top
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
		return s.at - start, nil // an empty value keeps its quotes
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

// skip walks over b if it comes next, and reports whether it did.
func (s *mediaTypeScanner) skip(b byte) bool {
	if s.at == len(s.text) || s.text[s.at] != b {
		return false
	}
	s.at++
	return true
}

// canonicalSpelling spells text, which scan has accepted, in size bytes. A part of it, such
// as a quoted value, cannot hold a separator, a space or a quote. So each of these bytes in
// text separates parts.
func canonicalSpelling(text string, size int) string {
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

func isAlphanumeric(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}

// quotedSize is the number of bytes of a received text that an error shows.
const quotedSize = 64

// Quote quotes the first 64 bytes of text for an error.
func Quote(text string) string {
	if len(text) <= quotedSize {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprintf("%q… (%d bytes)", text[:quotedSize], len(text))
}
