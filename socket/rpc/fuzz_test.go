package rpc_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
)

// FuzzDecode has a client decode what a server may send. A response is decoded, or it is an error of
// this package. A problem that was decoded encodes to an object that decodes to the same.
func FuzzDecode(f *testing.F) {
	for mediaType, content := range map[string]string{
		"application/json":                     `"x"`,
		"application/json; reply=7":            `{"a":1}`,
		"application/problem+json":             `{"type":"about:blank","title":"t","status":500,"a":[1]}`,
		"application/problem+json; x=y":        `{"type":1,"title":null,"detail":{}}`,
		"text/plain; end=completed":            "",
		"application/json; METHOD=a, method=b": "[",
	} {
		f.Add(mediaType, content)
	}
	f.Fuzz(func(t *testing.T, mediaType, content string) {
		mt, err := socket.ParseMediaType(mediaType)
		if err != nil {
			return
		}
		_, err = hello.Decode(socket.NewMessage(mt, content))
		problem, told := errors.AsType[*rpc.Problem](err)
		switch {
		case err == nil:
			return
		case !told:
			if !errors.Is(err, rpc.ErrBadResponse) {
				t.Fatalf("decode %s %q: got %v, want ErrBadResponse or a Problem", mt, content, err)
			}
			return
		}
		first, err := json.Marshal(problem)
		if err != nil {
			t.Fatalf("encode the problem of %q: %v", content, err)
		}
		var again rpc.Problem
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatalf("decode the problem %s again: %v", first, err)
		}
		if second, err := json.Marshal(&again); string(second) != string(first) || err != nil {
			t.Fatalf("encode the problem of %q twice: got %s, then %s, %v", content, first, second, err)
		}
	})
}

// FuzzServe has a server get any message. It answers each call, and goes on.
func FuzzServe(f *testing.F) {
	f.Add("application/json; method=hello", `{"Name":"Ada"}`)
	f.Add("application/json; method=hello, timeout=99999999999999999999", `{}`)
	f.Add("application/json; credit=18446744073709551615", "")
	f.Add("application/json; reply=1", "1")
	f.Add("application/json; stream=count, window=1", "3")
	f.Add("application/json; window=2", "3")
	f.Fuzz(func(t *testing.T, mediaType, content string) {
		mt, err := socket.ParseMediaType(mediaType)
		if m := socket.NewMessage(mt, content); err != nil || m.IsReserved() {
			return
		}
		virtual(t, func(w *world) {
			w.serve(greets, counts)
			p := w.connect()
			p.Send(w.ctx, socket.NewMessage(mt, content))
			if got, err := hello.Call(w.ctx, w.connect(), greeting{"Ada"}); got != "hello Ada" {
				t.Fatalf("call after the message %s %q: got %q, %v, want \"hello Ada\"", mt, content, got, err)
			}
		})
	})
}
