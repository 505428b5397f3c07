package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/stream"
)

// notes are what several goroutines note.
type notes struct {
	mu  sync.Mutex
	all []string
}

func (n *notes) add(note string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, note)
}

// take returns the notes, and begins again.
func (n *notes) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.all
	n.all = nil
	return all
}

// noting notes what passes a middleware.
func noting(n *notes, who string) rpc.Middleware {
	return func(ctx context.Context, call rpc.Call, next rpc.Next) (socket.Message, error) {
		n.add(fmt.Sprintf("%s begins %s %s", who, call.Kind, call.Method))
		response, err := next(ctx, call)
		n.add(fmt.Sprintf("%s ends: %d bytes, %v", who, response.Len(), err != nil))
		return response, err
	}
}

func TestMiddlewareIsAroundCallsAndHandlers(t *testing.T) {
	virtual(t, func(w *world) {
		var n notes
		w.run(rpc.NewServer(
			rpc.Handle(hello, func(_ context.Context, g greeting) (string, error) {
				n.add("handled")
				if g.Name == "" {
					panic("no name")
				}
				return g.Name, nil
			}),
			counts,
			rpc.HandleNotice(noted, func(context.Context, int) error { n.add("noted"); return nil }),
		).Use(noting(&n, "server 1")).Use(noting(&n, "server 2")))
		p := w.connect()
		caller := rpc.Use(rpc.Use(p, noting(&n, "client 2")), noting(&n, "client 1"))
		check := func(what string, want ...string) {
			t.Helper()
			synctest.Wait() // the middleware of the server may end after the client has its answer
			if got := n.take(); !slices.Equal(got, want) {
				t.Errorf("%s: got\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			}
		}
		hello.Call(w.ctx, caller, greeting{"Ada"})
		check("call", "client 1 begins method hello", "client 2 begins method hello", "server 1 begins method hello", "server 2 begins method hello",
			"handled", "server 2 ends: 5 bytes, false", "server 1 ends: 5 bytes, false", "client 2 ends: 5 bytes, false", "client 1 ends: 5 bytes, false")
		if _, err := hello.Call(w.ctx, caller, greeting{}); !errors.Is(err, socket.ErrPanicked) {
			t.Errorf("call a handler that panics: got %v, want socket.ErrPanicked", err)
		}
		synctest.Wait()
		if got := n.take(); len(got) != 9 || got[5] != "server 2 ends: 0 bytes, true" || !strings.HasSuffix(got[8], ", true") {
			t.Errorf("call a handler that panics: got %q, want each middleware to see an error", got)
		}
		count.Observe(caller, 3).ForEach(w.ctx, func(i int) { n.add(fmt.Sprint("answer ", i)) })
		synctest.Wait()
		got := slices.DeleteFunc(n.take(), func(note string) bool { return strings.HasPrefix(note, "server") })
		if want := []string{"client 1 begins stream count", "client 2 begins stream count", "answer 1", "answer 2", "answer 3",
			"client 2 ends: 0 bytes, false", "client 1 ends: 0 bytes, false"}; !slices.Equal(got, want) {
			t.Errorf("observe: got %q, want %q", got, want)
		}
		noted.Send(w.ctx, p, 1)
		check("notify", "server 1 begins notice noted", "server 2 begins notice noted", "noted", "server 2 ends: 0 bytes, false", "server 1 ends: 0 bytes, false")
	})
}

// A middleware of a client sends a parameter, one of a server hands it to the handler.
func TestMiddlewareLetsAParameterTravel(t *testing.T) {
	type key struct{}
	const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	sends := func(ctx context.Context, call rpc.Call, next rpc.Next) (socket.Message, error) {
		call, err := call.With("traceparent", traceparent)
		if err != nil {
			return socket.Message{}, err
		}
		return next(ctx, call)
	}
	takes := func(ctx context.Context, call rpc.Call, next rpc.Next) (socket.Message, error) {
		value, _ := call.Parameter("traceparent")
		return next(context.WithValue(ctx, key{}, value), call)
	}
	virtual(t, func(w *world) {
		told := rpc.NewStream[int, string]("told")
		tell := func(ctx context.Context) string { value, _ := ctx.Value(key{}).(string); return value }
		w.run(rpc.NewServer(
			rpc.Handle(hello, func(ctx context.Context, _ greeting) (string, error) { return tell(ctx), nil }),
			rpc.HandleStream(told, func(ctx context.Context, _ int) stream.Observable[string] { return stream.Just(tell(ctx)) }),
		).Use(takes))
		caller := rpc.Use(w.pool(), sends)
		if got, err := hello.Call(w.ctx, caller, greeting{}); got != traceparent {
			t.Errorf("call with a parameter: the handler got %q, %v, want %q", got, err, traceparent)
		}
		if got, err := told.Observe(caller, 1).First(w.ctx).Get(); got != traceparent {
			t.Errorf("observe with a parameter: the handler got %q, %v, want %q", got, err, traceparent)
		}
	})
}

func TestMiddlewareMayAnswerAndRefuse(t *testing.T) {
	refuses := func(context.Context, rpc.Call, rpc.Next) (socket.Message, error) {
		return socket.Message{}, errNoCredit
	}
	forgets := func(context.Context, rpc.Call, rpc.Next) (socket.Message, error) { return socket.Message{}, nil }
	panics := func(context.Context, rpc.Call, rpc.Next) (socket.Message, error) { panic("bug") }
	cached := func(context.Context, rpc.Call, rpc.Next) (socket.Message, error) {
		return socket.NewMessage(socket.JSON(), `"cached"`), nil
	}
	for what, test := range map[string]struct {
		middleware rpc.Middleware
		want       string
		is         error
	}{
		"refuses":             {refuses, "", errNoCredit},
		"panics":              {panics, "", socket.ErrPanicked},
		"answers":             {cached, "cached", nil},
		"returns no response": {forgets, "", rpc.ErrFailed},
	} {
		t.Run(what, func(t *testing.T) {
			virtual(t, func(w *world) {
				w.run(rpc.NewServer(greets).Use(test.middleware))
				if got, err := hello.Call(w.ctx, w.connect(), greeting{"Ada"}); got != test.want || !errors.Is(err, test.is) {
					t.Errorf("call a server whose middleware %s: got %q, %v, want %q, %v", what, got, err, test.want, test.is)
				}
			})
		})
	}
}

func TestCallWithRefusesWhatIsNoParameter(t *testing.T) {
	m, err := hello.Encode(t.Context(), greeting{})
	if err != nil {
		t.Fatalf("encode a request: %v", err)
	}
	call := rpc.Call{Method: "hello", Kind: rpc.KindCall, Message: m}
	for name, value := range map[string]string{"a": "b, method=other", "b": `"b"`, "c": "x; y=z", "d": "a b", "e": "", "f=g": "h", "": "x"} {
		if changed, err := call.With(name, value); !errors.Is(err, socket.ErrInvalid) {
			t.Errorf("add the parameter %q with the value %q: got %v, %v, want socket.ErrInvalid", name, value, changed.Message, err)
		}
	}
	changed, err := call.With("a", "b")
	if value, ok := changed.Parameter("A"); value != "b" || !ok || err != nil {
		t.Errorf("add a parameter: got %v, %v, want a=b", changed.Message, err)
	}
}
