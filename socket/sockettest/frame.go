package sockettest

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/rxipc/rxipc/socket"
)

// This file reads and writes the frames of PROTOCOL.md without package socket, so that
// an error in that package's codec does not hide itself from tests.

// endOfFrame is the last byte of every frame.
const endOfFrame = 0xCE

// maxContent is the largest content, in bytes, that a peer accepts.
const maxContent = 64 << 20

func appendFrame(dst []byte, m socket.Message) []byte {
	mediaType, content := m.MediaType().String(), m.Content()
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(mediaType)))
	dst = append(dst, mediaType...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(content)))
	dst = append(dst, content...)
	return append(dst, endOfFrame)
}

// unframe buffers received bytes and removes frames from their front.
type unframe struct{ held []byte }

// fill reads from r once.
func (u *unframe) fill(r io.Reader) error {
	var chunk [4 << 10]byte
	n, err := r.Read(chunk[:])
	u.held = append(u.held, chunk[:n]...)
	if n > 0 {
		return nil // the next read returns the error again
	}
	return err
}

// next removes the first frame and returns its message, if the frame is complete.
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

// prefixed splits bytes that follow their length, a big-endian number of size bytes,
// from the rest. It reports false while bytes are missing.
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
