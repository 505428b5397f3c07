package wire

import (
	"encoding/hex"
	"testing"
)

func TestAppendFrame(t *testing.T) {
	for _, test := range []struct {
		message Message
		want    string
	}{
		{text("hello world"), "000a746578742f706c61696e0000000b68656c6c6f20776f726c64ce"},
		{text(""), "000a746578742f706c61696e00000000ce"},
		{text("é\x00"), "000a746578742f706c61696e00000003c3a900ce"},
		{
			newMessage(canonical("text/x; a=b"), "\xce"),
			"000b746578742f783b20613d6200000001cece",
		},
	} {
		got := AppendFrame([]byte("ab"), test.message)
		if want := "6162" + test.want; hex.EncodeToString(got) != want {
			t.Errorf("AppendFrame of %v:\n got %x\nwant %s", test.message, got, want)
		}
		if len(got) != 2+FrameSize(test.message) {
			t.Errorf("FrameSize of %v: got %d, want %d", test.message, FrameSize(test.message), len(got)-2)
		}
	}
}

func TestKindFrameIsTheFrameOfItsContent(t *testing.T) {
	for k := KindStart; k < kindCount; k++ {
		if got, want := k.Frame(), string(AppendFrame(nil, text(k.String()))); got != want {
			t.Errorf("the frame of %v: got %q, want %q", k, got, want)
		}
		if size := len(k.String()); size < minControl || size > maxControl {
			t.Errorf("the content of %v has %d bytes, want %d to %d", k, size, minControl, maxControl)
		}
	}
}
