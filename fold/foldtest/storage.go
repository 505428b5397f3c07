package foldtest

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// render returns the text of a value, including the targets of pointers and unexported
// fields.
func render[T any](value T) string {
	var p printer
	return p.text(reflect.ValueOf(&value).Elem())
}

// storage is render including the elements of each slice between its length and its
// capacity, which other slices may share. If two texts of a value, taken at different times,
// are equal, its storage did not change in between.
func storage[T any](value T) string {
	p := printer{spare: true}
	return p.text(reflect.ValueOf(&value).Elem())
}

type printer struct {
	spare bool     // include the elements past a slice's length
	path  []parent // the enclosing references, to stop at cycles
}

// parent is a pointer, map or slice.
type parent struct {
	kind   reflect.Type
	target unsafe.Pointer
	length int
}

func (p *printer) text(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		return v.Elem().Type().String() + "(" + p.text(v.Elem()) + ")"
	case reflect.Struct:
		return "{" + p.list(v.NumField(), func(i int) string {
			return v.Type().Field(i).Name + ":" + p.text(v.Field(i))
		}) + "}"
	case reflect.Array:
		return "[" + p.list(v.Len(), func(i int) string { return p.text(v.Index(i)) }) + "]"
	case reflect.Pointer:
		if v.IsNil() {
			return "nil"
		}
		return p.within(v, 0, func() string { return "&" + p.text(v.Elem()) })
	case reflect.Slice:
		return p.within(v, v.Len(), func() string { return p.slice(v) })
	case reflect.Map:
		return p.within(v, v.Len(), func() string { return p.entries(v) })
	case reflect.String:
		return strconv.Quote(v.String())
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case reflect.Complex64, reflect.Complex128:
		return strconv.FormatComplex(v.Complex(), 'g', -1, 128)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return "0x" + strconv.FormatUint(uint64(v.Pointer()), 16)
	}
	if v.CanInt() {
		return strconv.FormatInt(v.Int(), 10)
	}
	return strconv.FormatUint(v.Uint(), 10)
}

func (p *printer) list(n int, item func(i int) string) string {
	items := make([]string, n)
	for i := range n {
		items[i] = item(i)
	}
	return strings.Join(items, " ")
}

func (p *printer) slice(v reflect.Value) string {
	whole := v.Slice(0, v.Cap())
	text := p.list(v.Len(), func(i int) string { return p.text(whole.Index(i)) })
	if p.spare && v.Len() < v.Cap() {
		text += " | " + p.list(v.Cap()-v.Len(), func(i int) string { return p.text(whole.Index(v.Len() + i)) })
	}
	return "[" + text + "]"
}

func (p *printer) entries(v reflect.Value) string {
	var entries []string
	for each := v.MapRange(); each.Next(); {
		entries = append(entries, p.text(each.Key())+":"+p.text(each.Value()))
	}
	slices.Sort(entries)
	return "map[" + strings.Join(entries, " ") + "]"
}

// within returns inside(), unless the reference contains itself.
func (p *printer) within(v reflect.Value, length int, inside func() string) string {
	here := parent{v.Type(), v.UnsafePointer(), length}
	if here.target != nil && slices.Contains(p.path, here) {
		return "..."
	}
	p.path = append(p.path, here)
	defer func() { p.path = p.path[:len(p.path)-1] }()
	return inside()
}

// shared reports whether two values of one type share storage that either could change: the
// target of a pointer, or a map or a slice's array, also within structs and arrays. It
// ignores pointers within a value, because many have targets that may be shared, such as a
// time zone.
func shared(a, b reflect.Value) bool {
	if a.Kind() == reflect.Pointer {
		return !a.IsNil() && a.Type().Elem().Size() > 0 && a.Pointer() == b.Pointer()
	}
	return sharedInside(a, b)
}

func sharedInside(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Map:
		return !a.IsNil() && a.Pointer() == b.Pointer()
	case reflect.Slice:
		return a.Cap() > 0 && a.Type().Elem().Size() > 0 && a.Pointer() == b.Pointer()
	case reflect.Struct:
		for i := range a.NumField() {
			if sharedInside(a.Field(i), b.Field(i)) {
				return true
			}
		}
	case reflect.Array:
		for i := range a.Len() {
			if sharedInside(a.Index(i), b.Index(i)) {
				return true
			}
		}
	}
	return false
}
