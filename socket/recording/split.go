package recording

import (
	"encoding/binary"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// endOfFrame is the last byte of every frame.
const endOfFrame = 0xCE

// splitter makes entries of the bytes that one side sends, in any pieces. It keeps the spelling of
// media types, so that the entries have the same bytes again.
type splitter struct {
	held   []byte
	broken bool // what was sent is not of the protocol
}

// split returns the entries that end with bytes of sent. All of them but the first are joined.
func (s *splitter) split(sent []byte) (entries []Entry) {
	s.held = append(s.held, sent...)
	for len(s.held) > 0 {
		e, size := s.next()
		if size == 0 {
			break
		}
		e.Joined = len(entries) > 0
		entries = append(entries, e)
		s.held = s.held[size:]
	}
	if len(s.held) == 0 {
		s.held = nil // a large message does not keep its memory
	}
	return entries
}

// rest returns the bytes of a frame that was not sent to its end, if there are any.
func (s *splitter) rest() (Entry, bool) {
	e := Entry{Kind: Bytes, Content: string(s.held)}
	s.held = nil
	return e, e.Content != ""
}

// next returns the first entry of the bytes held, and its size, 0 if it is not complete.
func (s *splitter) next() (e Entry, size int) {
	if s.broken {
		return Entry{Kind: Bytes, Content: string(s.held)}, len(s.held)
	}
	if len(s.held) < 2 {
		return e, 0
	}
	header := 2 + int(binary.BigEndian.Uint16(s.held)) + 4
	if len(s.held) < header {
		return e, 0
	}
	mediaType := string(s.held[2 : header-4])
	if _, err := wire.ParseMediaType(mediaType); err != nil {
		s.broken = true
		return s.next()
	}
	length := uint64(binary.BigEndian.Uint32(s.held[header-4:]))
	if uint64(len(s.held)-header) <= length {
		return e, 0
	}
	end := header + int(length)
	if s.held[end] != endOfFrame {
		s.broken = true
		return s.next()
	}
	return frame(mediaType, string(s.held[header:end])), end + 1
}

// frame returns the entry of a frame.
func frame(mediaType, content string) Entry {
	control := wire.ControlOf(mediaType, content)
	switch {
	case control == wire.KindMessage:
		return Entry{Kind: Message, MediaType: mediaType, Content: content}
	case mediaType == wire.TextPlain:
		mediaType = ""
	}
	return Entry{Kind: kinds[control], MediaType: mediaType}
}
