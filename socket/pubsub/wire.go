package pubsub

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// The messages of a hub and its subscribers are of type text/plain and say with the parameter
// pubsub what they are. PROTOCOL.md describes them.
const (
	kindParameter = "pubsub"

	kindSubscribe = "subscribe" // content: patterns, one a line
	kindDropped   = "dropped"   // count: messages that are missing here
	kindEnded     = "ended"     // reason: why the hub ends the subscription; count as above

	reasonTooSlow = "too-slow"
)

// overflows are the words for what happens at a full buffer.
var overflows = map[string]stream.Overflow{
	"drop-oldest": stream.DropOldest,
	"drop-newest": stream.DropNewest,
	"fail":        stream.Fail,
}

// request is what a subscriber asks for.
type request struct {
	patterns []string // valid; none: all topics
	overflow stream.Overflow
	buffer   int // 0: the hub's
}

// message returns the message that asks for it.
func (r request) message() socket.Message {
	parameters := kindParameter + "=" + kindSubscribe
	for word, overflow := range overflows {
		if r.overflow == overflow {
			parameters += ", overflow=" + word
		}
	}
	if r.buffer > 0 {
		parameters += ", buffer=" + strconv.Itoa(r.buffer)
	}
	return plain(parameters, strings.Join(r.patterns, "\n"))
}

// kindOf returns what a message between hub and subscriber is, "" if it is none.
func kindOf(m socket.Message) string {
	kind, _ := m.MediaType().Parameter(kindParameter)
	return kind
}

// requestOf reads a message of kindSubscribe.
func requestOf(m socket.Message) (r request, err error) {
	for line := range strings.SplitSeq(m.Content(), "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := checkPattern(line); err != nil {
			return request{}, err
		}
		r.patterns = append(r.patterns, line)
	}
	if len(r.patterns) == 0 {
		r.patterns = []string{">"}
	}
	if word, ok := m.MediaType().Parameter("overflow"); ok {
		if r.overflow, ok = overflows[word]; !ok {
			return request{}, fmt.Errorf("%w: unknown overflow %q", socket.ErrInvalid, word)
		}
	}
	if text, ok := m.MediaType().Parameter("buffer"); ok {
		if r.buffer, err = strconv.Atoi(text); err != nil || r.buffer < 1 {
			return request{}, fmt.Errorf("%w: a buffer of %q messages", socket.ErrInvalid, text)
		}
	}
	return r, nil
}

// droppedNotice says that count messages are missing at this place.
func droppedNotice(count int) socket.Message {
	return plain(fmt.Sprintf("%s=%s, count=%d", kindParameter, kindDropped, count),
		fmt.Sprintf("%d messages were dropped here, since this subscriber was too slow", count))
}

// notice says that the hub ends the subscription, and why.
func (e *SlowError) notice() socket.Message {
	return plain(fmt.Sprintf("%s=%s, reason=%s, count=%d", kindParameter, kindEnded, reasonTooSlow, e.Missing), e.Reason)
}

// countOf returns the count in a notice.
func countOf(m socket.Message) int {
	text, _ := m.MediaType().Parameter("count")
	count, _ := strconv.Atoi(text)
	return max(0, count)
}

func plain(parameters, content string) socket.Message {
	return socket.NewMessage(socket.MustParseMediaType(socket.TextPlain().String()+"; "+parameters), content)
}
