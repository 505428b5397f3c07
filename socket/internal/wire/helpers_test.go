package wire

import (
	"math/rand/v2"
)

// newMessage makes a message.
func newMessage(mediaType, content string) Message { return Message{mediaType, content} }

// text makes a message of media type text/plain.
func text(content string) Message { return Message{TextPlain, content} }

// canonical returns the canonical spelling of a valid media type.
func canonical(mediaType string) string {
	spelled, err := ParseMediaType(mediaType)
	if err != nil {
		panic(err)
	}
	return spelled
}

// encode encodes control messages, messages, texts and raw bytes.
func encode(parts ...any) (out []byte) {
	for _, part := range parts {
		switch part := part.(type) {
		case Kind:
			out = append(out, part.Frame()...)
		case Message:
			out = AppendFrame(out, part)
		case string:
			out = AppendFrame(out, text(part))
		case []byte:
			out = append(out, part...)
		default:
			panic(part)
		}
	}
	return out
}

// newRandom returns a source of random numbers that is determined by a seed.
func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
