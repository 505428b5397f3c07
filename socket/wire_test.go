package socket

import (
	"encoding/binary"
	"io"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// fuzzLimit is the longest content in fuzz tests.
const fuzzLimit = 1 << 16

// readAll decodes all frames of src. It returns the error that ended it, nil for an end
// between two frames.
func readAll(src io.Reader, limit int) (frames []wire.Frame, err error) {
	reader := wire.Reader{Limit: limit, Extended: true}
	for {
		f, err := reader.ReadFrame(src)
		switch err {
		case nil:
			frames = append(frames, f)
		case io.EOF:
			return frames, nil
		default:
			return frames, err
		}
	}
}

// encodeFrames encodes frames again.
func encodeFrames(frames []wire.Frame) (encoded []byte) {
	for _, f := range frames {
		if f.Kind == wire.KindMessage {
			encoded = wire.AppendFrame(encoded, f.Message)
		} else {
			encoded = append(encoded, f.Kind.Frame()...)
		}
	}
	return encoded
}

// raw spells a frame of any kind, valid or not.
func raw(mediaType string, size uint32, content string, end byte) string {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(mediaType)))
	b = binary.BigEndian.AppendUint32(append(b, mediaType...), size)
	return string(append(append(b, content...), end))
}
