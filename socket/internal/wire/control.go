package wire

import "fmt"

// Kind is the kind of a frame: a message of a user, or one of the control messages.
type Kind uint8

const (
	KindMessage   Kind = iota // a message of the user
	KindStart                 // the server opens the handshake
	KindStartOK               // the client completes it
	KindReceived              // acknowledgement, 4.x dialect
	KindAck                   // acknowledgement, 5.x dialect
	KindHeartbeat             // the sender is alive
	KindClose                 // the sender asks to close
	KindCloseOK               // the sender agrees to close
	kindCount
)

// NoControl means that no control message is to be written.
const NoControl = KindMessage

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
	KindStart:     contentStart,
	KindStartOK:   contentStartOK,
	KindReceived:  contentReceived,
	KindAck:       contentAck,
	KindHeartbeat: contentHeartbeat,
	KindClose:     contentClose,
	KindCloseOK:   contentCloseOK,
}

// controlFrames holds the whole frame of each control message, by its kind.
var controlFrames = encodeControls()

func encodeControls() (frames [kindCount]string) {
	for k := KindStart; k < kindCount; k++ {
		frames[k] = string(AppendFrame(nil, Message{TextPlain, controlContents[k]}))
	}
	return frames
}

// ControlKind returns the control message with the content, KindMessage if there is none.
func ControlKind(content string) Kind {
	switch content {
	case contentStart:
		return KindStart
	case contentStartOK:
		return KindStartOK
	case contentReceived:
		return KindReceived
	case contentAck:
		return KindAck
	case contentHeartbeat:
		return KindHeartbeat
	case contentClose:
		return KindClose
	case contentCloseOK:
		return KindCloseOK
	}
	return KindMessage
}

// String returns the content of the control message, or a word for another kind.
func (k Kind) String() string {
	switch {
	case k == KindMessage:
		return "message"
	case k < kindCount:
		return controlContents[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Frame returns the frame of a control message.
func (k Kind) Frame() string { return controlFrames[k] }
