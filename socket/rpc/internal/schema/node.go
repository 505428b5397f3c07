package schema

import (
	"bytes"
	"encoding/json"
)

// node is a schema: the keywords that this package uses, in the order in which they are written.
type node struct {
	name string          // in $defs, of a reference
	own  json.RawMessage // what the type's method returned; all other fields are empty then

	Dialect              string     `json:"$schema,omitempty"`
	Description          string     `json:"description,omitempty"`
	Ref                  string     `json:"$ref,omitempty"`
	Type                 types      `json:"type,omitempty"`
	Format               string     `json:"format,omitempty"`
	ContentEncoding      string     `json:"contentEncoding,omitempty"`
	Pattern              string     `json:"pattern,omitempty"`
	Minimum              *int64     `json:"minimum,omitempty"`
	Maximum              *int64     `json:"maximum,omitempty"`
	MinItems             *int       `json:"minItems,omitempty"`
	MaxItems             *int       `json:"maxItems,omitempty"`
	Items                *node      `json:"items,omitempty"`
	PropertyNames        *node      `json:"propertyNames,omitempty"`
	AdditionalProperties *node      `json:"additionalProperties,omitempty"`
	Properties           properties `json:"properties,omitempty"`
	Required             []string   `json:"required,omitempty"`
	AllOf                []*node    `json:"allOf,omitempty"`
	AnyOf                []*node    `json:"anyOf,omitempty"`

	Defs map[string]*node `json:"$defs,omitempty"`
}

// orNull returns the schema of a value that n describes, or null.
func (n *node) orNull() *node {
	null := &node{Type: types{"null"}}
	switch {
	case n.own != nil || n.Ref != "":
		return &node{AnyOf: []*node{n, null}}
	case len(n.Type) == 1:
		n.Type = append(n.Type, "null")
	}
	return n // n describes null already
}

// describedAs adds a description, which may be empty.
func (n *node) describedAs(text string) *node {
	switch {
	case text == "":
		return n
	case n.own != nil:
		return &node{Description: text, AllOf: []*node{n}}
	}
	n.Description = text
	return n
}

func (n *node) MarshalJSON() ([]byte, error) {
	if n.own != nil {
		return n.own, nil
	}
	type plain node
	return json.Marshal((*plain)(n))
}

// types is one type, or several.
type types []string

func (t types) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// properties are the fields of an object, in their order.
type properties []property

type property struct {
	name  string
	value *node
}

func (p properties) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	separator := byte('{')
	for _, each := range p {
		out.WriteByte(separator)
		separator = ','
		name, err := json.Marshal(each.name)
		if err != nil {
			return nil, err
		}
		value, err := each.value.MarshalJSON()
		if err != nil {
			return nil, err
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}
