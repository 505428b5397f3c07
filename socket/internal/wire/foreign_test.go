package wire

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

// TestReaderForeignProtocolsAreNamedAtOnce reads the first bytes of other protocols: Next fails
// at once, and its error names the protocol.
func TestReaderForeignProtocolsAreNamedAtOnce(t *testing.T) {
	for _, test := range []struct{ name, bytes, says string }{
		{"answer of HTTP", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "speaks HTTP, "},
		{"request of HTTP", "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "speaks HTTP, "},
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
				t.Fatalf("reading %q failed with %v", test.bytes, err)
			}
			_, _, err := r.Next()
			if !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%q was answered with %v, want ErrProtocol saying %q", test.bytes, err, test.says)
			}
		})
	}
}

// TestReaderForeignProtocolsAreNoFramesOfOurs reads frames byte by byte: no part of a frame is
// taken for another protocol.
func TestReaderForeignProtocolsAreNoFramesOfOurs(t *testing.T) {
	var encoded []byte
	for top := range strings.FieldsSeq("application audio font example image message model multipart text video") {
		encoded = AppendFrame(encoded, newMessage(canonical(top+"/x"), "{GET / HTTP/1.1"))
	}
	got, err := readAll(iotest.OneByteReader(strings.NewReader(string(encoded))), 100)
	if err != nil || len(got) != len(topLevels) {
		t.Errorf("read %d frames byte by byte and failed with %v, want %d and no failure", len(got), err, len(topLevels))
	}
	mail := iotest.OneByteReader(strings.NewReader("220 mail"))
	if _, err := readAll(mail, 100); !errors.Is(err, ErrProtocol) {
		t.Errorf("the greeting of another protocol, byte by byte, was answered with %v, want ErrProtocol", err)
	}
	good := string(AppendFrame(nil, text("good")))
	if _, err := readAll(strings.NewReader(good+"SSH-2.0"), 100); !errors.Is(err, ErrProtocol) || strings.Contains(err.Error(), "SSH, ") {
		t.Errorf("garbage behind a frame was answered with %v, want ErrProtocol that names no protocol", err)
	}
}
