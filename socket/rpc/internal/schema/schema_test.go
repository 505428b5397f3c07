package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

type hexByte byte

func (h hexByte) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%02x", byte(h)), nil }

type level8 int8

func (l level8) MarshalText() ([]byte, error) { return []byte("level " + strconv.Itoa(int(l))), nil }

// bothWays is a string if a value is addressable, and an object otherwise.
type bothWays struct {
	Plain int
}

func (b *bothWays) MarshalText() ([]byte, error) { return []byte(strconv.Itoa(b.Plain)), nil }

type node3 struct {
	Next  *node3            `json:"next,omitempty"`
	Kids  []node3           `json:"kids"`
	Named map[string]*node3 `json:"named,omitzero"`
	Value string            `json:"value" doc:"what it holds"`
}

type forest map[string]forest

type colour string

func (colour) JSONSchema() json.RawMessage { return json.RawMessage(`{"enum":["red","blue"]}`) }

func (c colour) MarshalJSON() ([]byte, error) { return []byte(`"red"`), nil }

type Base struct {
	ID   int `json:"id"`
	Name string
	Over int
}

type hidden struct {
	Shown int
	Twice string
}

type Other struct {
	Twice string
	ID    string `json:"ID,omitempty"`
}

type notStruct int

type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

type everything struct {
	_ struct{} `doc:"all that there is"`
	Base
	*Other
	hidden
	notStruct
	Over     string `json:"Over"`
	Times    []time.Time
	At       *time.Time `json:",omitempty"`
	Lasts    time.Duration
	Raw      json.RawMessage
	Big      *big.Int
	Float    big.Float
	Floats   map[string]big.Float
	Address  netip.Addr
	Prefixes map[netip.Prefix]bool
	Hex      []hexByte
	Bytes    []byte `json:"bytes,omitempty"`
	Fixed    [2]byte
	Colour   colour  `doc:"of the door"`
	Colour2  *colour `json:",omitempty"`
	Deep     **[]int `json:",omitempty"`
	Tree     node3
	Pages    page[node3]
	Others   *page[map[string]hexByte] `json:"others"`
	Forest   forest                    `json:",omitempty"`
	Err      error                     `json:",omitempty"`
	Both     bothWays
	Boths    map[string]struct{ B bothWays }
	Quoted   *int64      `json:",string"`
	Number   json.Number `json:",string"`
	Skip     chan int    `json:"-"`
	Struct   struct{}    `json:",omitempty"`
	Own      marshalled  `json:",string"`
	Behind   behindPointer
	Behinds  map[string]behindPointer
	Slices   map[string][]bothWays
	Twice2   struct {
		EmbedsOnce
		EmbedsToo
	}
}

// marshalled has the kind of an int, and is an object.
type marshalled int

func (marshalled) MarshalJSON() ([]byte, error) { return []byte(`{"own":1}`), nil }

type behindPointer struct {
	*Behind
	Direct bothWays
}

type Behind struct {
	Always int
	Both   bothWays
}

type EmbedsOnce struct{ Common }

type EmbedsToo struct{ Common }

type Common struct{ Ambiguous int }

// decode decodes JSON and keeps numbers as they are written.
func decode(t *testing.T, text []byte) (value any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("decode %s: %v", text, err)
	}
	return value
}

// checkRandom makes random values of a type and checks that their encodings are valid.
func checkRandom(t *testing.T, r *rand.Rand, typ reflect.Type, values int) {
	t.Helper()
	text, err := Of(typ)
	if err != nil {
		t.Fatalf("describe %v: %v", typ, err)
	}
	described := decode(t, text)
	for range values {
		value := reflect.New(typ)
		fill(r, value.Elem(), 4)
		encoded, err := json.Marshal(value.Interface())
		if err != nil {
			t.Fatalf("encode a %v: %v", typ, err)
		}
		if err := validate(described, described, decode(t, encoded), "value"); err != nil {
			t.Fatalf("validate a %v: %v\nvalue:  %s\nschema: %s", typ, err, encoded, text)
		}
	}
}

func TestSchemaHoldsForRandomValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, typ := range []reflect.Type{
		reflect.TypeFor[everything](), reflect.TypeFor[*everything](), reflect.TypeFor[[]node3](), reflect.TypeFor[forest](),
		reflect.TypeFor[map[level8]bothWays](), reflect.TypeFor[[2]bothWays](), reflect.TypeFor[error](), reflect.TypeFor[any](),
	} {
		checkRandom(t, r, typ, 300)
	}
}

func TestSchemaHoldsForRandomTypes(t *testing.T) {
	rounds, _ := strconv.Atoi(os.Getenv("RXIPC_ROUNDS"))
	for seed := range 200 * uint64(max(rounds, 1)) {
		r := rand.New(rand.NewPCG(seed, 0))
		checkRandom(t, r, randomType(r, 3), 10)
	}
}

// TestSchemaRequiresWhatIsAlwaysWritten encodes a zero value: its members are those that the encoder
// always writes. The schema must require them, and no others.
func TestSchemaRequiresWhatIsAlwaysWritten(t *testing.T) {
	text, err := Of(reflect.TypeFor[everything]())
	if err != nil {
		t.Fatalf("describe everything: %v", err)
	}
	described := decode(t, text).(map[string]any)
	zero, err := json.Marshal(&everything{notStruct: 1})
	if err != nil {
		t.Fatalf("encode everything: %v", err)
	}
	written := decode(t, zero).(map[string]any)
	required := described["required"].([]any)
	if len(required) != len(written) {
		t.Errorf("the schema requires %d members, want %d, those of %s:\n%s", len(required), len(written), zero, text)
	}
	for _, name := range required {
		value := written[name.(string)]
		delete(written, name.(string))
		if err := validate(described, described, written, "value"); err == nil {
			t.Errorf("a value without %s is valid, want an error", name)
		}
		written[name.(string)] = value
	}
}

func TestSchemaText(t *testing.T) {
	type inner struct {
		Lines []string `json:"lines"`
	}
	type status struct {
		_      struct{}  `doc:"what the daemon does"`
		State  string    `json:"state" doc:"running or stopping"`
		Uptime uint32    `json:"uptime,omitempty"`
		Since  time.Time `json:"since"`
		Last   *inner    `json:"last"`
		Other  inner     `json:"other,omitzero" doc:"the other one"`
	}
	for _, test := range []struct {
		typ  reflect.Type
		want string
	}{
		{reflect.TypeFor[int8](), `{"type":"integer","minimum":-128,"maximum":127}`},
		{reflect.TypeFor[uint64](), `{"type":"integer","minimum":0}`},
		{reflect.TypeFor[*float32](), `{"type":["number","null"]}`},
		{reflect.TypeFor[[]byte](), `{"type":["string","null"],"contentEncoding":"base64"}`},
		{reflect.TypeFor[[2]bool](), `{"type":"array","minItems":2,"maxItems":2,"items":{"type":"boolean"}}`},
		{reflect.TypeFor[map[int]string](), `{"type":["object","null"],"propertyNames":{"pattern":"^-?[0-9]+$"},"additionalProperties":{"type":"string"}}`},
		{reflect.TypeFor[any](), `{}`},
		{reflect.TypeFor[json.RawMessage](), `{}`},
		{reflect.TypeFor[struct{}](), `{"type":"object"}`},
		{reflect.TypeFor[*colour](), `{"anyOf":[{"enum":["red","blue"]},{"type":"null"}]}`},
		{reflect.TypeFor[colour](), `{"allOf":[{"enum":["red","blue"]}]}`},
		{reflect.TypeFor[forest](), `{"anyOf":[{"$ref":"#/$defs/forest"},{"type":"null"}],` +
			`"$defs":{"forest":{"type":"object","additionalProperties":{"anyOf":[{"$ref":"#/$defs/forest"},{"type":"null"}]}}}}`},
		{reflect.TypeFor[page[node3]](), `{"type":"object","properties":{"items":{"type":["array","null"],"items":{"$ref":"#/$defs/node3"}},` +
			`"next":{"type":"string"}},"required":["items"],"$defs":{"node3":{"type":"object","properties":{"next":{"$ref":"#/$defs/node3"},` +
			`"kids":{"type":["array","null"],"items":{"$ref":"#/$defs/node3"}},"named":{"type":"object","additionalProperties":` +
			`{"anyOf":[{"$ref":"#/$defs/node3"},{"type":"null"}]}},"value":{"description":"what it holds","type":"string"}},"required":["kids","value"]}}}`},
		{reflect.TypeFor[status](), `{"description":"what the daemon does","type":"object","properties":{` +
			`"state":{"description":"running or stopping","type":"string"},"uptime":{"type":"integer","minimum":0,"maximum":4294967295},` +
			`"since":{"type":"string","format":"date-time"},"last":{"anyOf":[{"$ref":"#/$defs/inner"},{"type":"null"}]},` +
			`"other":{"description":"the other one","$ref":"#/$defs/inner"}},"required":["state","since","last"],` +
			`"$defs":{"inner":{"type":"object","properties":{"lines":{"type":["array","null"],"items":{"type":"string"}}},"required":["lines"]}}}`},
	} {
		text, err := Of(test.typ)
		if err != nil {
			t.Errorf("describe %v: %v", test.typ, err)
			continue
		}
		got, found := strings.CutPrefix(string(text), `{"$schema":"`+dialect+`"`)
		got = "{" + strings.TrimPrefix(got, ",")
		if !found || got != test.want {
			t.Errorf("the schema of %v is\n%s, want\n%s", test.typ, got, test.want)
		}
	}
}

func TestSchemaOfTypesWithOneNameAreApart(t *testing.T) {
	type inner struct{ A int }
	first := reflect.TypeFor[inner]()
	second := func() reflect.Type {
		type inner struct{ B string }
		return reflect.TypeFor[inner]()
	}()
	both := reflect.StructOf([]reflect.StructField{{Name: "First", Type: first}, {Name: "Second", Type: second}, {Name: "Third", Type: first}})
	text, err := Of(both)
	if err != nil {
		t.Fatalf("describe %v: %v", both, err)
	}
	for _, want := range []string{`"First":{"$ref":"#/$defs/inner"}`, `"Second":{"$ref":"#/$defs/inner_2"}`, `"Third":{"$ref":"#/$defs/inner"}`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the schema of two types called inner is %s, want %s in it", text, want)
		}
	}
}

func TestSchemaOfWhatIsNotEncodedFails(t *testing.T) {
	type chans struct {
		Deep []map[string]chan int `json:"deep"`
	}
	for _, test := range []struct {
		typ  reflect.Type
		want string
	}{
		{reflect.TypeFor[func()](), "encoding/json does not encode func()"},
		{reflect.TypeFor[complex64](), "complex64"},
		{reflect.TypeFor[map[bool]int](), "its keys are no texts"},
		{reflect.TypeFor[chans](), "field Deep: encoding/json does not encode chan int"},
	} {
		if text, err := Of(test.typ); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("describe %v: %s, %v, want an error with %q", test.typ, text, err, test.want)
		}
	}
}

type noSchema struct{}

func (noSchema) JSONSchema() json.RawMessage { return json.RawMessage(`[1]`) }

type brokenSchema struct{}

func (brokenSchema) JSONSchema() json.RawMessage { return json.RawMessage(`{`) }

func TestSchemaOfOwnMethodMustBeSchema(t *testing.T) {
	for _, typ := range []reflect.Type{reflect.TypeFor[noSchema](), reflect.TypeFor[*brokenSchema]()} {
		if text, err := Of(typ); !errors.Is(err, errNoSchema) {
			t.Errorf("describe %v: %s, %v, want %v", typ, text, err, errNoSchema)
		}
	}
}
