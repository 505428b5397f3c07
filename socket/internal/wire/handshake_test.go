package wire

import (
	"strings"
	"testing"
)

func TestCloseReasonSurvivesTheWire(t *testing.T) {
	for _, want := range []CloseReason{
		{}, {Code: "later-version"}, {Code: ReasonTooLarge, Limit: 1},
		{Code: ReasonTooLarge, Limit: 1 << 30, Unsettled: true}, {Code: ReasonRejected, Unsettled: true},
	} {
		frames, err := readAll(strings.NewReader(want.Frame()), 0)
		if err != nil || len(frames) != 1 || frames[0].Kind != KindClose {
			t.Fatalf("write and read %+v: got %v, %v, want one connection.close", want, frames, err)
		}
		if got := ParseCloseReason(frames[0].Message.MediaType); got != want {
			t.Errorf("write and read a CloseReason: got %+[2]v, want %+[1]v", want, got)
		}
	}
	for _, spelled := range []string{"limit=0", "limit=-1", "limit=x", "limit=99999999999999999999"} {
		if got := ParseCloseReason(canonical("text/plain; reason=too-large, " + spelled)); got != (CloseReason{Code: ReasonTooLarge}) {
			t.Errorf("ParseCloseReason with %s: got %+v, want no limit", spelled, got)
		}
	}
}

// TestReaderRequiresTheMediaTypeOfControlMessages reads contents of control messages with media
// types that no control message has.
func TestReaderRequiresTheMediaTypeOfControlMessages(t *testing.T) {
	for _, m := range []Message{
		newMessage(canonical("text/plain; peer=rxipc"), contentClose),
		newMessage(canonical("text/plain; peer=rxipc, a=b"), contentStartOK),
		newMessage(canonical("text/plain; reason=shutdown"), contentStartOK),
		newMessage(canonical("text/plain; reason=shutdown"), contentHeartbeat),
		newMessage(canonical("text/plain; a=b"), contentClose),
		newMessage(JSON, contentClose),
	} {
		frames, err := readAll(strings.NewReader(string(encode(m, m))), 100)
		if err != nil || len(frames) != 2 || frames[0].Message != m || frames[1].Message != m {
			t.Errorf("read %s %q twice: got %v, %v, want two messages", m.MediaType, m.Content, frames, err)
		}
	}
}
