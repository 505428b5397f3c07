package sockettest

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// Event is what a side of a connection does: it sends a frame, or it misbehaves. The
// names of a diagram stand for events. What is received is an event, too; events are
// compared with ==. The zero Event is the beginning of a connection, see
// [Peer.Reacts].
//
// A control message is the frame that the wire carries for it, so Text with the
// content of one makes it, too.
type Event struct {
	act     act
	message socket.Message // of a frame
	bytes   string         // of anything else that is sent
	pause   time.Duration  // before each byte
}

// act tells the events apart.
type act uint8

const (
	connects   act = iota
	sendsFrame     // message
	sendsBytes     // bytes, with pauses or without
	dies           // behind bytes
	hangsUp        // received only
	stopsReading
	readsOn
)

// Message is the frame of a message. It may equal a control message, or pass the
// limits of who receives it: nothing is checked.
func Message(m socket.Message) Event { return Event{act: sendsFrame, message: m} }

// Text is the frame of a message of media type text/plain: what the letters of a
// diagram stand for.
func Text(content string) Event { return Message(socket.Text(content)) }

// The control messages, and their signs in the diagrams of [Peer.ExpectWire] and of
// what a peer does.
var (
	start     = Text("innmind/ipc:connection.start")
	startOK   = Text("innmind/ipc:connection.start-ok")
	ack       = Text("innmind/ipc:ack")
	received  = Text("innmind/ipc:message.received")
	heartbeat = Text("innmind/ipc:heartbeat")
	closing   = Text("innmind/ipc:connection.close")
	closeOK   = Text("innmind/ipc:connection.close-ok")
)

// Start is connection.start, in diagrams <, with which a server begins.
func Start() Event { return start }

// StartOK is connection.start-ok, in diagrams >, with which a client answers it.
func StartOK() Event { return startOK }

// Ack is ack, in diagrams +, the acknowledgement of the 5.x dialect.
func Ack() Event { return ack }

// Received is message.received, in diagrams =, the acknowledgement of the 4.x
// dialect.
func Received() Event { return received }

// Heartbeat is heartbeat, in diagrams ~.
func Heartbeat() Event { return heartbeat }

// Close is connection.close, in diagrams a colon.
func Close() Event { return closing }

// CloseOK is connection.close-ok, in diagrams a full stop. Who sends or receives it
// closes the connection.
func CloseOK() Event { return closeOK }

// signs are the control messages by their signs in diagrams.
var signs = map[rune]Event{
	'<': start, '>': startOK, '+': ack, '=': received, '~': heartbeat, ':': closing, '.': closeOK,
	'_': {act: hangsUp},
}

// Bytes are any bytes, in one write: garbage, for instance.
func Bytes(bytes string) Event { return Event{act: sendsBytes, bytes: bytes} }

// Together are the bytes of several events in one write. Those of a group in a
// diagram are sent in the same frame, each in a write of its own.
func Together(events ...Event) Event {
	var all string
	for _, e := range events {
		all += e.wire()
	}
	return Bytes(all)
}

// Trickle sends the bytes of an event one by one, each after a pause. What the
// diagram shows in the meantime comes after it.
func Trickle(e Event, pause time.Duration) Event {
	return Event{act: sendsBytes, bytes: e.wire(), pause: pause}
}

// Cut sends the first n bytes of an event, all but the last -n if n is negative, and
// dies: who is killed in the middle of a write. It panics when there are not so many.
func Cut(e Event, n int) Event {
	bytes := e.wire()
	if n < 0 {
		n += len(bytes)
	}
	return Event{act: dies, bytes: bytes[:n]}
}

// Die ends the connection without a word, as # does, at any place of a diagram.
func Die() Event { return Event{act: dies} }

// StopReading leaves what comes in the connection's buffer from now on, until that is
// full and the other side cannot write. Meanwhile the peer reacts to nothing.
func StopReading() Event { return Event{act: stopsReading} }

// ReadOn ends StopReading.
func ReadOn() Event { return Event{act: readsOn} }

// Message returns the message of a frame that is no control message.
func (e Event) Message() (socket.Message, bool) {
	return e.message, e.act == sendsFrame && !e.isControl()
}

func (e Event) isControl() bool {
	for _, control := range signs {
		if e.is(control) {
			return true
		}
	}
	return false
}

// is reports whether the event is a control message, perhaps with the parameters that
// peers of rxipc give to connection.start-ok and connection.close.
func (e Event) is(control Event) bool {
	if e == control {
		return true
	}
	mediaType := e.message.MediaType()
	parameter := map[Event]string{startOK: "peer", closing: "reason"}[control]
	_, extended := mediaType.Parameter(parameter)
	return extended && e.act == sendsFrame && e.message.Content() == control.message.Content() &&
		mediaType.TopLevel() == "text" && mediaType.Sub() == "plain"
}

// sendsAtOnce reports whether sending is all that there is to the event.
func (e Event) sendsAtOnce() bool {
	return e.act == sendsFrame || e.act == sendsBytes && e.pause == 0
}

// wire is what the event sends.
func (e Event) wire() string {
	if e.act == sendsFrame {
		return string(appendFrame(nil, e.message))
	}
	return e.bytes
}

// shownContent is how much of a content is shown in a line.
const shownContent = 60

// String spells the event for the reports of tests: a control message by the end of
// its name, a text quoted. What is long is cut.
func (e Event) String() string { return e.spelled(shownContent) }

// whole is String with nothing cut.
func (e Event) whole() string { return e.spelled(math.MaxInt) }

func (e Event) spelled(most int) string {
	m := e.message
	switch {
	case e.act == connects:
		return "connection"
	case e.act == sendsFrame && e.isControl():
		_, parameters, _ := strings.Cut(m.MediaType().String(), ";")
		return m.Content()[len("innmind/ipc:"):] + parameters
	case e.act == sendsFrame && m.MediaType() == socket.TextPlain():
		return quoted(m.Content(), most)
	case e.act == sendsFrame:
		return m.MediaType().String() + " " + quoted(m.Content(), most)
	case e.act == sendsBytes && e.pause > 0:
		return fmt.Sprintf("bytes %s, %v apart", quoted(e.bytes, most), e.pause)
	case e.act == sendsBytes:
		return "bytes " + quoted(e.bytes, most)
	case e.act == dies && e.bytes != "":
		return "death behind the bytes " + quoted(e.bytes, most)
	case e.act == dies:
		return "death"
	case e.act == hangsUp:
		return "hang-up"
	case e.act == stopsReading:
		return "no more reading"
	}
	return "reading on"
}

func quoted(text string, most int) string {
	if len(text) <= most {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprintf("%q… (%d bytes)", text[:most], len(text))
}
