package rpc_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/stream"
)

var greets = rpc.Handle(hello, func(_ context.Context, g greeting) (string, error) { return "hello " + g.Name, nil })

func TestMethodCallOverPoolAndProcess(t *testing.T) {
	virtual(t, func(w *world) {
		w.serve(greets)
		for _, caller := range []rpc.Caller{w.pool(), w.connect()} {
			got, err := hello.Call(w.ctx, caller, greeting{"Ada"})
			if got != "hello Ada" || err != nil {
				t.Errorf("call hello over a %T: got %q, %v, want \"hello Ada\"", caller, got, err)
			}
		}
		if err := w.stop(); err != context.Canceled {
			t.Errorf("serve until the context is cancelled: got %v, want %v", err, context.Canceled)
		}
	})
}

// Each way to run a server answers calls.
func TestServerWaysToRun(t *testing.T) {
	server := rpc.NewServer(greets)
	untyped := operators.MapErr(func(x socket.Exchange) (socket.Exchange, error) {
		return x, x.Respond(socket.Text("untyped: " + x.Content()))
	})
	for way, serve := range map[string]func(context.Context, *socket.IPC) error{
		"Serve": func(ctx context.Context, ipc *socket.IPC) error { return server.Serve(ctx, ipc, name) },
		"Answer": func(ctx context.Context, ipc *socket.IPC) error {
			return stream.Pipe2(socket.Exchanges(ipc.Listen(name)), server.Answer, untyped).ForEach(ctx, func(socket.Exchange) {})
		},
		"Inline": func(ctx context.Context, ipc *socket.IPC) error {
			return socket.Serve(ipc, name, fold.Unit()).With(ctx, rpc.Inline[struct{}](server)).Err()
		},
	} {
		t.Run(way, func(t *testing.T) {
			virtual(t, func(w *world) {
				w.runWith(serve)
				p := w.connect()
				if got, err := hello.Call(w.ctx, p, greeting{"Ada"}); got != "hello Ada" {
					t.Errorf("call hello: got %q, %v, want \"hello Ada\"", got, err)
				}
				m, err := p.Request(w.ctx, socket.Text("x")).Get()
				switch {
				case err != nil:
					t.Errorf("request without a method: got %v, want an answer", err)
				case way == "Answer":
					if m != socket.Text("untyped: x") {
						t.Errorf("request without a method: got %q, want it to reach the next stage", m.Content())
					}
				default:
					if _, err := hello.Decode(m); !errors.Is(err, rpc.ErrUnknownMethod) {
						t.Errorf("request without a method: got %v, want ErrUnknownMethod", err)
					}
				}
				if err := w.stop(); !errors.Is(err, context.Canceled) {
					t.Errorf("end the server: got %v, want context.Canceled", err)
				}
			})
		})
	}
}

func TestMethodCallsOfOneConnectionAreConcurrent(t *testing.T) {
	virtual(t, func(w *world) {
		sleep := rpc.NewMethod[time.Duration, time.Duration]("sleep")
		w.serve(rpc.Handle(sleep, func(ctx context.Context, d time.Duration) (time.Duration, error) {
			time.Sleep(d)
			return d, nil
		}))
		p, start := w.connect(), time.Now()
		calls := operators.MapParallel(4, func(ctx context.Context, d time.Duration) (time.Duration, error) {
			return sleep.Call(ctx, p, d)
		})(stream.FromSlice([]time.Duration{4, 3, 2, 1}))
		got, err := calls.Collect(w.ctx)
		if err != nil || !slices.Equal(got, []time.Duration{4, 3, 2, 1}) {
			t.Errorf("four calls over one connection: got %v, %v, want 4, 3, 2, 1", got, err)
		}
		if took := time.Since(start); took != 4 {
			t.Errorf("four calls over one connection took %v, want the time of the longest, 4ns", took)
		}
	})
}

func TestMethodDeadlineTravelsAndEndsTheHandler(t *testing.T) {
	virtual(t, func(w *world) {
		ended := make(chan error, 1)
		left := make(chan time.Duration, 1)
		wait := rpc.NewMethod[struct{}, string]("wait")
		w.serve(rpc.Handle(wait, func(ctx context.Context, _ struct{}) (string, error) {
			deadline, _ := ctx.Deadline()
			left <- time.Until(deadline)
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return "", context.Cause(ctx)
		}))
		p := w.connect()
		ctx, cancel := context.WithTimeout(w.ctx, 1500*time.Millisecond+1)
		defer cancel()
		start := time.Now()
		_, err := wait.Call(ctx, p, struct{}{})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("call with a deadline: got %v, want context.DeadlineExceeded", err)
		}
		if got := <-left; got != 1501*time.Millisecond {
			t.Errorf("the handler had %v left, want 1.501s: milliseconds, rounded up", got)
		}
		if err := <-ended; err != context.DeadlineExceeded {
			t.Errorf("the handler's context ended with %v, want context.DeadlineExceeded", err)
		}
		if took := time.Since(start); took != 1501*time.Millisecond {
			t.Errorf("the handler ended after %v, want 1.501s", took)
		}
		if _, err := wait.Call(ctx, p, struct{}{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("call after the deadline: got %v, want context.DeadlineExceeded", err)
		}
	})
}

// A caller that waits longer than its deadline says learns of it from the server.
func TestMethodDeadlineIsToldByTheServer(t *testing.T) {
	virtual(t, func(w *world) {
		wait := rpc.NewMethod[struct{}, string]("wait")
		w.serve(rpc.Handle(wait, func(ctx context.Context, _ struct{}) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}))
		request := socket.NewMessage(socket.MustParseMediaType("application/json; method=wait, timeout=200"), "{}")
		m, err := w.connect().Request(w.ctx, request).Get()
		if err != nil {
			t.Fatalf("request with a timeout: %v", err)
		}
		if _, err := wait.Decode(m); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("request with a timeout: got %v, want context.DeadlineExceeded", err)
		}
	})
}

func TestMethodHandlerEndsWhenItsClientDies(t *testing.T) {
	virtual(t, func(w *world) {
		started, ended := make(chan struct{}), make(chan error, 1)
		wait := rpc.NewMethod[struct{}, string]("wait")
		w.serve(rpc.Handle(wait, func(ctx context.Context, _ struct{}) (string, error) {
			close(started)
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return "", ctx.Err()
		}))
		p := w.connect()
		go wait.Call(w.ctx, p, struct{}{})
		<-started
		start := time.Now()
		die(p)
		if err := <-ended; !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("the handler's context ended with %v, want io.ErrUnexpectedEOF", err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("the handler's context ended %v after the client, want a second at most", took)
		}
	})
}

func TestMethodCallThatTheServersEndInterrupts(t *testing.T) {
	virtual(t, func(w *world) {
		started := make(chan struct{})
		wait := rpc.NewMethod[struct{}, string]("wait")
		w.serve(rpc.Handle(wait, func(ctx context.Context, _ struct{}) (string, error) {
			close(started)
			<-ctx.Done()
			return "", ctx.Err()
		}))
		p, failed := w.connect(), make(chan error)
		go func() {
			_, err := wait.Call(w.ctx, p, struct{}{})
			failed <- err
		}()
		<-started
		go w.stop()
		if err := <-failed; !errors.Is(err, socket.ErrShutdown) {
			t.Errorf("call that the end of the server interrupts: got %v, want socket.ErrShutdown", err)
		}
	})
}

func TestMethodCallFailsWithTheErrorOfTheSocket(t *testing.T) {
	virtual(t, func(w *world) {
		ctx, cancel := context.WithTimeout(w.ctx, time.Second)
		defer cancel()
		_, err := hello.Call(ctx, w.pool(), greeting{})
		failed, ok := errors.AsType[*rpc.Error](err)
		if !ok || failed.Method != "hello" || !errors.Is(err, socket.ErrNotListening) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("call without a server: got %v, want an Error of hello with ErrNotListening and the deadline", err)
		}
		if text := err.Error(); !strings.HasPrefix(text, "rpc: call hello: ") || strings.Contains(text, "socket: ") {
			t.Errorf("call without a server: got the text %q, want one prefix, \"rpc: call hello: \"", text)
		}
	})
}

func TestMethodEncodeAndDecodeAreStagesOfAPipeline(t *testing.T) {
	virtual(t, func(w *world) {
		w.serve(greets)
		answers := stream.Pipe4(
			stream.Just(greeting{"Ada"}, greeting{"Grace"}),
			operators.MapErr(func(g greeting) (socket.Message, error) { return hello.Encode(w.ctx, g) }),
			w.pool().RequestAll,
			operators.MapErr(hello.Decode),
			operators.Map(strings.ToUpper),
		)
		got, err := answers.Collect(w.ctx)
		if want := []string{"HELLO ADA", "HELLO GRACE"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("call as a pipeline: got %q, %v, want %q", got, err, want)
		}
	})
}

// TestCallOfAServerThatEchoesFails calls a server that knows nothing of methods and sends back each
// message: its answer must not pass for a response without contents.
func TestCallOfAServerThatEchoesFails(t *testing.T) {
	virtual(t, func(w *world) {
		w.runWith(func(ctx context.Context, ipc *socket.IPC) error {
			return socket.Exchanges(ipc.Listen(name)).ForEach(ctx, func(x socket.Exchange) { x.Respond(x.Message) })
		})
		ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
		defer cancel()
		pool := w.pool()
		numbers := rpc.NewStream[greeting, greeting]("numbers")
		for kind, call := range map[string]func() error{
			"method=hello": func() error {
				_, err := rpc.NewMethod[greeting, greeting]("hello").Call(ctx, pool, greeting{"Ada"})
				return err
			},
			"method=rpc.describe": func() error {
				_, err := rpc.Describe.Call(ctx, pool, struct{}{})
				return err
			},
			"stream=numbers": func() error { return numbers.Observe(pool, greeting{"Ada"}).Run(ctx) },
		} {
			if err := call(); !errors.Is(err, rpc.ErrBadResponse) || !strings.Contains(err.Error(), "send back what it gets") {
				t.Errorf("call %s of a server that echoes: got %v, want %v with the reason", kind, err, rpc.ErrBadResponse)
			}
		}
	})
}
