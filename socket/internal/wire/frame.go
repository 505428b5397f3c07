package wire

import (
	"encoding/binary"
	"slices"
)

// A frame on the wire, see PROTOCOL.md:
//
//	uint16  length of the media type, big endian
//	bytes   media type
//	uint32  length of the content, big endian
//	bytes   content
//	uint8   0xCE
const (
	// endOfFrame is the last byte of every frame.
	endOfFrame = 0xCE

	// fixedHeader is the length of a header without its media type.
	fixedHeader = 2 + 4
)

// Message is the media type, in its canonical spelling, and the content of a message.
type Message struct {
	MediaType string // at most 65,535 bytes
	Content   string // any bytes
}

// Frame is one decoded frame. In a frame of a control message, Message is empty, unless the
// control message has parameters; then it has the media type with them.
type Frame struct {
	Kind    Kind    // which control message it is, or a message of the user
	Message Message // its media type and content
	Loan    *Loan   // has the content, if the Reader lends
}

// FrameSize returns how many bytes the frame of a message takes.
func FrameSize(m Message) int {
	return fixedHeader + len(m.MediaType) + len(m.Content) + 1
}

// AppendFrame appends the frame of a message to dst, which grows at most once. The
// caller has checked that the lengths of media type and content fit into the header.
func AppendFrame(dst []byte, m Message) []byte {
	dst = slices.Grow(dst, FrameSize(m))
	dst = appendHeader(dst, m)
	dst = append(dst, m.Content...)
	return append(dst, endOfFrame)
}

// appendHeader appends the bytes before the content of a frame.
func appendHeader(dst []byte, m Message) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(m.MediaType)))
	dst = append(dst, m.MediaType...)
	return binary.BigEndian.AppendUint32(dst, uint32(len(m.Content)))
}

// headerSize returns the length of the header at the beginning of held. If held has fewer than
// two bytes, it returns the least length of a header.
func headerSize(held []byte) int {
	if len(held) < 2 {
		return fixedHeader
	}
	return fixedHeader + int(binary.BigEndian.Uint16(held))
}
