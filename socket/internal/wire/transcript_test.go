package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/rxipc/rxipc/socket/internal/transcripts"
)

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
	for _, recorded := range transcripts.All(t, "../../testdata") {
		t.Run(recorded.Name, func(t *testing.T) {
			checkRecording(t, recorded.Sent("server"), "")
			checkRecording(t, recorded.Sent("client"), brokenOnPurpose[recorded.Name])
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
	recorded := transcripts.Load(t, "../../testdata/transcripts/h_params.jsonl")
	frames, err := readAll(bytes.NewReader(recorded.Sent("client")), 1<<20)
	json := canonical("application/json; charset=utf-8")
	want := []Frame{{Kind: KindStartOK}, {Message: newMessage(json, `{"a":"é"}`)}, {Kind: KindClose}}
	if err != nil || !slices.Equal(frames, want) {
		t.Errorf("read the frames of the client: got %v, %v, want %v", frames, err, want)
	}
	frames, err = readAll(bytes.NewReader(recorded.Sent("server")), 1<<20)
	want = []Frame{{Kind: KindStart}, {Kind: KindReceived}, {Message: newMessage(json, `echo: {"a":"é"}`)}, {Kind: KindCloseOK}}
	if err != nil || !slices.Equal(frames, want) {
		t.Errorf("read the frames of the server: got %v, %v, want %v", frames, err, want)
	}
}

func TestTranscriptsIncludeTheBrokenSessions(t *testing.T) {
	var names []string
	for _, recorded := range transcripts.All(t, "../../testdata") {
		names = append(names, recorded.Name)
	}
	for name := range brokenOnPurpose {
		if !slices.Contains(names, name) {
			t.Errorf("list the transcripts: got %s, want %s among them", strings.Join(names, ", "), name)
		}
	}
}
