package rpc

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/rxipc/rxipc/socket"
)

// Text is the Codec of text/plain. It encodes strings, []byte, types that have one of them as
// their underlying type, types with the methods MarshalText and UnmarshalText, and pointers to
// these.
var Text Codec = textCodec{}

// Bytes is the Codec of application/octet-stream. It encodes strings, []byte, types that have one
// of them as their underlying type, types with the methods MarshalBinary and UnmarshalBinary, and
// pointers to these.
var Bytes Codec = bytesCodec{}

type textCodec struct{}

func (textCodec) MediaType() socket.MediaType { return socket.TextPlain() }

func (textCodec) Encode(value any) ([]byte, error) {
	value, err := plainValue(value, false)
	if err != nil {
		return nil, err
	}
	if m, ok := value.(encoding.TextMarshaler); ok {
		content, err := m.MarshalText()
		return bytes.Clone(content), err // the method may return memory of the value
	}
	return encodePlain(value, "MarshalText")
}

func (textCodec) Decode(content []byte, value any) error {
	value, err := plainValue(value, true)
	if err != nil {
		return err
	}
	if u, ok := value.(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText(content)
	}
	return decodePlain(content, value, "UnmarshalText")
}

// Schema is a string's.
func (textCodec) Schema(reflect.Type) (json.RawMessage, error) {
	return json.RawMessage(`{"type":"string"}`), nil
}

type bytesCodec struct{}

func (bytesCodec) MediaType() socket.MediaType { return socket.OctetStream() }

func (bytesCodec) Encode(value any) ([]byte, error) {
	value, err := plainValue(value, false)
	if err != nil {
		return nil, err
	}
	if m, ok := value.(encoding.BinaryMarshaler); ok {
		content, err := m.MarshalBinary()
		return bytes.Clone(content), err
	}
	return encodePlain(value, "MarshalBinary")
}

func (bytesCodec) Decode(content []byte, value any) error {
	value, err := plainValue(value, true)
	if err != nil {
		return err
	}
	if u, ok := value.(encoding.BinaryUnmarshaler); ok {
		return u.UnmarshalBinary(content)
	}
	return decodePlain(content, value, "UnmarshalBinary")
}

// plainValue follows pointers to pointers up to the last one. It allocates what a nil pointer
// should point to, or fails.
func plainValue(value any, allocate bool) (any, error) {
	v := reflect.ValueOf(value)
	for v.Elem().Kind() == reflect.Pointer {
		v = v.Elem()
		switch {
		case !v.IsNil():
		case allocate:
			v.Set(reflect.New(v.Type().Elem()))
		default:
			return nil, fmt.Errorf("a nil %s has no content", v.Type())
		}
	}
	return v.Interface(), nil
}

// encodePlain returns a string or a []byte, which value points to, as a content.
func encodePlain(value any, method string) ([]byte, error) {
	switch value := value.(type) {
	case *string:
		return []byte(*value), nil
	case *[]byte:
		return bytes.Clone(*value), nil
	}
	v := reflect.ValueOf(value).Elem()
	switch {
	case v.Kind() == reflect.String:
		return []byte(v.String()), nil
	case isBytes(v.Type()):
		return bytes.Clone(v.Bytes()), nil
	}
	return nil, notPlain(v.Type(), method)
}

// decodePlain sets the string or the []byte that value points to.
func decodePlain(content []byte, value any, method string) error {
	v := reflect.ValueOf(value).Elem()
	switch {
	case v.Kind() == reflect.String:
		v.SetString(string(content))
	case isBytes(v.Type()):
		v.SetBytes(bytes.Clone(content))
	default:
		return notPlain(v.Type(), method)
	}
	return nil
}

func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

func notPlain(t reflect.Type, method string) error {
	return fmt.Errorf("%s is no string, no []byte, and has no method %s", t, method)
}
