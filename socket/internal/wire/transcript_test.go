package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// recordedBytes holds the bytes that each side of a recorded session sent.
type recordedBytes struct {
	name           string
	Server, Client []byte
}

// loadRecordedBytes reads the sessions recorded from innmind/ipc 4.4.
func loadRecordedBytes(tb testing.TB) (all []recordedBytes) {
	tb.Helper()
	paths, err := filepath.Glob("../../testdata/transcripts/*.json")
	if err != nil || len(paths) == 0 {
		tb.Fatalf("list the transcripts: got %d, %v, want some", len(paths), err)
	}
	for _, path := range paths {
		all = append(all, loadRecording(tb, path))
	}
	return all
}

func loadRecording(tb testing.TB, path string) recordedBytes {
	tb.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatalf("read a transcript: got %v, want nil", err)
	}
	var file struct {
		Name   string
		Chunks []struct{ From, Hex string }
	}
	if err := json.Unmarshal(text, &file); err != nil {
		tb.Fatalf("decode the transcript %s: %v", path, err)
	}
	recorded := recordedBytes{name: file.Name}
	for _, chunk := range file.Chunks {
		sent, err := hex.DecodeString(chunk.Hex)
		if err != nil {
			tb.Fatalf("decode a chunk of the transcript %s: %v", path, err)
		}
		if chunk.From == "server" {
			recorded.Server = append(recorded.Server, sent...)
		} else {
			recorded.Client = append(recorded.Client, sent...)
		}
	}
	return recorded
}

// encodeFrames encodes decoded frames.
func encodeFrames(frames []Frame) (encoded []byte) {
	for _, f := range frames {
		if f.Kind == KindMessage {
			encoded = AppendFrame(encoded, f.Message)
		} else {
			encoded = append(encoded, f.Kind.Frame()...)
		}
	}
	return encoded
}

// brokenOnPurpose maps the sessions in which the client breaks the protocol to the bytes
// after the client's last good frame.
var brokenOnPurpose = map[string]string{
	"j2_garbage_after_start": "000a68656c6c6f206761726261676520ffff",
	"j6_bad_media_type":      "00086e6f6e73656e7365000000026869ce",
}

func TestTranscriptsDecodeAndEncodeToTheSameBytes(t *testing.T) {
	for _, recorded := range loadRecordedBytes(t) {
		t.Run(recorded.name, func(t *testing.T) {
			checkRecording(t, recorded.Server, "")
			checkRecording(t, recorded.Client, brokenOnPurpose[recorded.name])
		})
	}
}

func checkRecording(t *testing.T, sent []byte, broken string) {
	t.Helper()
	frames, err := readAll(bytes.NewReader(sent), 1<<20)
	if broken == "" && err != nil || broken != "" && !errors.Is(err, ErrProtocol) {
		t.Errorf("read a recorded stream: got the error %v, want ErrProtocol: %v", err, broken != "")
	}
	tail, _ := hex.DecodeString(broken)
	if got := append(encodeFrames(frames), tail...); !bytes.Equal(got, sent) {
		t.Errorf("decode and encode a recorded stream:\n got %q\nwant %q", got, sent)
	}
	pieces, _ := readAll(iotest.OneByteReader(bytes.NewReader(sent)), 1<<20)
	if !slices.Equal(pieces, frames) {
		t.Errorf("read a recorded stream byte by byte:\n got %v\nwant %v", pieces, frames)
	}
}

func TestTranscriptHoldsTheFramesOfItsSession(t *testing.T) {
	recorded := loadRecording(t, "../../testdata/transcripts/h_params.json")
	frames, err := readAll(bytes.NewReader(recorded.Client), 1<<20)
	json := canonical("application/json; charset=utf-8")
	want := []Frame{{Kind: KindStartOK}, {Message: newMessage(json, `{"a":"é"}`)}, {Kind: KindClose}}
	if err != nil || !slices.Equal(frames, want) {
		t.Errorf("read the frames of the client: got %v, %v, want %v", frames, err, want)
	}
	frames, err = readAll(bytes.NewReader(recorded.Server), 1<<20)
	want = []Frame{{Kind: KindStart}, {Kind: KindReceived}, {Message: newMessage(json, `echo: {"a":"é"}`)}, {Kind: KindCloseOK}}
	if err != nil || !slices.Equal(frames, want) {
		t.Errorf("read the frames of the server: got %v, %v, want %v", frames, err, want)
	}
}

func TestTranscriptsIncludeTheBrokenSessions(t *testing.T) {
	var names []string
	for _, recorded := range loadRecordedBytes(t) {
		names = append(names, recorded.name)
	}
	for name := range brokenOnPurpose {
		if !slices.Contains(names, name) {
			t.Errorf("list the transcripts: got %s, want %s among them", strings.Join(names, ", "), name)
		}
	}
}
