package sockettest

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/rxipc/rxipc/socket"
)

// The frames of PROTOCOL.md, written and read on their own: what the tests of a
// server stand on is not what the server stands on.

// endOfFrame is the last byte of every frame.
const endOfFrame = 0xCE

// maxContent is the longest content that a peer reads.
const maxContent = 64 << 20

func appendFrame(dst []byte, m socket.Message) []byte {
	mediaType, content := m.MediaType().String(), m.Content()
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(mediaType)))
	dst = append(dst, mediaType...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(content)))
	dst = append(dst, content...)
	return append(dst, endOfFrame)
}

// unframe holds what was received, and takes frames off it.
type unframe struct{ held []byte }

// fill reads once.
func (u *unframe) fill(r io.Reader) error {
	var chunk [4 << 10]byte
	n, err := r.Read(chunk[:])
	u.held = append(u.held, chunk[:n]...)
	if n > 0 {
		return nil // an error will come again
	}
	return err
}

// next is the next frame, if it is there in full.
func (u *unframe) next() (m socket.Message, ok bool, err error) {
	text, rest, ok := u.prefixed(u.held, 2)
	if !ok {
		return m, false, nil
	}
	if len(rest) >= 4 && binary.BigEndian.Uint32(rest) > maxContent {
		return m, false, fmt.Errorf("%w: a frame's content has %d bytes", socket.ErrTooLarge, binary.BigEndian.Uint32(rest))
	}
	content, rest, ok := u.prefixed(rest, 4)
	if !ok || len(rest) == 0 {
		return m, false, nil
	}
	if rest[0] != endOfFrame {
		return m, false, fmt.Errorf("%w: a frame ends with 0x%02X", socket.ErrProtocol, rest[0])
	}
	mediaType, err := socket.ParseMediaType(string(text))
	if err != nil {
		return m, false, fmt.Errorf("%w: %w", socket.ErrProtocol, err)
	}
	m = socket.NewMessageBytes(mediaType, content)
	u.held = append(u.held[:0], rest[1:]...)
	return m, true, nil
}

// prefixed takes off bytes behind their length, a number of so many bytes.
func (u *unframe) prefixed(held []byte, size int) (bytes, rest []byte, ok bool) {
	if len(held) < size {
		return nil, nil, false
	}
	length := 0
	for _, b := range held[:size] {
		length = length<<8 | int(b)
	}
	if held = held[size:]; len(held) < length {
		return nil, nil, false
	}
	return held[:length], held[length:], true
}
