package schema

import (
	"reflect"
	"slices"
	"strings"
)

// field is a member of the object that encoding/json writes for a struct.
type field struct {
	reflect.StructField
	name          string
	tagged        bool  // the name is from the tag
	index         []int // the way to the field, through embedded structs
	behindPointer bool  // an embedded pointer leads to it
	quoted        bool  // option string
	always        bool  // the encoder never omits it
	omitsNil      bool  // it omits it at least if it is nil
}

// level is an embedded struct, or the struct itself.
type level struct {
	reflect.Type
	index         []int
	behindPointer bool
}

// fieldsOf returns the members of a struct, in the order in which they are written. The rules are
// those of encoding/json: Of several fields with a name, the least nested one counts; of several
// of those, the one with a tag; if there are still several, none counts. Names with quotes or
// backslashes are taken as they are, although versions of Go differ in what they make of them.
func fieldsOf(t reflect.Type) (members []field) {
	decided := map[string]bool{} // names of less nested fields
	visited := map[reflect.Type]bool{}
	for next := []level{{Type: t}}; len(next) > 0; {
		current := next
		next = nil
		found := map[string][]field{}
		times := map[reflect.Type]int{}
		for _, l := range current {
			times[l.Type]++
		}
		for _, l := range current {
			if visited[l.Type] {
				continue
			}
			visited[l.Type] = true
			next = append(next, l.read(found, times[l.Type])...)
		}
		for name, fields := range found {
			if f, ok := dominant(fields); ok && !decided[name] {
				members = append(members, f)
			}
			decided[name] = true
		}
	}
	slices.SortFunc(members, func(a, b field) int { return slices.Compare(a.index, b.index) })
	return members
}

// read adds the fields of a struct to those that were found, and returns the structs that it
// embeds. A struct that is embedded more than once at its level adds each field twice.
func (l level) read(found map[string][]field, times int) (embedded []level) {
	for i := range l.NumField() {
		sf := l.Field(i)
		index := append(slices.Clip(l.index), i)
		tag, hasTag := sf.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		inner := sf.Type // of an embedded struct
		if inner.Name() == "" && inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		isStruct := inner.Kind() == reflect.Struct
		switch {
		case !sf.IsExported() && !(sf.Anonymous && isStruct), hasTag && tag == "-":
		case sf.Anonymous && isStruct && name == "":
			embedded = append(embedded, level{inner, index, l.behindPointer || sf.Type != inner})
		default:
			f := newField(sf, name, strings.Split(options, ","))
			f.index = index
			f.behindPointer = l.behindPointer
			f.always = f.always && !l.behindPointer
			for range min(times, 2) {
				found[f.name] = append(found[f.name], f)
			}
		}
	}
	return embedded
}

func newField(sf reflect.StructField, name string, options []string) field {
	f := field{StructField: sf, name: name, tagged: name != ""}
	if !f.tagged {
		f.name = sf.Name
	}
	omitZero := slices.Contains(options, "omitzero")
	omitEmpty := slices.Contains(options, "omitempty") && canBeEmpty(sf.Type)
	f.always = !omitZero && !omitEmpty
	f.omitsNil = !f.always
	if slices.Contains(options, "string") {
		t := sf.Type
		if t.Name() == "" && t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		switch t.Kind() {
		case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32,
			reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
			f.quoted = true
		}
	}
	return f
}

// dominant returns the field that counts of those with the same name and nesting.
func dominant(fields []field) (field, bool) {
	if len(fields) == 1 {
		return fields[0], true
	}
	tagged := slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return !f.tagged })
	if len(tagged) == 1 {
		return tagged[0], true
	}
	return field{}, false
}

// canBeEmpty reports whether a value of the type can be one that omitempty omits.
func canBeEmpty(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return false
	case reflect.Array:
		return t.Len() == 0
	}
	return true
}

// description returns the tag doc of the blank field of a struct.
func description(t reflect.Type) string {
	for i := range t.NumField() {
		if f := t.Field(i); f.Name == "_" {
			if text, ok := f.Tag.Lookup("doc"); ok {
				return text
			}
		}
	}
	return ""
}
