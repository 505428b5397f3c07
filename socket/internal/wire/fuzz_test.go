package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/socket/internal/transcripts"
)

const fuzzLimit = 1 << 16

// model decodes frames in a simple way, with all bytes in memory. It returns the frames, their
// canonical encoding, and whether all bytes were valid. Reader must return the same.
func model(data []byte) (frames []Frame, canonical []byte, good bool) {
	for len(data) > 0 {
		header := headerSize(data)
		if len(data) < header {
			return frames, canonical, false
		}
		mediaType, err := ParseMediaType(string(data[2 : header-4]))
		size := uint64(binary.BigEndian.Uint32(data[header-4:]))
		body := data[header:]
		if err != nil || size > fuzzLimit || uint64(len(body)) <= size || body[size] != 0xCE {
			return frames, canonical, false
		}
		message := Message{mediaType, string(body[:size])}
		canonical = AppendFrame(canonical, message)
		f := Frame{Message: message}
		switch k := ControlKind(message.Content); {
		case mediaType == TextPlain && slices.Contains(controlContents[1:], message.Content):
			f = Frame{Kind: k}
		case k == KindStartOK && mediaType == "text/plain; peer=rxipc",
			k == KindClose && strings.HasPrefix(mediaType, "text/plain; reason="):
			f = Frame{Kind: k, Message: Message{MediaType: mediaType}}
		}
		frames = append(frames, f)
		data = body[size+1:]
	}
	return frames, canonical, true
}

// pieces is a reader that returns its bytes in pieces of random length.
type pieces struct {
	data   []byte
	random *rand.Rand
}

func (p *pieces) Read(into []byte) (int, error) {
	if len(p.data) == 0 {
		return 0, io.EOF
	}
	n := copy(into, p.data[:1+p.random.IntN(len(p.data))])
	p.data = p.data[n:]
	return n, nil
}

func FuzzReader(f *testing.F) {
	for _, recorded := range transcripts.All(f, "../../testdata") {
		f.Add(recorded.Sent("server"), uint64(1))
		f.Add(recorded.Sent("client"), uint64(2))
	}
	_, encoded := assorted()
	f.Add(encoded[:20_000], uint64(3))
	f.Add([]byte(raw("text/x,a=b;c=d", 1, "x", 0xCE)), uint64(4))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		want, canonical, good := model(data)
		whole, wholeErr := readAll(bytes.NewReader(data), fuzzLimit)
		if !slices.Equal(whole, want) || good != (wholeErr == nil) {
			t.Fatalf("read the bytes at once: got %v, %v\nwant %v, good: %v", whole, wholeErr, want, good)
		}
		if encoded := encodeFrames(whole); !bytes.Equal(encoded, canonical) {
			t.Fatalf("decode and encode:\n got %q\nwant %q", encoded, canonical)
		}
		if lent, lentErr := readLent(&pieces{data, newRandom(seed)}, fuzzLimit); !slices.Equal(lent, want) || good != (lentErr == nil) {
			t.Fatalf("read lent contents in pieces: got %v, %v\nwant %v, good: %v", lent, lentErr, want, good)
		}
		for _, lend := range []bool{false, true} {
			if alike, alikeErr := readAlike(&pieces{data, newRandom(seed)}, fuzzLimit, lend); !slices.Equal(alike, want) || good != (alikeErr == nil) {
				t.Fatalf("read messages that are alike together, lent %v: got %v, %v\nwant %v, good: %v", lend, alike, alikeErr, want, good)
			}
		}
		src := &pieces{data, newRandom(seed)}
		cut, cutErr := readAll(src, fuzzLimit)
		if !slices.Equal(cut, whole) || (cutErr == nil) != (wholeErr == nil) {
			t.Fatalf("read in pieces: got %v, %v\nwant %v, %v", cut, cutErr, whole, wholeErr)
		}
		for _, sentinel := range []error{ErrProtocol, ErrTooLarge, io.ErrUnexpectedEOF} { // their texts may quote fewer bytes
			if errors.Is(cutErr, sentinel) != errors.Is(wholeErr, sentinel) {
				t.Fatalf("read in pieces: got %v, at once: %v", cutErr, wholeErr)
			}
		}
	})
}

// mediaTypeGrammar is the grammar of PROTOCOL.md as a regular expression.
var mediaTypeGrammar = func() *regexp.Regexp {
	const (
		token     = `[A-Za-z0-9][A-Za-z0-9!#$&^_.-]{0,126}`
		value     = "[A-Za-z0-9!#$%&'*+^_.`|~-]"
		parameter = token + `=(?:` + value + `+|"` + value + `*")`
	)
	return regexp.MustCompile(`\A(?:application|audio|font|example|image|message|model|multipart|text|video)/` +
		token + `(?:\+` + token + `)?(?:[;,] ?` + parameter + `)*\z`)
}()

func FuzzParseMediaType(f *testing.F) {
	for _, recorded := range transcripts.All(f, "../../testdata") {
		frames, _ := readAll(bytes.NewReader(recorded.Sent("client")), fuzzLimit)
		for _, frame := range frames {
			f.Add(frame.Message.MediaType)
		}
	}
	for _, text := range []string{
		"nonsense", "text/*", "text/plain;", "text/x,a=b;c=d", "image/svg+xml; a=b, c=d",
		"text/x; a=%~*+`|'", `text/x;a="b+c",d=""`, `text/x; a="b c"`, `text/x; a="b`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		mediaType, err := ParseMediaType(text)
		if inGrammar := mediaTypeGrammar.MatchString(text); inGrammar != (err == nil) && len(text) <= maxMediaType/2 {
			t.Fatalf("ParseMediaType(%q) = %v, %v; in the grammar: %v", text, mediaType, err, inGrammar)
		}
		if err != nil {
			if mediaType != "" {
				t.Fatalf("ParseMediaType(%q): got %q with the error %v, want an empty one", text, mediaType, err)
			}
			return
		}
		checkParameters(t, mediaType)
	})
}

// checkParameters rebuilds a media type from its essence and its parameters, with all values
// in quotes, and parses the result.
func checkParameters(t *testing.T, mediaType string) {
	spelled, _, _ := strings.Cut(mediaType, ";")
	inQuotes := spelled
	separator := "; "
	for name, value := range Parameters(mediaType) {
		inQuotes += separator + name + `="` + value + `"`
		if value == "" {
			value = `""`
		}
		spelled += separator + name + "=" + value
		separator = ", "
	}
	if spelled != mediaType {
		t.Fatalf("rebuild %q from its parameters: got %q", mediaType, spelled)
	}
	for _, text := range []string{spelled, inQuotes} {
		if again, err := ParseMediaType(text); err != nil || again != mediaType {
			t.Fatalf("ParseMediaType(%q) = %q, %v; want %q", text, again, err, mediaType)
		}
	}
}
