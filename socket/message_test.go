package socket

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

func TestMessageKeepsWhatItWasMadeOf(t *testing.T) {
	content := []byte("hello")
	message := NewMessageBytes(JSON(), content)
	content[0] = 'j'
	message.Bytes()[1] = '!'
	if message != NewMessage(JSON(), "hello") {
		t.Errorf("change the bytes of a message: its content is now %q, want hello", message.Content())
	}
	if message.MediaType() != JSON() || message.Len() != 5 || string(message.Bytes()) != "hello" {
		t.Errorf("message of JSON hello: got %v with the content %q, want them back", message, message.Bytes())
	}
	if Text("hello") == message || Text("hello") != NewMessage(TextPlain(), "hello") {
		t.Error("== does not compare media type and content")
	}
	if all, err := io.ReadAll(message.Reader()); err != nil || string(all) != "hello" {
		t.Errorf("read all of Reader: got %q, %v, want hello", all, err)
	}
}

func TestMessageDoesNotLogItsContent(t *testing.T) {
	var text strings.Builder
	slog.New(slog.NewJSONHandler(&text, nil)).Info("got", "message", Text("secret"))
	if !strings.Contains(text.String(), `"message":{"media_type":"text/plain","bytes":6}`) {
		t.Errorf("log a message: got %s, want the media type and the number of bytes alone", &text)
	}
	if got := Text("secret").String(); got != "text/plain (6 bytes)" {
		t.Errorf("String of a message: got %q, want text/plain (6 bytes)", got)
	}
}

func TestMessageCheck(t *testing.T) {
	for _, test := range []struct {
		message Message
		limit   int
		want    error
		says    string
	}{
		{Text(""), 0, nil, ""},
		{Text("12345"), 5, nil, ""},
		{Text("123456"), 5, ErrTooLarge, "content of 6 bytes, the limit is 5"},
		{Text("1"), -1, ErrTooLarge, "content of 1 bytes, the limit is 0"},
		{Text("1"), int(^uint(0) >> 1), nil, ""},
		{Message{}, 5, ErrInvalid, "no media type"},
		{Text(wire.KindHeartbeat.String()), 100, ErrReserved, "innmind/ipc:heartbeat"},
		{Text(wire.KindHeartbeat.String() + " "), 100, nil, ""},
		{NewMessage(JSON(), wire.KindHeartbeat.String()), 100, ErrReserved, "application/json \"innmind/ipc:heartbeat\""},
		{NewMessage(MustParseMediaType("text/plain; a=b"), wire.KindClose.String()), 100, ErrReserved, "a=b"},
		{NewMessage(OctetStream(), wire.KindAck.String()+"\n"), 100, nil, ""},
	} {
		err := test.message.check(test.limit)
		if !errors.Is(err, test.want) || (test.want == nil) != (err == nil) {
			t.Errorf("%v, limit %d: %v, want %v", test.message, test.limit, err, test.want)
			continue
		}
		if err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%v: %v\nwant it to say %s", test.message, err, test.says)
		}
	}
}

func TestMessageWithControlContentIsReserved(t *testing.T) {
	for k := wire.KindStart; k < wire.KindCloseOK+1; k++ {
		if err := Text(k.String()).check(1 << 10); !errors.Is(err, ErrReserved) {
			t.Errorf("check a message with the content of %v: got %v, want ErrReserved", k, err)
		}
	}
}
