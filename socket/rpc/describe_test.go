package rpc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/socket/sockettest"
)

// serveFor serves until the test ends, over a network in memory, and returns a pool of clients.
// The test is a bubble of synctest.
func serveFor(t *testing.T, server rpc.Server) *socket.Pool {
	t.Helper()
	ipc := socket.New(socket.Config{Transport: sockettest.NewNetwork()})
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, ipc, name) }()
	pool := ipc.Pool(name, socket.PoolConfig{})
	t.Cleanup(func() {
		pool.Close(ctx)
		stop()
		<-served
	})
	return pool
}

type order struct {
	_     struct{} `doc:"what a customer wants"`
	Item  string   `json:"item" doc:"its number in the catalogue"`
	Count uint8    `json:"count,omitempty"`
}

var (
	place = rpc.NewMethod[order, struct{}]("place").Doc("Places an order.").Codecs(rpc.JSON, rpc.Bytes)
	raw   = rpc.NewMethod[[]byte, []byte]("raw").Codecs(rpc.Bytes)
)

func placeOrder(context.Context, order) (struct{}, error) { return struct{}{}, nil }

func echo(_ context.Context, content []byte) ([]byte, error) { return content, nil }

func TestDescribeTellsMethods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := serveFor(t, rpc.NewServer(rpc.Handle(raw, echo), rpc.Handle(place, placeOrder)))
		description, err := rpc.Describe.Call(t.Context(), pool, struct{}{})
		if err != nil {
			t.Fatalf("call Describe: %v", err)
		}
		const dialect = `"$schema":"https://json-schema.org/draft/2020-12/schema"`
		want := []rpc.MethodDescription{
			{
				Name: "place", Kind: rpc.KindCall, Doc: "Places an order.", MediaTypes: []socket.MediaType{socket.JSON(), socket.OctetStream()},
				Request: json.RawMessage(`{` + dialect + `,"description":"what a customer wants","type":"object","properties":{` +
					`"item":{"description":"its number in the catalogue","type":"string"},"count":{"type":"integer","minimum":0,"maximum":255}},"required":["item"]}`),
				Response: json.RawMessage(`{` + dialect + `,"type":"object"}`),
			},
			{Name: "raw", Kind: rpc.KindCall, MediaTypes: []socket.MediaType{socket.OctetStream()}},
		}
		if len(description.Methods) != 3 || !reflect.DeepEqual(description.Methods[:2], want) {
			t.Errorf("Describe told\n%s, want first\n%s", asJSON(description), asJSON(want))
		}
		if own := description.Methods[len(description.Methods)-1]; own.Name != "rpc.describe" || !strings.Contains(string(own.Response), `"mediaTypes"`) {
			t.Errorf("Describe told of itself %s, want its name and the schema of its response", asJSON(own))
		}
	})
}

func TestDescribeTellsStreamsAndNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		touched := rpc.NewNotice[string]("count").Doc("A file has changed.") // the name of a stream, too
		pool := serveFor(t, rpc.NewServer(counts, rpc.HandleNotice(touched, func(context.Context, string) error { return nil })))
		got, err := rpc.Describe.Call(t.Context(), pool, struct{}{})
		if err != nil || len(got.Methods) != 3 {
			t.Fatalf("call Describe: got %s, %v, want three methods", asJSON(got), err)
		}
		notice, stream := got.Methods[0], got.Methods[1]
		if notice.Kind != rpc.KindNotice || notice.Doc != "A file has changed." || notice.Request == nil || notice.Response != nil {
			t.Errorf("Describe told of a notification %s, want its kind, documentation and request only", asJSON(notice))
		}
		if stream.Kind != rpc.KindStream || !strings.Contains(string(stream.Response), `"type":"integer"`) {
			t.Errorf("Describe told of a stream %s, want its kind and the schema of its answers", asJSON(stream))
		}
	})
}

func TestDescribeOfOneOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nothing := func(context.Context, struct{}) (rpc.Description, error) { return rpc.Description{}, nil }
		pool := serveFor(t, rpc.NewServer(rpc.Handle(place, placeOrder), rpc.Handle(rpc.Describe, nothing)))
		if got, err := rpc.Describe.Call(t.Context(), pool, struct{}{}); err != nil || got.Methods != nil {
			t.Errorf("call Describe of a server that tells nothing: got %s, %v, want no methods", asJSON(got), err)
		}
	})
}

func TestDescribeOmitsSchemaOfWhatIsNotEncoded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		odd := rpc.NewMethod[chan int, string]("odd")
		pool := serveFor(t, rpc.NewServer(rpc.Handle(odd, func(context.Context, chan int) (string, error) { return "", nil })))
		got, err := rpc.Describe.Call(t.Context(), pool, struct{}{})
		if err != nil || got.Methods[0].Request != nil || got.Methods[0].Response == nil {
			t.Errorf("call Describe: got %s, %v, want the schema of the response only", asJSON(got), err)
		}
	})
}

func asJSON(value any) string {
	text, err := json.Marshal(value)
	return fmt.Sprint(string(text), err)
}
