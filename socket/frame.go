package socket

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

	// fixedHeader is what a header takes besides the media type.
	fixedHeader = 2 + 4
)

// frame is one decoded frame. Of a control message, message is set only if it has
// parameters, and holds its media type.
type frame struct {
	kind    kind
	message Message
}

// frameSize returns how many bytes the frame of a message takes.
func frameSize(m Message) int {
	return fixedHeader + len(m.mediaType.text) + len(m.content) + 1
}

// appendFrame appends the frame of a message to dst, which grows at most once. The
// caller has checked the message (see Message.check), so both lengths fit.
func appendFrame(dst []byte, m Message) []byte {
	dst = slices.Grow(dst, frameSize(m))
	dst = appendHeader(dst, m)
	dst = append(dst, m.content...)
	return append(dst, endOfFrame)
}

// appendHeader appends what stands before the content of a frame.
func appendHeader(dst []byte, m Message) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(m.mediaType.text)))
	dst = append(dst, m.mediaType.text...)
	return binary.BigEndian.AppendUint32(dst, uint32(len(m.content)))
}

// headerSize returns how long the header at the beginning of held is, as far as
// held tells.
func headerSize(held []byte) int {
	if len(held) < 2 {
		return fixedHeader
	}
	return fixedHeader + int(binary.BigEndian.Uint16(held))
}
