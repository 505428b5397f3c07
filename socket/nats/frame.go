package nats

import "encoding/binary"

// A message of a session is a header and bytes of the stream. The header is a byte of flags, the
// position of the sender's stream before this message, and the position up to which the sender
// allows the other side to send, both in 8 bytes, big-endian. A message with bytes moves the
// position by their number and by messageCost, so that many small messages use up the window, too.
const (
	headerLen   = 1 + 8 + 8
	messageCost = 128
)

// The flags of a message.
const (
	flagAccept = 1 << iota // the first message of the server
	flagFinish             // no bytes follow; the sender reads on
	flagClose              // no bytes follow, and the sender reads none
	flagReset              // the session has failed; the reason follows as text
	flagPing               // the other side is to show that it is alive
	flagPong               // and it is
	flagBusy               // the server has no room for the session
	flagEnded              // the server listens no more; another may
)

// frame is a message of a session.
type frame struct {
	flags           byte
	position, limit uint64
	data            []byte
}

// parseFrame parses a message. It reports false if that is none.
func parseFrame(message []byte) (frame, bool) {
	if len(message) < headerLen {
		return frame{}, false
	}
	return frame{
		flags:    message[0],
		position: binary.BigEndian.Uint64(message[1:]),
		limit:    binary.BigEndian.Uint64(message[9:]),
		data:     message[headerLen:],
	}, true
}

// putHeader writes the header in front of the data of f, into the first bytes of a message.
func (f frame) putHeader(message []byte) {
	message[0] = f.flags
	binary.BigEndian.PutUint64(message[1:], f.position)
	binary.BigEndian.PutUint64(message[9:], f.limit)
}

// The message that opens a session has the version of the format and the limit of the client.
const (
	version = 1
	openLen = 1 + 8
)

func openMessage(limit uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{version}, limit)
}

func parseOpen(message []byte) (limit uint64, ok bool) {
	if len(message) != openLen || message[0] != version {
		return 0, false
	}
	return binary.BigEndian.Uint64(message[1:]), true
}
