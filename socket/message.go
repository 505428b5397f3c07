package socket

import (
	"fmt"
	"log/slog"
	"math"
	"strings"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// Message is what processes exchange: a media type and a content, any bytes
// whatever. It is immutable, may be shared freely between goroutines, and is
// compared with ==. The zero Message has no media type and cannot be sent.
type Message struct {
	mediaType MediaType
	content   string
}

// NewMessage makes a message of a media type and a content.
func NewMessage(mediaType MediaType, content string) Message {
	return Message{mediaType, content}
}

// NewMessageBytes is NewMessage for a content held as bytes, which it copies: the
// caller may change them afterwards.
func NewMessageBytes(mediaType MediaType, content []byte) Message {
	return Message{mediaType, string(content)}
}

// Text makes a message of media type text/plain.
func Text(content string) Message { return Message{TextPlain(), content} }

// MediaType returns the media type.
func (m Message) MediaType() MediaType { return m.mediaType }

// Content returns the content, without copying it.
func (m Message) Content() string { return m.content }

// Bytes returns a copy of the content, the caller's to change.
func (m Message) Bytes() []byte { return []byte(m.content) }

// Len returns the length of the content in bytes.
func (m Message) Len() int { return len(m.content) }

// Reader returns a new reader of the content, at its beginning. It copies nothing.
func (m Message) Reader() *strings.Reader { return strings.NewReader(m.content) }

// String describes the message for logs: its media type and its size, not its
// content, which may be large or secret. Content returns that.
func (m Message) String() string {
	return fmt.Sprintf("%s (%d bytes)", m.mediaType, len(m.content))
}

// LogValue implements slog.LogValuer with what String tells.
func (m Message) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("media_type", m.mediaType.text),
		slog.Int("bytes", len(m.content)),
	)
}

// IsReserved tells whether the content equals a control message of the protocol, so that
// no media type makes a message of it that arrives everywhere: sending it fails with
// [ErrReserved]. Who reads what others write, lines perhaps, brings it to another form
// before:
//
//	operators.Map(func(m socket.Message) socket.Message {
//		if m.IsReserved() {
//			return socket.NewMessage(m.MediaType(), m.Content()+" ")
//		}
//		return m
//	})
func (m Message) IsReserved() bool { return wire.ControlKind(m.content) != wire.KindMessage }

// messageOf makes a Message of a decoded message.
func messageOf(raw wire.Message) Message { return Message{MediaType{raw.MediaType}, raw.Content} }

// wire returns the message as it is encoded.
func (m Message) wire() wire.Message {
	return wire.Message{MediaType: m.mediaType.text, Content: m.content}
}

// check refuses a message that cannot be sent: with ErrInvalid when it has no media
// type, with ErrTooLarge when its content passes limit bytes or what a frame can
// express, with ErrReserved when it equals a control message. Senders call it
// before they write a byte.
func (m Message) check(limit int) error {
	if m.mediaType.IsZero() {
		return fmt.Errorf("%w: the message has no media type", ErrInvalid)
	}
	// Counted in 64 bits: an int of 32 bits cannot hold what a frame can express.
	allowed := min(uint64(max(limit, 0)), math.MaxUint32)
	if uint64(len(m.content)) > allowed {
		return fmt.Errorf("%w: content of %d bytes, the limit is %d", ErrTooLarge, len(m.content), allowed)
	}
	if m.IsReserved() {
		return fmt.Errorf("%w: %s %q", ErrReserved, m.mediaType, m.content)
	}
	return nil
}

// check refuses messages if one of them cannot be sent.
func check(messages []Message, limit int) error {
	for _, m := range messages {
		if err := m.check(limit); err != nil {
			return err
		}
	}
	return nil
}

// GoString is String: the content may be secret.
func (m Message) GoString() string { return m.String() }
