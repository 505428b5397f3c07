package sender

import (
	"crypto/rand"

	"github.com/rxipc/rxipc/socket"
)

// Identified returns the message with an id, as the parameter id of its media type, unless it has
// one. The id is random, so that no other message has it. A server that remembers ids, such as
// the journal of socket/nats, then recognizes a message that is sent again:
//
//	s.SendAll(operators.Map(sender.Identified)(messages))
//
// A message that cannot be sent, since it has no media type or a too long one, stays as it is.
func Identified(m socket.Message) socket.Message {
	if _, has := m.MediaType().Parameter("id"); has {
		return m
	}
	mediaType, err := socket.ParseMediaType(m.MediaType().String() + "; id=" + rand.Text())
	if err != nil {
		return m
	}
	return socket.NewMessage(mediaType, m.Content())
}
