package socket

import "fmt"

// kind tells the frames apart: a message of the user, or a control message.
type kind uint8

const (
	kindMessage   kind = iota // a message of the user
	kindStart                 // the server opens the handshake
	kindStartOK               // the client completes it
	kindReceived              // acknowledgement, 4.x dialect
	kindAck                   // acknowledgement, 5.x dialect
	kindHeartbeat             // still there
	kindClose                 // wants to close
	kindCloseOK               // agrees to close
	kindCount
)

// noControl stands for no control message where one may be written.
const noControl = kindMessage

// The contents of the control messages; their media type is exactly text/plain.
const (
	contentStart     = "innmind/ipc:connection.start"
	contentStartOK   = "innmind/ipc:connection.start-ok"
	contentReceived  = "innmind/ipc:message.received"
	contentAck       = "innmind/ipc:ack"
	contentHeartbeat = "innmind/ipc:heartbeat"
	contentClose     = "innmind/ipc:connection.close"
	contentCloseOK   = "innmind/ipc:connection.close-ok"

	// minControl and maxControl bound the length of those contents.
	minControl = len(contentAck)
	maxControl = len(contentStartOK)
)

// controlContents holds the content of each control message, by its kind.
var controlContents = [kindCount]string{
	kindStart:     contentStart,
	kindStartOK:   contentStartOK,
	kindReceived:  contentReceived,
	kindAck:       contentAck,
	kindHeartbeat: contentHeartbeat,
	kindClose:     contentClose,
	kindCloseOK:   contentCloseOK,
}

// controlFrames holds the whole frame of each control message, by its kind.
var controlFrames = encodeControls()

func encodeControls() (frames [kindCount]string) {
	for k := kindStart; k < kindCount; k++ {
		frames[k] = string(appendFrame(nil, Text(controlContents[k])))
	}
	return frames
}

// controlKind returns the control message that a content of media type text/plain
// stands for, kindMessage when it stands for none.
func controlKind(content string) kind {
	switch content {
	case contentStart:
		return kindStart
	case contentStartOK:
		return kindStartOK
	case contentReceived:
		return kindReceived
	case contentAck:
		return kindAck
	case contentHeartbeat:
		return kindHeartbeat
	case contentClose:
		return kindClose
	case contentCloseOK:
		return kindCloseOK
	}
	return kindMessage
}

// String names the kind for errors and logs.
func (k kind) String() string {
	switch {
	case k == kindMessage:
		return "message"
	case k < kindCount:
		return controlContents[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// appendControl appends the frame of a control message to dst. It panics when k is
// not a control message.
func appendControl(dst []byte, k kind) []byte {
	if k == kindMessage || k >= kindCount {
		panic("socket: no control message: " + k.String())
	}
	return append(dst, controlFrames[k]...)
}
