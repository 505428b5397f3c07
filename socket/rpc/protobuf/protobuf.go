// Package protobuf has codecs of package rpc for Protocol Buffers. It is a module of its own, so
// that package rpc does not depend on google.golang.org/protobuf.
//
// The types of a method are pointers to generated messages:
//
//	var Resize = rpc.NewMethod[*imagepb.Job, *imagepb.Picture]("resize").Codecs(protobuf.Binary, protobuf.JSON)
//
// A client sends what the first codec encodes. The server of the example also takes JSON, which
// any program can write.
package protobuf

import (
	"encoding/json"
	"fmt"
	"reflect"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
)

var (
	// Binary is the codec of application/protobuf, the wire format of Protocol Buffers. A nil
	// message is encoded as an empty one.
	Binary rpc.Codec = codec{socket.MustParseMediaType("application/protobuf"), proto.Marshal, proto.Unmarshal}

	// JSON is the codec of application/json, in the JSON format of Protocol Buffers (ProtoJSON). It
	// takes the place of [rpc.JSON], since encoding/json cannot encode messages. A nil message is
	// encoded as an empty one. A request or a response with a field that its message does not have is
	// refused.
	JSON rpc.Codec = codec{socket.JSON(), protojson.Marshal, protojson.Unmarshal}
)

type codec struct {
	mediaType socket.MediaType
	marshal   func(proto.Message) ([]byte, error)
	unmarshal func([]byte, proto.Message) error
}

func (c codec) MediaType() socket.MediaType { return c.mediaType }

func (c codec) Encode(value any) ([]byte, error) {
	message, err := messageIn(reflect.ValueOf(value).Elem())
	if err != nil {
		return nil, err
	}
	return c.marshal(message)
}

func (c codec) Decode(content []byte, value any) error {
	v := reflect.ValueOf(value).Elem()
	if v.Kind() == reflect.Pointer && v.IsNil() {
		v.Set(reflect.New(v.Type().Elem()))
	}
	message, err := messageIn(v)
	if err != nil {
		return err
	}
	return c.unmarshal(content, message)
}

// Schema has the full name of a message as its title, and says nothing of its fields: a client
// knows them from the .proto file.
func (c codec) Schema(t reflect.Type) (json.RawMessage, error) {
	message, err := messageIn(reflect.New(t).Elem())
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"title": message.ProtoReflect().Descriptor().FullName()})
}

// messageIn returns the message that a variable holds. It is nearly always a pointer.
func messageIn(v reflect.Value) (proto.Message, error) {
	if message, ok := v.Interface().(proto.Message); ok {
		return message, nil
	}
	if message, ok := v.Addr().Interface().(proto.Message); ok {
		return message, nil
	}
	return nil, fmt.Errorf("%s is no message of Protocol Buffers", v.Type())
}
