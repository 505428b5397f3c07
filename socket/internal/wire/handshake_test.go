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
			t.Fatalf("%+v is read as %v, %v, want one connection.close", want, frames, err)
		}
		if got := ParseCloseReason(frames[0].Message.MediaType); got != want {
			t.Errorf("%+v is read as %+v", want, got)
		}
	}
	for _, spelled := range []string{"limit=0", "limit=-1", "limit=x", "limit=99999999999999999999"} {
		if got := ParseCloseReason(canonical("text/plain; reason=too-large, " + spelled)); got != (CloseReason{Code: ReasonTooLarge}) {
			t.Errorf("%s is read as %+v, want no limit", spelled, got)
		}
	}
}

// TestReaderTakesControlMessagesOfTheirMediaTypesOnly reads contents of control messages with
// media types that no control message has.
func TestReaderTakesControlMessagesOfTheirMediaTypesOnly(t *testing.T) {
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
			t.Errorf("%s %q twice is read as %v, %v", m.MediaType, m.Content, frames, err)
		}
	}
}
