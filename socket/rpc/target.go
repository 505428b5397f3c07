package rpc

import (
	"strconv"
	"strings"

	"github.com/rxipc/rxipc/socket"
)

// target is what a message asks for: a method by its kind and name.
type target struct {
	kind Kind
	name string
}

// The parameters that are no methods, but belong to what another message began.
const (
	callParameter   = "call"   // of a request of a server to its client: the number of the request
	replyParameter  = "reply"  // of the response to such a request: its number
	windowParameter = "window" // of a request for a stream: how many answers may be on their way
	creditParameter = "credit" // of a message of the client: how many answers more
	endParameter    = "end"    // of the last message of a stream that completes
)

const (
	kindReply  Kind = replyParameter
	kindCredit Kind = creditParameter
)

// targetOf returns what a media type asks for. The kind is empty if it asks for nothing of this
// package.
func targetOf(mt socket.MediaType) target {
	for name, value := range mt.Parameters() {
		switch kind := Kind(strings.ToLower(name)); kind {
		case KindCall, KindStream, KindNotice, kindReply, kindCredit:
			return target{kind, value}
		}
	}
	return target{}
}

// isMethod reports whether a message of the kind asks for a method.
func isMethod(kind Kind) bool { return kind == KindCall || kind == KindStream || kind == KindNotice }

// numberOf returns the value of a parameter that is a number, and whether there is one.
func numberOf(mt socket.MediaType, name string) (uint64, bool) {
	text, ok := mt.Parameter(name)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, 63)
	return n, err == nil
}

// numbered returns a message with a further parameter that is a number.
func numbered(m socket.Message, name string, n uint64) (socket.Message, error) {
	mediaType, err := withParameter(m.MediaType(), name, strconv.FormatUint(n, 10))
	if err != nil {
		return m, err
	}
	return socket.NewMessage(mediaType, m.Content()), nil
}
