package sockettest

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// Event is an action of one side of a connection: it sends a frame, or it misbehaves.
// The characters of a diagram stand for events, and a received frame is an event, too.
// Events are compared with ==. The zero Event is the beginning of a connection, see
// [Peer.Reacts].
//
// A control message is an ordinary frame on the wire. A Text with the content of a
// control message therefore equals that control message.
type Event struct {
	act     act
	message socket.Message // of a frame
	bytes   string         // the bytes of an event that sends no message
	pause   time.Duration  // before each byte
}

// act distinguishes the kinds of events.
type act uint8

const (
	connects   act = iota
	sendsFrame     // message
	sendsBytes     // bytes, with pauses or without
	dies           // after it has sent bytes
	hangsUp        // received only
	stopsReading
	readsOn
)

// Message is the frame of a message. It checks nothing: the message may equal a control
// message or exceed the receiver's limits.
func Message(m socket.Message) Event { return Event{act: sendsFrame, message: m} }

// Text is the frame of a message of media type text/plain. A letter of a diagram stands
// for the Text of that letter.
func Text(content string) Event { return Message(socket.Text(content)) }

// The control messages. A diagram of a peer, or of [Peer.ExpectWire], shows them by
// their signs.
var (
	start     = Text("innmind/ipc:connection.start")
	startOK   = Text("innmind/ipc:connection.start-ok")
	ack       = Text("innmind/ipc:ack")
	received  = Text("innmind/ipc:message.received")
	heartbeat = Text("innmind/ipc:heartbeat")
	closing   = Text("innmind/ipc:connection.close")
	closeOK   = Text("innmind/ipc:connection.close-ok")
)

// Start is connection.start, in diagrams <. A server begins a connection with it.
func Start() Event { return start }

// StartOK is connection.start-ok, in diagrams >. A client answers Start with it.
func StartOK() Event { return startOK }

// Ack is ack, in diagrams +: the acknowledgement of the 5.x dialect.
func Ack() Event { return ack }

// Received is message.received, in diagrams =: the acknowledgement of the 4.x
// dialect.
func Received() Event { return received }

// Heartbeat is heartbeat, in diagrams ~.
func Heartbeat() Event { return heartbeat }

// Close is connection.close, in diagrams a colon.
func Close() Event { return closing }

// CloseOK is connection.close-ok, in diagrams a full stop. The sender and the receiver
// of it close the connection.
func CloseOK() Event { return closeOK }

// signs maps the sign of a control message in diagrams to the message.
var signs = map[rune]Event{
	'<': start, '>': startOK, '+': ack, '=': received, '~': heartbeat, ':': closing, '.': closeOK,
	'_': {act: hangsUp},
}

// Bytes sends arbitrary bytes in one write, such as garbage.
func Bytes(bytes string) Event { return Event{act: sendsBytes, bytes: bytes} }

// Together sends the bytes of several events in one write. The events of a group in a
// diagram are sent in the same frame too, but each in a write of its own.
func Together(events ...Event) Event {
	var all string
	for _, e := range events {
		all += e.wire()
	}
	return Bytes(all)
}

// Trickle sends the bytes of an event one by one, each after a pause. An event that is
// due in the meantime follows the last byte.
func Trickle(e Event, pause time.Duration) Event {
	return Event{act: sendsBytes, bytes: e.wire(), pause: pause}
}

// Cut sends the first n bytes of an event and then dies, as a process killed in the
// middle of a write does. A negative n omits the last -n bytes. Cut panics when the
// event has fewer bytes than that.
func Cut(e Event, n int) Event {
	bytes := e.wire()
	if n < 0 {
		n += len(bytes)
	}
	return Event{act: dies, bytes: bytes[:n]}
}

// Die ends the connection without a word, as # does, anywhere in a diagram.
func Die() Event { return Event{act: dies} }

// StopReading stops reading: incoming bytes stay in the connection's buffer until it is
// full and the other side cannot write. Meanwhile the peer reacts to nothing.
func StopReading() Event { return Event{act: stopsReading} }

// ReadOn ends StopReading.
func ReadOn() Event { return Event{act: readsOn} }

// Message returns the message of a frame, if the frame is not a control message.
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

// is reports whether the event is the control message, ignoring the parameters that
// rxipc adds to connection.start-ok and connection.close.
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

// sendsAtOnce reports whether the event consists of sending its bytes in one write.
func (e Event) sendsAtOnce() bool {
	return e.act == sendsFrame || e.act == sendsBytes && e.pause == 0
}

// wire returns the bytes that the event sends.
func (e Event) wire() string {
	if e.act == sendsFrame {
		return string(appendFrame(nil, e.message))
	}
	return e.bytes
}

// shownContent is the number of bytes of a content that String shows.
const shownContent = 60

// String spells the event for failure messages: a control message by the end of its
// name, a text quoted. It shortens long contents.
func (e Event) String() string { return e.spelled(shownContent) }

// whole is String without shortening.
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
