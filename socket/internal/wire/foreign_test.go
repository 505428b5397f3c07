package wire

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

// TestReaderNamesForeignProtocolsAtOnce reads the first bytes of other protocols: Next fails
// at once, and its error names the protocol.
func TestReaderNamesForeignProtocolsAtOnce(t *testing.T) {
	for _, test := range []struct{ name, bytes, says string }{
		{"answer of HTTP", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "speaks HTTP: "},
		{"request of HTTP", "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "speaks HTTP: "},
		{"preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "speaks HTTP/2, as gRPC does"},
		{"settings of HTTP/2", "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x40\x00", "speaks HTTP/2, as gRPC does"},
		{"settings of HTTP/2, none", "\x00\x00\x00\x04\x00\x00\x00\x00\x00", "speaks HTTP/2, as gRPC does"},
		{"SSH", "SSH-2.0-OpenSSH_9.6\r\n", "speaks SSH"},
		{"hello of TLS", "\x16\x03\x01\x02\x00\x01\x00", "speaks TLS"},
		{"alert of TLS", "\x15\x03\x03\x00\x02\x02\x46", "speaks TLS"},
		{"mail", "220 mail.example ESMTP\r\n", "speaks SMTP or FTP"},
		{"NATS", `INFO {"server_id":"x"}` + "\r\n", "speaks NATS"},
		{"JSON", `{"jsonrpc":"2.0"}`, "speaks JSON"},
		{"nothing that is known", "hello?\n", `media type "llo?\n": expected`},
		{"three bytes", "hel", `media type "l": expected`},
		{"two zeros, a media type of no bytes", "\x00\x00", `media type "": expected`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &Reader{Limit: 100}
			if err := r.Fill(strings.NewReader(test.bytes)); err != nil {
				t.Fatalf("Fill with %q: got %v, want nil", test.bytes, err)
			}
			_, _, err := r.Next()
			if !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("read %q: got %v, want ErrProtocol with the text %q", test.bytes, err, test.says)
			}
		})
	}
}

// TestReaderDoesNotMistakeFramesForForeignProtocols reads frames byte by byte. The Reader takes
// no part of them for another protocol.
func TestReaderDoesNotMistakeFramesForForeignProtocols(t *testing.T) {
	var encoded []byte
	for top := range strings.FieldsSeq("application audio font example image message model multipart text video") {
		encoded = AppendFrame(encoded, newMessage(canonical(top+"/x"), "{GET / HTTP/1.1"))
	}
	got, err := readAll(iotest.OneByteReader(strings.NewReader(string(encoded))), 100)
	if err != nil || len(got) != len(topLevels) {
		t.Errorf("read frames byte by byte: got %d, %v, want %d, no error", len(got), err, len(topLevels))
	}
	mail := iotest.OneByteReader(strings.NewReader("220 mail"))
	if _, err := readAll(mail, 100); !errors.Is(err, ErrProtocol) {
		t.Errorf("read the greeting of another protocol byte by byte: got %v, want ErrProtocol", err)
	}
	good := string(AppendFrame(nil, text("good")))
	if _, err := readAll(strings.NewReader(good+"SSH-2.0"), 100); !errors.Is(err, ErrProtocol) || strings.Contains(err.Error(), "speaks") {
		t.Errorf("read garbage after a frame: got %v, want ErrProtocol without the name of a protocol", err)
	}
}
