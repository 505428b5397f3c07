// Package transcripts reads the sessions of innmind/ipc in socket/testdata, for the tests of
// packages that package socket/recording imports. It spells frames without package wire, so that
// an error there does not hide itself.
package transcripts

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Session is a recorded session of one connection.
type Session struct {
	Name   string  // of the file
	Chunks []Chunk // in their order, of both sides
}

// Chunk is what one side wrote at once.
type Chunk struct {
	From  string        // client or server
	At    time.Duration // since the session began
	Bytes []byte        // as they were written
}

// Sent returns all that one side sent.
func (s Session) Sent(from string) (all []byte) {
	for _, c := range s.Chunks {
		if c.From == from {
			all = append(all, c.Bytes...)
		}
	}
	return all
}

// All reads all sessions of the folder testdata of package socket.
func All(tb testing.TB, testdata string) (all []Session) {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join(testdata, "transcripts", "*.jsonl"))
	if err != nil || len(paths) == 0 {
		tb.Fatalf("list the transcripts: got %d, %v, want some", len(paths), err)
	}
	for _, path := range paths {
		all = append(all, Load(tb, path))
	}
	return all
}

// entry is a line of a recording.
type entry struct {
	Ms              float64
	From, Kind      string
	MediaType       string
	Content, Base64 string
	Joined          bool
}

// Load reads one session.
func Load(tb testing.TB, path string) Session {
	tb.Helper()
	file, err := os.Open(path)
	if err != nil {
		tb.Fatalf("open a transcript: %v", err)
	}
	defer file.Close()
	s := Session{Name: strings.TrimSuffix(filepath.Base(path), ".jsonl")}
	for lines := json.NewDecoder(file); ; {
		var e entry
		if err := lines.Decode(&e); errors.Is(err, io.EOF) {
			return s
		} else if err != nil {
			tb.Fatalf("decode the transcript %s: %v", path, err)
		}
		bytes := e.bytes(tb)
		switch last := len(s.Chunks) - 1; {
		case len(bytes) == 0:
		case e.Joined:
			s.Chunks[last].Bytes = append(s.Chunks[last].Bytes, bytes...)
		default:
			s.Chunks = append(s.Chunks, Chunk{e.From, time.Duration(e.Ms * float64(time.Millisecond)), bytes})
		}
	}
}

// controls are the contents of control messages.
var controls = map[string]string{
	"start": "connection.start", "start-ok": "connection.start-ok", "received": "message.received", "ack": "ack",
	"heartbeat": "heartbeat", "close": "connection.close", "close-ok": "connection.close-ok",
}

// bytes returns what the entry is on the wire, nothing if it is no frame.
func (e entry) bytes(tb testing.TB) []byte {
	tb.Helper()
	switch control := controls[e.Kind]; {
	case control != "":
		return frame("text/plain", "innmind/ipc:"+control)
	case e.Kind == "message":
		return frame(e.MediaType, e.Content)
	}
	bytes, err := base64.StdEncoding.DecodeString(e.Base64)
	if err != nil {
		tb.Fatalf("decode the bytes %q of a transcript: %v", e.Base64, err)
	}
	return bytes
}

func frame(mediaType, content string) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(mediaType)))
	b = binary.BigEndian.AppendUint32(append(b, mediaType...), uint32(len(content)))
	return append(append(b, content...), 0xCE)
}
