package rpc

import (
	"cmp"
	"context"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/rxipc/rxipc/socket"
)

// Describe is the method with which every [Server] tells its methods:
//
//	description, err := rpc.Describe.Call(ctx, pool, struct{}{})
//
// A handler of your own for Describe takes the place of the server's, for instance to tell
// nothing, or to tell it to some clients only.
var Describe = NewMethod[struct{}, Description]("rpc.describe").Doc("The methods of the server, and the types of their requests and responses.")

// Description is what a server tells of itself.
type Description struct {
	Methods []MethodDescription `json:"methods"` // by name
}

// MethodDescription is what a server tells of a method.
//
// Request and Response are JSON Schema (draft 2020-12), from the first of the method's codecs that
// has a [Schemer], and empty if none has. The schema of [JSON] is made of the Go type: the tag doc
// of a field is its description, as in
//
//	type Status struct {
//		_      struct{}  `doc:"what the daemon does"` // of the type
//		Since  time.Time `json:"since" doc:"when it was started"`
//	}
//
// A type with the method MarshalJSON may have the method JSONSchema() json.RawMessage, which
// returns its schema. Otherwise the schema allows anything there.
type MethodDescription struct {
	Name       string             `json:"name"`          // the value of the parameter of the media type
	Kind       Kind               `json:"kind"`          // the name of that parameter
	Doc        string             `json:"doc,omitempty"` // from Doc of the method
	MediaTypes []socket.MediaType `json:"mediaTypes"`    // of requests; a response has that of its request

	Request  json.RawMessage `json:"request,omitempty"`  // JSON Schema
	Response json.RawMessage `json:"response,omitempty"` // of each answer if it is a stream
}

// Schemer is implemented by a [Codec] that can tell the JSON Schema of what it encodes.
type Schemer interface {
	// Schema returns the JSON Schema of encoded values of a type. If it fails, Describe leaves
	// the schema out.
	Schema(t reflect.Type) (json.RawMessage, error)
}

// describe answers Describe.
func (s Server) describe(context.Context, struct{}) (d Description, err error) {
	for _, handlers := range s.handlers {
		for _, h := range handlers {
			d.Methods = append(d.Methods, h.describe())
		}
	}
	slices.SortFunc(d.Methods, func(a, b MethodDescription) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	})
	return d, nil
}

func (h Handler) describe() MethodDescription {
	d := MethodDescription{Name: h.name, Kind: h.kind, Doc: h.doc, Request: h.schema(h.request), Response: h.schema(h.response)}
	for _, codec := range h.codecs {
		d.MediaTypes = append(d.MediaTypes, codec.MediaType())
	}
	return d
}

// schema returns the JSON Schema of a type, nil if no codec tells one.
func (h Handler) schema(t reflect.Type) json.RawMessage {
	if t == nil { // a notification has no response
		return nil
	}
	for _, codec := range h.codecs {
		if schemer, ok := codec.(Schemer); ok {
			if text, err := schemer.Schema(t); err == nil {
				return text
			}
		}
	}
	return nil
}
