package rpc

import (
	"encoding/json"
	"reflect"
	"unsafe"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc/internal/schema"
)

// Codec turns values into the contents of messages and back. Its methods may be called from any
// goroutine.
type Codec interface {
	// MediaType returns the media type of the contents, without parameters: [socket.JSON].
	MediaType() socket.MediaType

	// Encode returns a value as content. The argument is a pointer to it. The codec neither keeps
	// nor changes the result afterwards, and the result shares no memory with the value.
	Encode(value any) ([]byte, error)

	// Decode sets the value that a pointer points to. It must neither keep nor change the
	// content, whose memory is that of the received message, and may be used again for another
	// one. A caller whose request cannot be
	// decoded gets the text of the error.
	Decode(content []byte, value any) error
}

// JSON is the Codec of application/json, with encoding/json.
var JSON Codec = jsonCodec{}

type jsonCodec struct{}

func (jsonCodec) MediaType() socket.MediaType            { return socket.JSON() }
func (jsonCodec) Encode(value any) ([]byte, error)       { return json.Marshal(value) }
func (jsonCodec) Decode(content []byte, value any) error { return json.Unmarshal(content, value) }

// Schema is made of the type.
func (jsonCodec) Schema(t reflect.Type) (json.RawMessage, error) { return schema.Of(t) }

// borrowed returns the content of a message without a copy. It must not be changed.
func borrowed(m socket.Message) []byte {
	content := m.Content()
	return unsafe.Slice(unsafe.StringData(content), len(content))
}

// adopted returns a message of a content that nobody changes any more, without a copy.
func adopted(mediaType socket.MediaType, content []byte) socket.Message {
	return socket.NewMessage(mediaType, unsafe.String(unsafe.SliceData(content), len(content)))
}
