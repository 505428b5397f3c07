package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/rxipc/rxipc/stream"
)

// Two peers of rxipc know each other, and PHP's notice nothing (see PROTOCOL.md). The
// server says heartbeat before connection.start; a client that got it answers with a
// parameter to connection.start-ok. What goes beyond innmind/ipc is only said after that.
const (
	typeOurStartOK = textPlain + "; peer=rxipc"
	reasonPrefix   = textPlain + "; reason="
)

var (
	// markedStart opens the handshake of a server of ours.
	markedStart = controlFrames[kindHeartbeat] + controlFrames[kindStart]

	// markedStartOK completes it for a client of ours.
	markedStartOK = string(appendFrame(nil, Message{MediaType{typeOurStartOK}, contentStartOK}))
)

// isExtended reports whether a media type is one that a control message of the kind may
// have beside text/plain.
func (k kind) isExtended(mediaType string) bool {
	switch k {
	case kindStartOK:
		return mediaType == typeOurStartOK
	case kindClose:
		return strings.HasPrefix(mediaType, reasonPrefix)
	}
	return false
}

// farewell is why a server of ours closes a connection, as it tells a client of ours. The
// zero farewell tells nothing: the connection is closed in good order.
type farewell struct {
	code      string // one of those below, or of a later version
	limit     int    // in bytes, with byeTooLarge; 0 if it is not known
	unsettled bool   // messages are being handled still, and the code is another one than byeUnsettled
}

// doubtful is how many of n messages that are not acknowledged may have been handled, the
// first ones of them.
func (f farewell) doubtful(n int) int {
	switch {
	case f.unsettled, f.code == byeUnsettled:
		return n
	case f.code == byeRejected, f.code == byePanicked:
		return min(n, 1)
	}
	return 0
}

// The codes of a farewell.
const (
	byeRejected  = "rejected"  // a handler rejected the first message that is not acknowledged
	byePanicked  = "panicked"  // or panicked
	byeUnsettled = "unsettled" // messages are being handled still, and time is up
	byeTooLarge  = "too-large" // the content of a message passes the limit
	byeTooSlow   = "too-slow"  // the client took longer than it may
	byeProtocol  = "protocol"  // the client broke the protocol
	byeRefused   = "refused"   // the client may not connect
	byeTooMany   = "too-many"  // its user has as many connections as one may
	byeShutdown  = "shutdown"  // the server ends
	byeSilent    = "silent"    // nothing came from the client for too long
)

// farewellFor is what a client is told of a connection that ends for a reason. limit is
// that of the contents that are received.
func farewellFor(err error, limit int) farewell {
	var p *stream.PanicError
	var e *Error
	switch {
	case err == nil:
		return farewell{}
	case errors.Is(err, errUnwound), errors.As(err, &p):
		return farewell{code: byePanicked}
	case errors.As(err, &e) && e.Op == opHandle:
		return farewell{code: byeRejected}
	case errors.Is(err, ErrTooLarge):
		return farewell{code: byeTooLarge, limit: limit}
	case errors.Is(err, ErrTooSlow):
		return farewell{code: byeTooSlow}
	case errors.Is(err, ErrSilent):
		return farewell{code: byeSilent}
	case errors.Is(err, ErrProtocol):
		return farewell{code: byeProtocol}
	case errors.Is(err, errTooMany):
		return farewell{code: byeTooMany}
	case errors.Is(err, fs.ErrPermission):
		return farewell{code: byeRefused}
	}
	return farewell{}
}

// frame is the connection.close that says so.
func (f farewell) frame() string {
	if f.code == "" {
		return controlFrames[kindClose]
	}
	mediaType := reasonPrefix + f.code
	if f.limit > 0 {
		mediaType += ", limit=" + strconv.Itoa(f.limit)
	}
	if f.unsettled {
		mediaType += ", unsettled=yes"
	}
	return string(appendFrame(nil, Message{MediaType{mediaType}, contentClose}))
}

// farewellOf reads a farewell off the media type of a connection.close.
func farewellOf(mediaType MediaType) (f farewell) {
	f.code, _ = mediaType.Parameter("reason")
	_, f.unsettled = mediaType.Parameter("unsettled")
	limit, _ := mediaType.Parameter("limit")
	if n, err := strconv.Atoi(limit); err == nil && n > 0 {
		f.limit = n
	}
	return f
}

// farewells is what the codes mean to a client: what the error is to errors.Is beside
// ErrDisconnected, and what it says.
var farewells = map[string]struct {
	is   []error
	says string
}{
	byeRejected:  {[]error{ErrRejected}, "its handler rejected the first message that is not acknowledged"},
	byePanicked:  {[]error{ErrPanicked}, "its handler panicked at the first message that is not acknowledged"},
	byeUnsettled: {[]error{ErrShutdown}, "it shuts down, and messages were still being handled"},
	byeTooLarge:  {[]error{ErrTooLarge}, "the content of a message is larger than it takes"},
	byeTooSlow:   {[]error{ErrTooSlow}, "this side was too slow to read, or to finish a frame"},
	byeProtocol:  {[]error{ErrProtocol}, "this side broke the protocol"},
	byeRefused:   {[]error{ErrRefused}, "this process may not connect to it"},
	byeTooMany:   {[]error{ErrRefused, ErrBusy}, "this user has as many connections as one user may"},
	byeSilent:    {[]error{ErrSilent}, "nothing had come from this side for too long, no heartbeat either"},
	byeShutdown:  {[]error{ErrShutdown}, "it shuts down"},
}

// blames reports whether the server closed because of the first message that it had not
// acknowledged, or of what came in its place.
func (f farewell) blames() bool {
	return f.code != "" && f.code != byeShutdown && f.code != byeUnsettled
}

// closedError is ErrDisconnected of a server of ours, with the reason that it gave.
type closedError struct{ farewell }

func (e *closedError) Error() string {
	if e.code == "" {
		return ErrDisconnected.Error()
	}
	says := farewells[e.code].says
	if says == "" {
		says = fmt.Sprintf("for the reason %q", e.code) // of a later version
	}
	if e.limit > 0 {
		says += fmt.Sprintf(": its limit is %d bytes", e.limit)
	}
	if e.unsettled {
		says += ", and messages were still being handled"
	}
	return ErrDisconnected.Error() + ": " + says
}

// Unwrap returns ErrDisconnected, and what the reason is beside.
func (e *closedError) Unwrap() []error {
	return append([]error{ErrDisconnected}, farewells[e.code].is...)
}
