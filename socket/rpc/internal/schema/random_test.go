package schema

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strconv"
	"time"
)

// fill gives a value random contents: nil, empty, zero and others. depth bounds recursion.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	switch v.Type() {
	case timeType:
		v.Set(reflect.ValueOf(time.Unix(r.Int64N(1e10), r.Int64N(1e9)).UTC()))
		return
	case numberType:
		v.SetString(strconv.FormatInt(r.Int64()-r.Int64(), 10))
		return
	case reflect.TypeFor[json.RawMessage]():
		v.SetBytes([]byte([]string{`{"a":[1,null]}`, `"x"`, `null`, `1e3`}[r.IntN(4)]))
		return
	}
	if r.IntN(4) == 0 {
		return // zero
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> (64 - v.Type().Bits()) >> r.IntN(8))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(r.Uint64() >> (64 - v.Type().Bits()) >> r.IntN(8))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(r.NormFloat64() * 1e9)
	case reflect.String:
		v.SetString([]string{"", "a", "é\n\"", "1", "\xff"}[r.IntN(5)])
	case reflect.Interface:
		if v.NumMethod() == 0 {
			v.Set(reflect.ValueOf([]any{1, "x", nil, map[string]any{"b": true}}))
		}
	case reflect.Pointer:
		if depth > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), depth-1)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), depth-1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(3)*min(max(depth, 0), 1), 3))
		for i := range v.Len() {
			fill(r, v.Index(i), depth-1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range r.IntN(3) * min(max(depth, 0), 1) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(r, key, depth-1)
			fill(r, value, depth-1)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Field(i)
			if field.CanSet() {
				fill(r, field, depth-1)
			} else if field.Kind() == reflect.Struct && v.Type().Field(i).Anonymous { // its exported fields can be set
				for j := range field.NumField() {
					if field.Field(j).CanSet() {
						fill(r, field.Field(j), depth-1)
					}
				}
			}
		}
	}
}

// leaves are the types that randomType puts together.
var leaves = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](),
	reflect.TypeFor[int64](), reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](),
	reflect.TypeFor[uint64](), reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[string](), reflect.TypeFor[any](),
	reflect.TypeFor[[]byte](), reflect.TypeFor[json.RawMessage](), reflect.TypeFor[json.Number](), reflect.TypeFor[time.Time](),
	reflect.TypeFor[time.Duration](), reflect.TypeFor[hexByte](), reflect.TypeFor[level8](), reflect.TypeFor[*bothWays](),
	reflect.TypeFor[bothWays](), reflect.TypeFor[node3](), reflect.TypeFor[struct{}](),
}

var tagOptions = []string{"", "", ",omitempty", ",omitzero", ",string", ",omitempty,string", ",omitzero,string", ",omitempty,omitzero"}

// randomType returns a type of leaves in pointers, slices, arrays, maps and structs.
func randomType(r *rand.Rand, depth int) reflect.Type {
	if depth == 0 {
		return leaves[r.IntN(len(leaves))]
	}
	switch r.IntN(7) {
	case 0:
		return reflect.PointerTo(randomType(r, depth-1))
	case 1:
		return reflect.SliceOf(randomType(r, depth-1))
	case 2:
		return reflect.ArrayOf(r.IntN(3), randomType(r, depth-1))
	case 3:
		keys := []reflect.Type{reflect.TypeFor[string](), reflect.TypeFor[int8](), reflect.TypeFor[uint64](), reflect.TypeFor[level8]()}
		return reflect.MapOf(keys[r.IntN(len(keys))], randomType(r, depth-1))
	case 4:
		return randomType(r, 0)
	}
	var fields []reflect.StructField
	for i := range r.IntN(5) {
		name := []string{"", "name" + strconv.Itoa(i), "same", "-", "$odd name/é"}[r.IntN(5)]
		tag := `json:"` + name + tagOptions[r.IntN(len(tagOptions))] + `"`
		fields = append(fields, reflect.StructField{Name: "F" + strconv.Itoa(i), Type: randomType(r, depth-1), Tag: reflect.StructTag(tag)})
	}
	return reflect.StructOf(fields)
}
