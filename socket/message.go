package socket

import (
	"fmt"
	"log/slog"
	"math"
	"strings"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// Message consists of a media type and a content of any bytes. Processes exchange messages. A
// Message is immutable, may be shared between goroutines, and is compared with ==. The zero
// Message has no media type and cannot be sent.
type Message struct {
	mediaType MediaType
	content   string
}

// NewMessage returns a message with a media type and a content.
func NewMessage(mediaType MediaType, content string) Message {
	return Message{mediaType, content}
}

// NewMessageBytes is NewMessage for a content in a slice. It copies the slice.
func NewMessageBytes(mediaType MediaType, content []byte) Message {
	return Message{mediaType, string(content)}
}

// Text returns a message of media type text/plain.
func Text(content string) Message { return Message{TextPlain(), content} }

// MediaType returns the media type.
func (m Message) MediaType() MediaType { return m.mediaType }

// Content returns the content, without copying it.
func (m Message) Content() string { return m.content }

// Bytes returns a copy of the content, which the caller may change.
func (m Message) Bytes() []byte { return []byte(m.content) }

// Len returns the length of the content in bytes.
func (m Message) Len() int { return len(m.content) }

// Reader returns a new reader of the content. It does not copy the content.
func (m Message) Reader() *strings.Reader { return strings.NewReader(m.content) }

// String describes the message for logs: its media type and its size. It omits the content,
// which may be large or secret; Content returns it.
func (m Message) String() string {
	return fmt.Sprintf("%s (%d bytes)", m.mediaType, len(m.content))
}

// LogValue implements slog.LogValuer with the same description.
func (m Message) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("media_type", m.mediaType.text),
		slog.Int("bytes", len(m.content)),
	)
}

// IsReserved reports whether the content equals a control message of the protocol. Such a
// message cannot be sent, whatever its media type: sending it fails with [ErrReserved]. A
// program that sends contents of others, such as lines of a file, changes them before:
//
//	operators.Map(func(m socket.Message) socket.Message {
//		if m.IsReserved() {
//			return socket.NewMessage(m.MediaType(), m.Content()+" ")
//		}
//		return m
//	})
func (m Message) IsReserved() bool { return wire.ControlKind(m.content) != wire.KindMessage }

// messageOf converts a decoded message.
func messageOf(raw wire.Message) Message { return Message{MediaType{raw.MediaType}, raw.Content} }

// wire converts the message for encoding.
func (m Message) wire() wire.Message {
	return wire.Message{MediaType: m.mediaType.text, Content: m.content}
}

// check returns an error for a message that cannot be sent: ErrInvalid if it has no media
// type, ErrTooLarge if its content exceeds limit bytes or the maximum of a frame, ErrReserved
// if it equals a control message. Senders call it before they write a byte.
func (m Message) check(limit int) error {
	if m.mediaType.IsZero() {
		return fmt.Errorf("%w: the message has no media type", ErrInvalid)
	}
	// Compared in 64 bits, since an int of 32 bits cannot hold the maximum of a frame.
	allowed := min(uint64(max(limit, 0)), math.MaxUint32)
	if uint64(len(m.content)) > allowed {
		return fmt.Errorf("%w: content of %d bytes, the limit is %d", ErrTooLarge, len(m.content), allowed)
	}
	if m.IsReserved() {
		return fmt.Errorf("%w: %s %q", ErrReserved, m.mediaType, m.content)
	}
	return nil
}

// check returns an error if one of the messages cannot be sent.
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
