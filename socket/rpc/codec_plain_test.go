package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
)

type label string

type digest []byte

func TestCodecPlainEncodesAndDecodes(t *testing.T) {
	text, content := "plain", []byte{0, 1, 0xff}
	address := netip.MustParseAddr("10.0.0.1")
	link := url.URL{Scheme: "https", Host: "example.com"}
	named := &text
	for _, test := range []struct {
		codec rpc.Codec
		value any // a pointer to what is encoded
		want  string
	}{
		{rpc.Text, new("plain"), "plain"},
		{rpc.Text, new(label("a")), "a"},
		{rpc.Text, &content, "\x00\x01\xff"},
		{rpc.Text, &address, "10.0.0.1"},
		{rpc.Text, new(big.NewInt(42)), "42"},
		{rpc.Text, new(""), ""},
		{rpc.Text, &named, "plain"},
		{rpc.Bytes, &content, "\x00\x01\xff"},
		{rpc.Bytes, new(digest("d")), "d"},
		{rpc.Bytes, new("text"), "text"},
		{rpc.Bytes, &address, "\x0a\x00\x00\x01"},
		{rpc.Bytes, new(&link), "https://example.com"},
	} {
		got, err := test.codec.Encode(test.value)
		if string(got) != test.want || err != nil {
			t.Errorf("encode a %T as %s: got %q, %v, want %q", test.value, test.codec.MediaType(), got, err, test.want)
		}
		decoded := reflect.New(reflect.TypeOf(test.value).Elem())
		received := []byte(test.want)
		if err := test.codec.Decode(received, decoded.Interface()); err != nil {
			t.Errorf("decode %q to a %T: %v", test.want, test.value, err)
		}
		clear(received) // nothing may be kept
		if !reflect.DeepEqual(decoded.Interface(), test.value) {
			t.Errorf("decode %q to a %T: got %v, want %v", test.want, test.value, decoded, test.value)
		}
	}
}

// keeper returns its own memory as its encoding.
type keeper []byte

func (k keeper) MarshalText() ([]byte, error) { return k, nil }

func (k keeper) MarshalBinary() ([]byte, error) { return k, nil }

func TestCodecPlainSharesNoMemory(t *testing.T) {
	for _, codec := range []rpc.Codec{rpc.Text, rpc.Bytes} {
		for _, value := range []any{new([]byte("before")), new(digest("before")), new(keeper("before"))} {
			content, err := codec.Encode(value)
			clear(reflect.ValueOf(value).Elem().Bytes())
			if string(content) != "before" || err != nil {
				t.Errorf("encode a %T as %s and change it: got %q, %v, want before", value, codec.MediaType(), content, err)
			}
		}
	}
}

func TestCodecPlainRefusesOtherTypes(t *testing.T) {
	var nothing *string
	for _, codec := range []rpc.Codec{rpc.Text, rpc.Bytes} {
		if got, err := codec.Encode(&order{}); err == nil || !strings.Contains(err.Error(), "rpc_test.order is no string, no []byte, and has no method Marshal") {
			t.Errorf("encode an order as %s: got %q, %v, want an error with its type", codec.MediaType(), got, err)
		}
		if err := codec.Decode(nil, &order{}); err == nil || !strings.Contains(err.Error(), "rpc_test.order is no string, no []byte, and has no method Unmarshal") {
			t.Errorf("decode an order from %s: %v, want an error with its type", codec.MediaType(), err)
		}
		if got, err := codec.Encode(&nothing); err == nil || !strings.Contains(err.Error(), "nil *string") {
			t.Errorf("encode a nil pointer as %s: got %q, %v, want an error", codec.MediaType(), got, err)
		}
	}
}

func TestCodecIsChosenByMediaType(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		greet := rpc.NewMethod[string, string]("greet")
		server := greet.Codecs(rpc.JSON, rpc.Text, rpc.Bytes)
		pool := serveFor(t, rpc.NewServer(rpc.Handle(server, func(_ context.Context, who string) (string, error) { return "hello " + who, nil })))
		for _, codec := range []rpc.Codec{rpc.JSON, rpc.Text, rpc.Bytes} {
			if got, err := greet.Codecs(codec).Call(t.Context(), pool, "Ada"); got != "hello Ada" || err != nil {
				t.Errorf("call greet with %s: got %q, %v, want hello Ada", codec.MediaType(), got, err)
			}
		}
	})
}

func TestCodecOfUnsupportedRequestIsBadRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := serveFor(t, rpc.NewServer(rpc.Handle(raw, echo)))
		got, err := raw.Codecs(rpc.Text).Call(t.Context(), pool, []byte("a"))
		problem, _ := errors.AsType[*rpc.Problem](err)
		if !errors.Is(err, rpc.ErrBadRequest) || problem == nil || !strings.Contains(problem.Detail, "want application/octet-stream") {
			t.Errorf("call raw with text: got %q, %v, want ErrBadRequest that tells which media type the server takes", got, err)
		}
	})
}

func TestCodecOfUnsupportedResponseIsBadResponse(t *testing.T) {
	response := socket.NewMessage(socket.MustParseMediaType("text/html"), "<p>")
	got, err := raw.Decode(response)
	if !errors.Is(err, rpc.ErrBadResponse) || !strings.Contains(fmt.Sprint(err), `"text/html", want application/octet-stream`) {
		t.Errorf("decode %v as a response of raw: got %q, %v, want ErrBadResponse with both media types", response, got, err)
	}
}

// keeping is rpc.Bytes, and keeps the content that it decodes, which it must not.
type keeping struct {
	rpc.Codec
	kept *[]byte
}

func (k keeping) Decode(content []byte, value any) error {
	*k.kept = content
	return k.Codec.Decode(content, value)
}

// TestCodecOfAClientDecodesLentContents finds other bytes in the memory of a response that was
// decoded, since package sockettest has memory overwritten that is given back.
func TestCodecOfAClientDecodesLentContents(t *testing.T) {
	virtual(t, func(w *world) {
		w.serve(rpc.Handle(raw, echo))
		large := bytes.Repeat([]byte("x"), 1<<20)
		var kept []byte
		got, err := raw.Codecs(keeping{rpc.Bytes, &kept}).Call(w.ctx, w.connect(), large)
		if !bytes.Equal(got, large) || err != nil {
			t.Errorf("call raw with 1 MiB: got %d bytes, %v, want the same", len(got), err)
		}
		if bytes.Equal(kept, large) {
			t.Error("keep the content of a response: got it after the call, want that its memory was lent")
		}
	})
}
