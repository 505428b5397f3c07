package socket

import (
	"encoding/binary"
	"io"
	"path/filepath"
	"testing"

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

// recordedBytes is what both sides of a recorded session sent, each as one stream.
type recordedBytes struct{ server, client []byte }

// loadRecordedBytes reads the sessions recorded from innmind/ipc 4.4.
func loadRecordedBytes(tb testing.TB) (all []recordedBytes) {
	tb.Helper()
	paths, err := filepath.Glob("testdata/transcripts/*.json")
	if err != nil || len(paths) == 0 {
		tb.Fatal("no transcripts: ", err)
	}
	for _, path := range paths {
		var recorded recordedBytes
		for _, chunk := range loadChunks(tb, path).Chunks {
			if chunk.From == "server" {
				recorded.server = append(recorded.server, chunk.bytes()...)
			} else {
				recorded.client = append(recorded.client, chunk.bytes()...)
			}
		}
		all = append(all, recorded)
	}
	return all
}
