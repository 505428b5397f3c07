package wire

import (
	"strconv"
	"strings"
)

// Two peers of rxipc know each other, and those of PHP do not notice (see PROTOCOL.md). The
// server sends a heartbeat before connection.start. A client that received the heartbeat
// answers with a parameter of connection.start-ok. Whatever goes beyond innmind/ipc is only
// sent after that.
const (
	typeMarkedStartOK = TextPlain + "; peer=rxipc"
	reasonPrefix      = TextPlain + "; reason="
)

var (
	// MarkedStart opens the handshake of a server of rxipc.
	MarkedStart = controlFrames[KindHeartbeat] + controlFrames[KindStart]

	// MarkedStartOK completes it for a client of rxipc.
	MarkedStartOK = string(AppendFrame(nil, Message{typeMarkedStartOK, contentStartOK}))
)

// isExtended reports whether a control message of the kind may have the media type, other
// than text/plain.
func (k Kind) isExtended(mediaType string) bool {
	switch k {
	case KindStartOK:
		return mediaType == typeMarkedStartOK
	case KindClose:
		return strings.HasPrefix(mediaType, reasonPrefix)
	}
	return false
}

// IsMarkedStartOK reports whether a frame is the connection.start-ok of a client of rxipc.
func (f Frame) IsMarkedStartOK() bool {
	return f.Kind == KindStartOK && f.Message.MediaType == typeMarkedStartOK
}

// CloseReason is the reason that a server of rxipc gives a client of rxipc for closing the
// connection. The zero CloseReason gives none: the connection is closed in good order.
type CloseReason struct {
	Code      string // one of those below, or one of a later version
	Limit     int    // in bytes, with ReasonTooLarge; 0 if it is not known
	Unsettled bool   // messages are still being handled, and Code is not ReasonUnsettled
}

// Doubtful returns how many of n messages that are not acknowledged may have been handled.
// These are the first ones.
func (r CloseReason) Doubtful(n int) int {
	switch {
	case r.Unsettled, r.Code == ReasonUnsettled:
		return n
	case r.Code == ReasonRejected, r.Code == ReasonPanicked:
		return min(n, 1)
	}
	return 0
}

// The codes of a CloseReason.
const (
	ReasonRejected  = "rejected"  // a handler rejected the first message that is not acknowledged
	ReasonPanicked  = "panicked"  // or panicked
	ReasonUnsettled = "unsettled" // messages are still being handled, and time is up
	ReasonTooLarge  = "too-large" // the content of a message is over the limit
	ReasonTooSlow   = "too-slow"  // the client took longer than it may
	ReasonProtocol  = "protocol"  // the client broke the protocol
	ReasonRefused   = "refused"   // the client may not connect
	ReasonTooMany   = "too-many"  // the user of the client has as many connections as one may
	ReasonShutdown  = "shutdown"  // the server ends
	ReasonSilent    = "silent"    // nothing came from the client for too long
)

// Frame returns the frame of connection.close with the reason.
func (r CloseReason) Frame() string {
	if r.Code == "" {
		return controlFrames[KindClose]
	}
	mediaType := reasonPrefix + r.Code
	if r.Limit > 0 {
		mediaType += ", limit=" + strconv.Itoa(r.Limit)
	}
	if r.Unsettled {
		mediaType += ", unsettled=yes"
	}
	return string(AppendFrame(nil, Message{mediaType, contentClose}))
}

// ParseCloseReason reads a CloseReason from the media type of a connection.close.
func ParseCloseReason(mediaType string) (r CloseReason) {
	r.Code, _ = Parameter(mediaType, "reason")
	_, r.Unsettled = Parameter(mediaType, "unsettled")
	limit, _ := Parameter(mediaType, "limit")
	if n, err := strconv.Atoi(limit); err == nil && n > 0 {
		r.Limit = n
	}
	return r
}
