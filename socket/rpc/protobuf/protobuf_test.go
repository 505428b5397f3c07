package protobuf_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/socket/rpc/protobuf"
	"github.com/rxipc/rxipc/socket/sockettest"
)

var lookUp = rpc.NewMethod[*structpb.Struct, *structpb.Value]("look-up").Codecs(protobuf.Binary, protobuf.JSON)

// serveFor serves until the test ends, over a network in memory, and returns a pool of clients.
// The test is a bubble of synctest.
func serveFor(t *testing.T, server rpc.Server) *socket.Pool {
	t.Helper()
	name := socket.MustParseName("protobuf")
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

func lookUpKey(_ context.Context, s *structpb.Struct) (*structpb.Value, error) {
	return s.GetFields()["key"], nil
}

func TestCodecsCarryMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := serveFor(t, rpc.NewServer(rpc.Handle(lookUp, lookUpKey)))
		request, err := structpb.NewStruct(map[string]any{"key": []any{1, "é", nil, map[string]any{"a": true}}})
		if err != nil {
			t.Fatalf("make the request: %v", err)
		}
		for _, codec := range []rpc.Codec{protobuf.Binary, protobuf.JSON} {
			got, err := lookUp.Codecs(codec).Call(t.Context(), pool, request)
			if err != nil || !proto.Equal(got, request.Fields["key"]) {
				t.Errorf("call look-up with %s: got %v, %v, want %v", codec.MediaType(), got, err, request.Fields["key"])
			}
		}
	})
}

func TestCodecsOfContents(t *testing.T) {
	for _, test := range []struct {
		codec rpc.Codec
		want  string
	}{
		{protobuf.Binary, "\x08\x03\x10\x05"},
		{protobuf.JSON, `"3.000000005s"`},
	} {
		value := &durationpb.Duration{Seconds: 3, Nanos: 5}
		content, err := test.codec.Encode(&value)
		if string(content) != test.want || err != nil {
			t.Errorf("encode a duration as %s: got %q, %v, want %q", test.codec.MediaType(), content, err, test.want)
		}
		var decoded *durationpb.Duration
		if err := test.codec.Decode([]byte(test.want), &decoded); err != nil || !proto.Equal(decoded, value) {
			t.Errorf("decode %q: got %v, %v, want %v", test.want, decoded, err, value)
		}
	}
}

func TestCodecsOfNilMessage(t *testing.T) {
	var value *wrapperspb.BytesValue
	content, err := protobuf.Binary.Encode(&value)
	if len(content) != 0 || err != nil {
		t.Errorf("encode a nil message: got %q, %v, want nothing", content, err)
	}
}

func TestCodecsKeepNoContent(t *testing.T) {
	content := []byte("\x0a\x05bytes")
	var value *wrapperspb.BytesValue
	err := protobuf.Binary.Decode(content, &value)
	clear(content)
	if string(value.GetValue()) != "bytes" || err != nil {
		t.Errorf("decode a message and change the content: got %q, %v, want bytes", value.GetValue(), err)
	}
}

func TestCodecsRefuseWhatIsNoMessage(t *testing.T) {
	const want = "string is no message of Protocol Buffers"
	text := "text"
	if got, err := protobuf.Binary.Encode(&text); err == nil || err.Error() != want {
		t.Errorf("encode a string: got %q, %v, want %s", got, err, want)
	}
	if err := protobuf.JSON.Decode([]byte("{}"), &text); err == nil || err.Error() != want {
		t.Errorf("decode a string: got %v, want %s", err, want)
	}
}

func TestCodecsOfBadRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := serveFor(t, rpc.NewServer(rpc.Handle(lookUp, lookUpKey)))
		bad := rpc.NewMethod[[]byte, []byte]("look-up").Codecs(asProtobuf{})
		if got, err := bad.Call(t.Context(), pool, []byte("\xff")); !errors.Is(err, rpc.ErrBadRequest) {
			t.Errorf("call look-up with a broken message: got %q, %v, want ErrBadRequest", got, err)
		}
	})
}

// asProtobuf sends bytes as they are under the media type of Protocol Buffers.
type asProtobuf struct{}

func (asProtobuf) MediaType() socket.MediaType      { return protobuf.Binary.MediaType() }
func (asProtobuf) Encode(value any) ([]byte, error) { return rpc.Bytes.Encode(value) }
func (asProtobuf) Decode(content []byte, value any) (err error) {
	return rpc.Bytes.Decode(content, value)
}

func TestDescribeTellsNamesOfMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := serveFor(t, rpc.NewServer(rpc.Handle(lookUp, lookUpKey)))
		got, err := rpc.Describe.Call(t.Context(), pool, struct{}{})
		if err != nil {
			t.Fatalf("call Describe: %v", err)
		}
		method := got.Methods[0]
		if want := `{"title":"google.protobuf.Struct"}`; string(method.Request) != want || !strings.Contains(string(method.Response), "google.protobuf.Value") {
			t.Errorf("Describe told the request %s and the response %s, want %s and google.protobuf.Value", method.Request, method.Response, want)
		}
	})
}
