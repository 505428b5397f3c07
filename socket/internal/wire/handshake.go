package wire

import (
	"strconv"
	"strings"
)

// Two rxipc peers recognise each other, while PHP peers notice nothing (see PROTOCOL.md). The
// server sends a heartbeat before connection.start. A client that received the heartbeat
// answers with a parameter of connection.start-ok. Extensions of innmind/ipc are only sent
// after that.
const (
	typeMarkedStartOK = TextPlain + "; peer=rxipc"
	reasonPrefix      = TextPlain + "; reason="
)

var (
	// MarkedStart opens the handshake of an rxipc server.
	MarkedStart = controlFrames[KindHeartbeat] + controlFrames[KindStart]

	// MarkedStartOK completes the handshake of an rxipc client.
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

// ControlOf returns the control message, with or without parameters, that a media type and a
// content stand for between two rxipc peers; KindMessage if there is none.
func ControlOf(mediaType, content string) Kind {
	if k := ControlKind(content); mediaType == TextPlain || k.isExtended(mediaType) {
		return k
	}
	return KindMessage
}

// IsMarkedStartOK reports whether a frame is the connection.start-ok of an rxipc client.
func (f Frame) IsMarkedStartOK() bool {
	return f.Kind == KindStartOK && f.Message.MediaType == typeMarkedStartOK
}

// CloseReason is the reason that an rxipc server gives an rxipc client for closing the
// connection. The zero CloseReason gives none, as for an orderly close.
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
	ReasonPanicked  = "panicked"  // a handler panicked on it
	ReasonUnsettled = "unsettled" // messages are still being handled after the grace period
	ReasonTooLarge  = "too-large" // the content of a message is over the limit
	ReasonTooSlow   = "too-slow"  // the client missed a deadline
	ReasonProtocol  = "protocol"  // the client broke the protocol
	ReasonRefused   = "refused"   // the client may not connect
	ReasonTooMany   = "too-many"  // the user of the client has the highest allowed number of connections
	ReasonShutdown  = "shutdown"  // the server ends
	ReasonSilent    = "silent"    // the client sent nothing for too long
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
