package recording

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// Side is one of the two sides of a connection.
type Side string

// The sides.
const (
	Client Side = "client"
	Server Side = "server"
)

// Kind is what an [Entry] records.
type Kind string

// The kinds of frames are message, and those of the control messages in PROTOCOL.md.
const (
	Message   Kind = "message"   // a message of the user
	Start     Kind = "start"     // connection.start
	StartOK   Kind = "start-ok"  // connection.start-ok
	Received  Kind = "received"  // message.received, the acknowledgement of the 4.x dialect
	Ack       Kind = "ack"       // ack, that of the 5.x dialect
	Heartbeat Kind = "heartbeat" // heartbeat
	Close     Kind = "close"     // connection.close
	CloseOK   Kind = "close-ok"  // connection.close-ok
)

// The other kinds of a connection.
const (
	Open  Kind = "open"  // the connection begins
	Bytes Kind = "bytes" // bytes that are no whole frame
	End   Kind = "end"   // the side closed the connection, or died
	Stop  Kind = "stop"  // the server stops listening; of no connection
)

// The kinds of a run of an observable.
const (
	Subscribed Kind = "subscribed" // the run begins
	Value      Kind = "value"      // a value, as JSON
	Completed  Kind = "completed"  // the run completed
	Failed     Kind = "failed"     // the run failed; the content is the error's text
	Left       Kind = "left"       // the subscriber wanted no more
)

// controls are the control messages.
var controls = map[Kind]wire.Kind{
	Start: wire.KindStart, StartOK: wire.KindStartOK, Received: wire.KindReceived, Ack: wire.KindAck,
	Heartbeat: wire.KindHeartbeat, Close: wire.KindClose, CloseOK: wire.KindCloseOK,
}

// kinds are the kinds by their control message.
var kinds = func() map[wire.Kind]Kind {
	all := map[wire.Kind]Kind{wire.KindMessage: Message}
	for kind, control := range controls {
		all[control] = kind
	}
	return all
}()

// Entry is something that happened, and when. Entries are compared with ==.
type Entry struct {
	Time       time.Duration // since the recording began
	Connection int           // the number of the connection, or of the run; 0 for Stop
	From       Side          // the side that sent it; empty for Open, Stop, and of observables
	Kind       Kind          // what happened
	MediaType  string        // of a message, as it was spelled; of a control message with parameters
	Content    string        // of a message, Bytes, Value and Failed
	Missing    int           // how many bytes of the content are left out at its end
	Joined     bool          // it was in one write with the entry before it, of the same connection and side
	Name       string        // of Open and Stop: the server, if it is not that of the Header
}

// IsFrame reports whether the entry is a frame, of a message or a control message.
func (e Entry) IsFrame() bool { return e.Kind == Message || e.isControl() }

func (e Entry) isControl() bool { return controls[e.Kind] != 0 }

// isOfObservable reports whether the entry is of the run of an observable.
func (e Entry) isOfObservable() bool {
	return slices.Contains([]Kind{Subscribed, Value, Completed, Failed, Left}, e.Kind)
}

// wire appends the bytes of a frame, or of Bytes.
func (e Entry) wire(dst []byte) []byte {
	m := wire.Message{MediaType: e.MediaType, Content: e.Content}
	switch {
	case e.Kind == Bytes:
		return append(dst, e.Content...)
	case e.isControl() && e.MediaType == "":
		return append(dst, controls[e.Kind].Frame()...)
	case e.isControl():
		m.Content = controls[e.Kind].String()
	}
	return wire.AppendFrame(dst, m)
}

// shown is how many bytes of a content String shows.
const shown = 60

// String is what was sent, without side and time: message text/plain "hello".
func (e Entry) String() string {
	text := string(e.Kind)
	if e.MediaType != "" {
		text += " " + e.MediaType
	}
	if e.Kind != Message && e.Content == "" {
		return text
	}
	content := e.Content
	if len(content) > shown {
		content = content[:shown]
	}
	text += fmt.Sprintf(" %q", content)
	if whole := len(e.Content) + e.Missing; whole > len(content) {
		text += fmt.Sprintf("… (%d bytes)", whole)
	}
	return text
}

// line is an Entry as JSON.
type line struct {
	Ms         float64 `json:"ms"`
	Connection int     `json:"connection,omitempty"`
	From       Side    `json:"from,omitempty"`
	Kind       Kind    `json:"kind"`
	MediaType  string  `json:"mediaType,omitempty"`
	Content    string  `json:"content,omitempty"`
	Base64     string  `json:"base64,omitempty"`
	Missing    int     `json:"missing,omitempty"`
	Joined     bool    `json:"joined,omitempty"`
	Name       string  `json:"name,omitempty"`
}

// line returns the entry as JSON.
func (e Entry) line() line {
	l := line{
		Ms: float64(e.Time) / 1e6, Connection: e.Connection, From: e.From, Kind: e.Kind, MediaType: e.MediaType,
		Missing: e.Missing, Joined: e.Joined, Name: e.Name,
	}
	if utf8.ValidString(e.Content) && e.Kind != Bytes {
		l.Content = e.Content
	} else {
		l.Base64 = base64.StdEncoding.EncodeToString([]byte(e.Content))
	}
	return l
}

// entry returns the entry of a line, and what is wrong with it.
func (l line) entry() (e Entry, err error) {
	content := l.Content
	if l.Base64 != "" {
		bytes, err := base64.StdEncoding.DecodeString(l.Base64)
		if err != nil {
			return e, fmt.Errorf("base64: %w", err)
		}
		content = string(bytes)
	}
	switch {
	case !(l.Ms >= 0 && l.Ms <= float64(math.MaxInt64)/2e6): // neither is NaN
		return e, fmt.Errorf("ms is %v, which is no time", l.Ms)
	case l.Content != "" && l.Base64 != "":
		return e, errors.New("there are both content and base64")
	}
	e = Entry{
		Time: time.Duration(math.Round(l.Ms * 1e6)), Connection: l.Connection, From: l.From, Kind: l.Kind, MediaType: l.MediaType,
		Content: content, Missing: l.Missing, Joined: l.Joined, Name: l.Name,
	}
	return e, e.check()
}

// check returns what is wrong with an entry.
func (e Entry) check() error {
	hasSide := e.IsFrame() || e.Kind == Bytes || e.Kind == End
	hasContent := e.Kind == Message || e.Kind == Bytes || e.Kind == Value || e.Kind == Failed
	known := hasSide || e.Kind == Open || e.Kind == Stop || e.isOfObservable()
	switch {
	case !known:
		return fmt.Errorf("the kind %q is not known", e.Kind)
	case hasSide && e.From != Client && e.From != Server, !hasSide && e.From != "":
		return fmt.Errorf("%s cannot be from %q", e.Kind, e.From)
	case e.Connection < 0, e.Connection == 0 && e.Kind != Stop:
		return fmt.Errorf("%s cannot be of the connection %d", e.Kind, e.Connection)
	case e.Missing < 0, !hasContent && (e.Content != "" || e.Missing > 0):
		return fmt.Errorf("%s cannot have a content of %d bytes, of which %d are missing", e.Kind, len(e.Content)+e.Missing, e.Missing)
	case len(e.MediaType) > math.MaxUint16:
		return fmt.Errorf("the media type has %d bytes, more than a frame can have", len(e.MediaType))
	case e.Kind == Message:
		if _, err := wire.ParseMediaType(e.MediaType); err != nil {
			return err
		}
	case e.MediaType != "" && wire.ControlOf(e.MediaType, controls[e.Kind].String()) != controls[e.Kind]:
		return fmt.Errorf("%s cannot have the media type %q", e.Kind, e.MediaType)
	}
	return nil
}
