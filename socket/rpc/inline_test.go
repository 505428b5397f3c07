package rpc_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/stream"
)

func TestHandlerInlineAnswersAsOthersDo(t *testing.T) {
	server := rpc.NewServer(rpc.Handle(wait, answerAfter).Inline())
	for way, serve := range map[string]func(context.Context, *socket.IPC) error{
		"Serve": func(ctx context.Context, ipc *socket.IPC) error { return server.Serve(ctx, ipc, name) },
		"Answer": func(ctx context.Context, ipc *socket.IPC) error {
			return server.Answer(socket.Exchanges(ipc.Listen(name))).ForEach(ctx, func(socket.Exchange) {})
		},
	} {
		t.Run(way, func(t *testing.T) {
			virtual(t, func(w *world) {
				w.runWith(serve)
				p := w.connect()
				for request, want := range map[string]error{"1s": nil, "soon": rpc.ErrBadRequest, "1s fail": rpc.ErrFailed, "1s panic": socket.ErrPanicked} {
					if got, err := wait.Call(w.ctx, p, request); !errors.Is(err, want) || want == nil && got != "took 1s" {
						t.Errorf("call wait with %q: got %q, %v, want %v", request, got, err, want)
					}
				}
				ctx, cancel := context.WithTimeout(w.ctx, time.Second)
				defer cancel()
				if got, err := wait.Call(ctx, p, "1h"); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("call wait with an hour and a deadline of a second: got %q, %v, want context.DeadlineExceeded", got, err)
				}
			})
		})
	}
}

func TestHandlerInlineHoldsUpTheNextOfItsConnection(t *testing.T) {
	virtual(t, func(w *world) {
		w.serve(rpc.Handle(wait, answerAfter).Inline())
		same, other, start := w.connect(), w.connect(), time.Now()
		calls := operators.MapParallel(3, func(ctx context.Context, p *socket.Process) (time.Duration, error) {
			_, err := wait.Call(ctx, p, "1s")
			return time.Since(start), err
		})(stream.FromSlice([]*socket.Process{same, same, other}))
		got, err := calls.Collect(w.ctx)
		slices.Sort(got)
		if want := []time.Duration{time.Second, time.Second, 2 * time.Second}; err != nil || !slices.Equal(got, want) {
			t.Errorf("two calls over a connection and one over another: answers after %v, %v, want %v", got, err, want)
		}
	})
}

func TestHandlerInlineEndsWithItsClientAndItsServer(t *testing.T) {
	virtual(t, func(w *world) {
		begun, ended := make(chan struct{}), make(chan error, 1)
		w.serve(rpc.Handle(wait, func(ctx context.Context, _ string) (string, error) {
			begun <- struct{}{}
			<-ctx.Done()
			ended <- ctx.Err()
			return "", ctx.Err()
		}).Inline())
		call := func(p *socket.Process) <-chan error {
			failed := make(chan error, 1)
			go func() {
				_, err := wait.Call(w.ctx, p, "")
				failed <- err
			}()
			<-begun
			return failed
		}
		gone := w.connect()
		failed, start := call(gone), time.Now()
		die(gone)
		<-ended
		if took := time.Since(start); took > time.Second {
			t.Errorf("the context of the handler of a client that died ended after %v, want a second at most", took)
		}
		if err := <-failed; err == nil {
			t.Error("call of a client that died: got no error, want one")
		}
		failed = call(w.connect())
		go w.stop()
		<-ended
		if err := <-failed; !errors.Is(err, socket.ErrShutdown) {
			t.Errorf("call of a server that ends: got %v, want socket.ErrShutdown", err)
		}
	})
}

// Nobody would read the reply to a handler on the goroutine of the connection.
func TestClientOfHandlerInlineIsUnsupported(t *testing.T) {
	virtual(t, func(w *world) {
		w.serve(rpc.Handle(wait, func(ctx context.Context, _ string) (string, error) {
			if _, err := hello.Call(ctx, rpc.Client(ctx), greeting{"Ada"}); !errors.Is(err, errors.ErrUnsupported) {
				return "", rpc.Errorf("got %v", err)
			}
			return "unsupported", nil
		}).Inline())
		ctx, cancel := context.WithTimeout(w.ctx, time.Hour)
		defer cancel()
		if got, err := wait.Call(ctx, w.connect(), ""); got != "unsupported" || err != nil {
			t.Errorf("call a client in its inline handler: got %q, %v, want errors.ErrUnsupported there", got, err)
		}
	})
}
