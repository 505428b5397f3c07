package rpc_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/socket/sockettest"
)

// gobs is a codec for encoding/gob.
type gobs struct{}

func (gobs) MediaType() socket.MediaType { return socket.MustParseMediaType("application/x-gob") }

func (gobs) Encode(value any) ([]byte, error) {
	var content bytes.Buffer
	err := gob.NewEncoder(&content).Encode(value)
	return content.Bytes(), err
}

func (gobs) Decode(content []byte, value any) error {
	return gob.NewDecoder(bytes.NewReader(content)).Decode(value)
}

// A method with a codec of one's own. The server also takes JSON, for clients in other languages.
func ExampleCodec() {
	type point struct{ X, Y complex128 } // JSON has no complex numbers
	double := rpc.NewMethod[point, point]("double").Codecs(gobs{}, rpc.JSON)

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ipc := socket.New(socket.Config{Transport: sockettest.NewNetwork()})
	name := socket.MustParseName("points")
	server := rpc.NewServer(rpc.Handle(double, func(_ context.Context, p point) (point, error) {
		return point{2 * p.X, 2 * p.Y}, nil
	}))
	go server.Serve(ctx, ipc, name)

	pool := ipc.Pool(name, socket.PoolConfig{})
	defer pool.Close(ctx)
	fmt.Println(double.Call(ctx, pool, point{1i, 2}))
	// Output: {(0+2i) (4+0i)} <nil>
}

// A client asks a server for its methods.
func ExampleDescribe() {
	type job struct {
		Path string `json:"path" doc:"of the picture"`
		Size uint16 `json:"size,omitempty" doc:"in pixels"`
	}
	resize := rpc.NewMethod[job, []byte]("resize").Doc("Makes a picture smaller.")

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ipc := socket.New(socket.Config{Transport: sockettest.NewNetwork()})
	name := socket.MustParseName("resizer")
	server := rpc.NewServer(rpc.Handle(resize, func(context.Context, job) ([]byte, error) { return nil, nil }))
	go server.Serve(ctx, ipc, name)

	pool := ipc.Pool(name, socket.PoolConfig{})
	defer pool.Close(ctx)
	description, err := rpc.Describe.Call(ctx, pool, struct{}{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, method := range description.Methods {
		fmt.Println(method.Name, "-", method.Doc)
	}
	var schema struct {
		Properties map[string]struct{ Description string }
	}
	fmt.Println(rpc.JSON.Decode(description.Methods[0].Request, &schema), schema.Properties)
	// Output:
	// resize - Makes a picture smaller.
	// rpc.describe - The methods of the server, and the types of their requests and responses.
	// <nil> map[path:{of the picture} size:{in pixels}]
}
