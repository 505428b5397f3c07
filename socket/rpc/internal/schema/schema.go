// Package schema describes Go types as JSON Schema, draft 2020-12, in the form in which
// encoding/json encodes their values.
//
// A schema says what the encoder writes. A decoder of encoding/json accepts more: fields may be
// missing or unknown, and null leaves a value as it is.
//
//   - A field is required unless encoding/json may omit it: omitempty, omitzero, or a field of an
//     embedded pointer.
//   - A pointer, a slice and a map may be null, unless such a value is omitted.
//   - A []byte is a string in base64. A time.Time is a string in the format date-time.
//   - A type with MarshalText is a string. A type with MarshalJSON may be anything, unless a
//     method JSONSchema() json.RawMessage returns its schema.
//   - Named structs and recursive types stand in $defs.
//
// Reflection cannot see comments. The tag doc of a field is its description. The tag doc of a
// blank field, as in
//
//	type Status struct {
//		_      struct{} `doc:"what the daemon does at the moment"`
//		Uptime int64    `json:"uptime" doc:"seconds since the start"`
//	}
//
// is the description of the struct.
package schema

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"time"
)

// dialect names the version of JSON Schema.
const dialect = "https://json-schema.org/draft/2020-12/schema"

var (
	timeType   = reflect.TypeFor[time.Time]()
	numberType = reflect.TypeFor[json.Number]()
	marshaler  = reflect.TypeFor[json.Marshaler]()
	texter     = reflect.TypeFor[encoding.TextMarshaler]()
	schemer    = reflect.TypeFor[interface{ JSONSchema() json.RawMessage }]()
)

// Of returns the schema of what json.Marshal returns for a pointer to a value of type t. (For the
// value itself it is the same, unless a method with a pointer receiver encodes a part of it.) Of
// fails if encoding/json does not encode such values: channels, functions, complex numbers, and
// maps with keys that are no texts.
func Of(t reflect.Type) (json.RawMessage, error) {
	b := builder{names: map[subject]string{}, open: map[subject]bool{}, uses: map[string]int{}, defs: map[string]*node{}}
	root, null, err := b.describe(subject{t, true})
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", t, err)
	}
	if name := root.name; b.uses[name] == 1 { // only the root refers to it
		root = b.defs[name]
		delete(b.defs, name)
	}
	if null {
		root = root.orNull()
	}
	if root.own != nil {
		root = &node{AllOf: []*node{root}} // the dialect of the type's own schema may be another one
	}
	root.Dialect, root.Defs = dialect, b.defs
	return json.Marshal(root)
}

// subject is what one schema describes: a type, and whether its values are addressable when they
// are encoded, so that methods with a pointer receiver are called.
type subject struct {
	reflect.Type
	addressable bool
}

// builder makes the schemas of a type and of the types in it.
type builder struct {
	names map[subject]string // in defs, of those that are or will be there
	open  map[subject]bool   // those that are being described; true if they were met again
	uses  map[string]int     // references to each of defs
	defs  map[string]*node
}

// describe returns the schema of a subject without null, and whether null may be in its place.
func (b *builder) describe(s subject) (n *node, null bool, err error) {
	kind := s.Kind()
	null = kind == reflect.Pointer || kind == reflect.Interface
	switch {
	case s.implements(schemer):
		n, err = ownSchema(s.Type)
		return n, null, err
	case s.Type == timeType:
		return &node{Type: types{"string"}, Format: "date-time"}, false, nil
	case s.Type == numberType:
		return &node{Type: types{"number"}}, false, nil
	case kind == reflect.Pointer && s.Elem() == timeType:
		return b.elem(s)
	case s.implements(marshaler):
		return &node{}, false, nil
	case s.implements(texter):
		return &node{Type: types{"string"}}, null, nil
	case s.Name() == "":
		return b.composite(s)
	}
	return b.named(s)
}

// named describes a type with a name. It refers to $defs if the type is a struct or recursive.
func (b *builder) named(s subject) (n *node, null bool, err error) {
	s.addressable = s.addressable || !dependsOnAddress(s.Type)
	null = nilable(s.Kind())
	if name, ok := b.names[s]; ok {
		return b.refer(name), null, nil
	}
	if _, again := b.open[s]; again {
		b.open[s] = true
		return b.refer(b.nameFor(s)), null, nil
	}
	b.open[s] = false
	n, null, err = b.composite(s)
	recursive := b.open[s]
	delete(b.open, s)
	if err != nil || !recursive && s.Kind() != reflect.Struct {
		return n, null, err
	}
	name := b.nameFor(s)
	b.defs[name] = n
	return b.refer(name), null, nil
}

// composite describes a type by its kind.
func (b *builder) composite(s subject) (n *node, null bool, err error) {
	switch s.Kind() {
	case reflect.Bool:
		return &node{Type: types{"boolean"}}, false, nil
	case reflect.Int8, reflect.Int16, reflect.Int32:
		least := int64(-1) << (s.Bits() - 1)
		return integer(least, -least-1), false, nil
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return integer(0, int64(1)<<s.Bits()-1), false, nil
	case reflect.Int, reflect.Int64: // without limits, which readers that use floats round
		return &node{Type: types{"integer"}}, false, nil
	case reflect.Uint, reflect.Uint64, reflect.Uintptr:
		return &node{Type: types{"integer"}, Minimum: new(int64)}, false, nil
	case reflect.Float32, reflect.Float64:
		return &node{Type: types{"number"}}, false, nil
	case reflect.String:
		return &node{Type: types{"string"}}, false, nil
	case reflect.Interface:
		return &node{}, false, nil
	case reflect.Pointer:
		return b.elem(s)
	case reflect.Slice, reflect.Array:
		return b.list(s)
	case reflect.Map:
		return b.dictionary(s)
	case reflect.Struct:
		n, err = b.object(s)
		return n, false, err
	}
	return nil, false, fmt.Errorf("encoding/json does not encode %s", s.Type)
}

// elem describes a pointer as what it points to, or null.
func (b *builder) elem(s subject) (n *node, null bool, err error) {
	n, err = b.describeOrNull(subject{s.Elem(), true})
	return n, true, err
}

func (b *builder) list(s subject) (n *node, null bool, err error) {
	slice := s.Kind() == reflect.Slice
	elem := subject{s.Elem(), slice || s.addressable}
	if e := (subject{s.Elem(), true}); slice && e.Kind() == reflect.Uint8 && !e.implements(marshaler) && !e.implements(texter) {
		return &node{Type: types{"string"}, ContentEncoding: "base64"}, true, nil
	}
	items, err := b.describeOrNull(elem)
	n = &node{Type: types{"array"}, Items: items}
	if !slice {
		length := s.Len()
		n.MinItems, n.MaxItems = &length, &length
	}
	return n, slice, err
}

func (b *builder) dictionary(s subject) (n *node, null bool, err error) {
	n = &node{Type: types{"object"}}
	switch key := s.Key(); key.Kind() {
	case reflect.String:
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if !key.Implements(texter) {
			n.PropertyNames = &node{Pattern: "^-?[0-9]+$"}
		}
	default:
		if !key.Implements(texter) {
			return nil, false, fmt.Errorf("encoding/json does not encode %s: its keys are no texts", s.Type)
		}
	}
	n.AdditionalProperties, err = b.describeOrNull(subject{s.Elem(), false})
	return n, true, err
}

func (b *builder) object(s subject) (*node, error) {
	n := &node{Type: types{"object"}, Description: description(s.Type)}
	for _, f := range fieldsOf(s.Type) {
		value, null, err := b.describe(subject{f.Type, s.addressable || f.behindPointer})
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		if f.quoted && len(value.Type) == 1 { // not of a type that encodes itself
			value = &node{Type: types{"string"}}
		}
		if null && !f.omitsNil {
			value = value.orNull()
		}
		n.Properties = append(n.Properties, property{f.name, value.describedAs(f.Tag.Get("doc"))})
		if f.always {
			n.Required = append(n.Required, f.name)
		}
	}
	return n, nil
}

func (b *builder) describeOrNull(s subject) (*node, error) {
	n, null, err := b.describe(s)
	if null && err == nil {
		n = n.orNull()
	}
	return n, err
}

// refer returns a reference to one of $defs.
func (b *builder) refer(name string) *node {
	b.uses[name]++
	return &node{name: name, Ref: "#/$defs/" + name}
}

var (
	packagePath = regexp.MustCompile(`[^\[\],* ]*[./]`)
	notInNames  = regexp.MustCompile(`[^A-Za-z0-9_]+`)
)

// nameFor returns the name of a subject in $defs: that of its type, with a number if it is taken.
func (b *builder) nameFor(s subject) string {
	if name, ok := b.names[s]; ok {
		return name
	}
	base := notInNames.ReplaceAllString(packagePath.ReplaceAllString(s.Name(), ""), "_")
	name := base
	for i := 2; b.taken(name); i++ {
		name = base + "_" + strconv.Itoa(i)
	}
	b.names[s] = name
	return name
}

func (b *builder) taken(name string) bool {
	for _, other := range b.names {
		if other == name {
			return true
		}
	}
	return false
}

// implements reports whether encoding/json finds a method on values of the subject.
func (s subject) implements(method reflect.Type) bool {
	return s.Implements(method) || s.addressable && s.Kind() != reflect.Pointer && reflect.PointerTo(s.Type).Implements(method)
}

// dependsOnAddress reports whether values of the type are encoded in another way if they are not
// addressable. What a pointer or a slice leads to is always addressable.
func dependsOnAddress(t reflect.Type) bool {
	for _, method := range []reflect.Type{schemer, marshaler, texter} {
		if t.Kind() != reflect.Pointer && !t.Implements(method) && reflect.PointerTo(t).Implements(method) {
			return true
		}
	}
	switch t.Kind() {
	case reflect.Array:
		return dependsOnAddress(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if dependsOnAddress(t.Field(i).Type) {
				return true
			}
		}
	}
	return false
}

func nilable(kind reflect.Kind) bool {
	return kind == reflect.Pointer || kind == reflect.Slice || kind == reflect.Map
}

var errNoSchema = errors.New("JSONSchema returned no JSON object or boolean")

// ownSchema calls the method JSONSchema of a new value.
func ownSchema(t reflect.Type) (*node, error) {
	if t.Kind() == reflect.Interface {
		return &node{}, nil
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	own := reflect.New(t).Interface().(interface{ JSONSchema() json.RawMessage }).JSONSchema()
	var value any
	if err := json.Unmarshal(own, &value); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoSchema, err)
	}
	switch value.(type) {
	case map[string]any, bool:
		return &node{own: own}, nil
	}
	return nil, errNoSchema
}

func integer(least, most int64) *node {
	return &node{Type: types{"integer"}, Minimum: &least, Maximum: &most}
}
