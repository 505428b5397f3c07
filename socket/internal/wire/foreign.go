package wire

import (
	"bytes"
	"fmt"
	"slices"
)

// topLevels are the beginnings that a media type may have.
var topLevels = []string{
	"application/", "audio/", "font/", "example/", "image/", "message/", "model/", "multipart/", "text/", "video/",
}

// maxQuoted is how many of the first bytes an error quotes.
const maxQuoted = 32

// foreign returns an error if the bytes held cannot be the beginning of a header. Without it,
// a Reader would wait for as many bytes as the first two bytes of another protocol announce.
func (r *Reader) foreign(held []byte) error {
	if len(held) < 2 {
		return nil
	}
	mediaType := held[2:min(len(held), headerSize(held)-4)]
	if headerSize(held) > fixedHeader && slices.ContainsFunc(topLevels, func(top string) bool {
		n := min(len(top), len(mediaType))
		return string(mediaType[:n]) == top[:n]
	}) {
		return nil
	}
	return r.notOurs(held, fmt.Errorf("media type %s: %w", Quote(string(mediaType)), errNoTopLevel))
}

// notOurs returns the error for bytes that are no header. At the beginning of a connection it
// names the protocol of the bytes, if that is known.
func (r *Reader) notOurs(held []byte, wrong error) error {
	if name := protocolOf(held); name != "" && r.decoded == 0 {
		return fmt.Errorf("%w: the other side speaks %s: its first bytes are %q", ErrProtocol, name, held[:min(len(held), maxQuoted)])
	}
	return fmt.Errorf("%w: %w", ErrProtocol, wrong)
}

// greetings are the first bytes of other protocols, of a client or a server.
var greetings = []struct{ bytes, protocol string }{
	{"PRI * HTTP/2", "HTTP/2, as gRPC does"},
	{"HTTP/", "HTTP"},
	{"GET ", "HTTP"},
	{"HEAD ", "HTTP"},
	{"POST ", "HTTP"},
	{"PUT ", "HTTP"},
	{"PATCH ", "HTTP"},
	{"DELETE ", "HTTP"},
	{"OPTIONS ", "HTTP"},
	{"CONNECT ", "HTTP"},
	{"SSH-", "SSH"},
	{"\x16\x03", "TLS"},
	{"\x15\x03", "TLS"},
	{"220 ", "SMTP or FTP"},
	{"220-", "SMTP or FTP"},
	{"EHLO ", "SMTP"},
	{"* OK", "IMAP"},
	{"+OK", "POP3"},
	{"-ERR", "Redis"},
	{"*1\r\n", "Redis"},
	{"AMQP", "AMQP"},
	{"INFO {", "NATS"},
	{"\x00AUTH ", "D-Bus"},
	{"AUTH ", "D-Bus"},
	{"<?xml", "XML"},
	{"{", "JSON"},
}

// protocolOf names the protocol whose first bytes these are, or is empty.
func protocolOf(first []byte) string {
	for _, g := range greetings {
		if bytes.HasPrefix(first, []byte(g.bytes)) {
			return g.protocol
		}
	}
	if isHTTP2Settings(first) {
		return "HTTP/2, as gRPC does"
	}
	return ""
}

// isHTTP2Settings reports whether the bytes begin with a SETTINGS frame of HTTP/2: a length
// of 24 bits, the type, the flags, and stream 0. A server of HTTP/2 sends it first.
func isHTTP2Settings(first []byte) bool {
	const header, settings, length = 9, 4, 6
	return len(first) >= header && first[0] == 0 && first[3] == settings && first[2]%length == 0 &&
		bytes.Equal(first[4:header], make([]byte, header-4))
}
