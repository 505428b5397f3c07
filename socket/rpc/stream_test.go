package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/socket/sockettest"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

var count = rpc.NewStream[int, int]("count")

// counts answers with the numbers from 1 on.
var counts = rpc.HandleStream(count, func(_ context.Context, n int) stream.Observable[int] { return stream.Range(1, n) })

// observed is a stream of a server that each run starts and ends.
func observed[Req, Res any](handler rpc.Handler, s rpc.Stream[Req, Res], request Req) stream.Observable[Res] {
	return func(ctx context.Context, yield func(Res) bool) error {
		listening := make(chan struct{})
		ipc := socket.New(socket.Config{
			Transport:    sockettest.NewNetwork(),
			ServerConfig: socket.ServerConfig{Listening: func(socket.Name) { close(listening) }},
		})
		serving, end := context.WithCancel(context.Background())
		served := make(chan error)
		go func() { served <- rpc.NewServer(handler).Serve(serving, ipc, name) }()
		defer func() {
			end()
			<-served
		}()
		<-listening
		pool := ipc.Pool(name, socket.PoolConfig{})
		defer pool.Close(context.Background())
		return s.Observe(pool, request)(ctx, yield)
	}
}

func TestStreamKeepsTheContract(t *testing.T) {
	streamtest.Check(t, observed(counts, count, 5), []int{1, 2, 3, 4, 5})
}

func TestStreamThatWaitsKeepsTheContract(t *testing.T) {
	endless := rpc.HandleStream(count, func(ctx context.Context, n int) stream.Observable[int] {
		return func(ctx context.Context, yield func(int) bool) error {
			err := stream.Range(1, n)(ctx, yield)
			<-ctx.Done()
			return err
		}
	})
	streamtest.Check(t, observed(endless, count, 3), []int{1, 2, 3}, streamtest.Endless())
}

func TestStreamThatFailsKeepsTheContract(t *testing.T) {
	fails := rpc.HandleStream(count, func(_ context.Context, n int) stream.Observable[int] {
		return func(ctx context.Context, yield func(int) bool) error {
			return max2(stream.Range(1, n)(ctx, yield), errNoCredit)
		}
	})
	streamtest.Check(t, observed(fails, count, 3), []int{1, 2, 3}, streamtest.Fails(errNoCredit))
}

func max2(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

func TestStreamEndsAreDistinct(t *testing.T) {
	failing := rpc.NewStream[string, int]("failing")
	virtual(t, func(w *world) {
		w.serve(counts, rpc.HandleStream(failing, func(ctx context.Context, how string) stream.Observable[int] {
			return func(ctx context.Context, yield func(int) bool) error {
				yield(1)
				switch how {
				case "plain":
					return errors.New("secret")
				case "problem":
					return errNoCredit
				case "panic":
					panic("secret")
				case "deadline", "shutdown":
					<-ctx.Done()
				}
				return ctx.Err()
			}
		}))
		p := w.connect()
		if got, err := count.Observe(p, 200).Collect(w.ctx); len(got) != 200 || err != nil {
			t.Errorf("observe a stream of 200: got %d, %v, want 200 and completion", len(got), err)
		}
		for how, want := range map[string]error{
			"plain": rpc.ErrFailed, "problem": errNoCredit, "panic": socket.ErrPanicked,
		} {
			if got, err := failing.Observe(p, how).Collect(w.ctx); !slices.Equal(got, []int{1}) || !errors.Is(err, want) {
				t.Errorf("observe a stream that ends with %s: got %v, %v, want [1] and %v", how, got, err, want)
			}
		}
		ctx, cancel := context.WithTimeout(w.ctx, time.Second)
		defer cancel()
		if got, err := failing.Observe(p, "deadline").Collect(ctx); !slices.Equal(got, []int{1}) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("observe a stream with a deadline: got %v, %v, want [1] and context.DeadlineExceeded", got, err)
		}
		if _, err := rpc.NewStream[int, int]("none").Observe(p, 1).Collect(w.ctx); !errors.Is(err, rpc.ErrUnknownMethod) {
			t.Errorf("observe a stream that the server does not have: got %v, want ErrUnknownMethod", err)
		}
		err := failing.Observe(p, "shutdown").ForEach(w.ctx, func(int) { go w.stop() })
		if !errors.Is(err, socket.ErrShutdown) {
			t.Errorf("observe a stream of a server that ends: got %v, want socket.ErrShutdown", err)
		}
	})
}

func TestStreamThatIsClosedEndsTheServersObservable(t *testing.T) {
	for how, leave := range map[string]func(context.CancelCauseFunc) bool{
		"yield returns false": func(context.CancelCauseFunc) bool { return false },
		"the context ends":    func(cancel context.CancelCauseFunc) bool { cancel(errNoCredit); return true },
	} {
		t.Run(how, func(t *testing.T) {
			virtual(t, func(w *world) {
				ended := make(chan time.Time, 1)
				w.serve(rpc.HandleStream(count, func(ctx context.Context, n int) stream.Observable[int] {
					return func(ctx context.Context, yield func(int) bool) error {
						defer func() { ended <- time.Now() }()
						yield(1)
						<-ctx.Done()
						return context.Cause(ctx)
					}
				}))
				pool := w.pool()
				ctx, cancel := context.WithCancelCause(w.ctx)
				err := count.Observe(pool, 1)(ctx, func(int) bool { return leave(cancel) })
				left := time.Now()
				if ctx.Err() == nil && err != nil || ctx.Err() != nil && !errors.Is(err, errNoCredit) {
					t.Errorf("leave the stream: got %v, want nil or the cause of the context", err)
				}
				if took := (<-ended).Sub(left); took > 0 {
					t.Errorf("the server's observable ended %v after the client's run, want before its return", took)
				}
			})
		})
	}
}

// A client that takes its time, for longer than Config.WriteTimeout, slows its own stream, and the
// server's source of it, alone.
func TestStreamWaitsForASlowClientAlone(t *testing.T) {
	const pause, total = 10 * time.Hour, 1000
	virtual(t, func(w *world) {
		emitted := 0
		w.serve(rpc.HandleStream(count, func(ctx context.Context, n int) stream.Observable[int] {
			return func(ctx context.Context, yield func(int) bool) error {
				for i := range n {
					if n == total {
						emitted = i + 1
					}
					if !yield(i) {
						return nil
					}
				}
				return nil
			}
		}), greets)
		pool, got := w.pool(), 0
		err := count.Observe(pool, total).ForEach(w.ctx, func(i int) {
			if i != got {
				t.Fatalf("answer %d is %d", got, i)
			}
			got++
			if got == 100 {
				time.Sleep(pause)
				synctest.Wait()
				if most := got + rpc.Window + 1; emitted > most {
					t.Errorf("the server's source emitted %d answers while the client had taken %d, want %d at most", emitted, got, most)
				}
				if other, err := count.Observe(pool, 10*rpc.Window).Collect(w.ctx); len(other) != 10*rpc.Window || err != nil {
					t.Errorf("observe another stream meanwhile: got %d answers, %v, want all %d", len(other), err, 10*rpc.Window)
				}
				if _, err := hello.Call(w.ctx, pool, greeting{}); err != nil {
					t.Errorf("call meanwhile: got %v, want nil", err)
				}
			}
		})
		if got != total || err != nil {
			t.Errorf("observe a stream with a pause of %v: got %d answers, %v, want all %d", pause, got, err, total)
		}
	})
}

func TestStreamNeedsAConnectionOfItsOwn(t *testing.T) {
	virtual(t, func(w *world) {
		w.serve(counts)
		network := sockettest.NewNetwork()
		attached, conn := sockettest.Pipe(0)
		go rpc.NewServer(counts, greets).ServeConnections(w.ctx, socket.New(socket.Config{Transport: network}).Accept(socket.One(conn)))
		p, err := w.ipc.Attach(w.ctx, attached).Get()
		if err != nil {
			t.Fatalf("attach a connection: %v", err)
		}
		defer p.Close(w.ctx)
		if got, err := hello.Call(w.ctx, p, greeting{"Ada"}); got != "hello Ada" {
			t.Errorf("call over an attached connection: got %q, %v, want \"hello Ada\"", got, err)
		}
		if err := count.Observe(p, 1).Run(w.ctx); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("observe a stream over an attached connection: got %v, want errors.ErrUnsupported", err)
		}
	})
}

// A client without this package's own means may ask for a stream over any connection, without a window.
func TestStreamOfAPlainClient(t *testing.T) {
	virtual(t, func(w *world) {
		w.serve(counts, greets)
		p := w.connect()
		request := socket.NewMessage(socket.MustParseMediaType("application/json; stream=count"), "200")
		if err := p.Send(w.ctx, request).Err(); err != nil {
			t.Fatalf("send the request for a stream: %v", err)
		}
		for i := 1; i <= 200; i++ {
			m, err := p.Wait(w.ctx).Get()
			if want := socket.NewMessage(socket.JSON(), fmt.Sprint(i)); m != want || err != nil {
				t.Fatalf("wait for answer %d: got %v %q, %v, want it as JSON", i, m, m.Content(), err)
			}
		}
		if m, err := p.Wait(w.ctx).Get(); m != socket.NewMessage(socket.MustParseMediaType("text/plain; end=completed"), "") {
			t.Errorf("wait for the end: got %v, %v, want text/plain; end=completed", m, err)
		}
		if got, err := hello.Call(w.ctx, p, greeting{"Ada"}); got != "hello Ada" {
			t.Errorf("call after the stream: got %q, %v, want \"hello Ada\"", got, err)
		}
	})
}

func TestStreamIsTheOnlyOneOfItsConnection(t *testing.T) {
	virtual(t, func(w *world) {
		w.serve(rpc.HandleStream(count, func(context.Context, int) stream.Observable[int] { return stream.Never[int]() }))
		p := w.connect()
		request := socket.NewMessage(socket.MustParseMediaType("application/json; stream=count"), "1")
		p.Send(w.ctx, request, request)
		m, err := p.Wait(w.ctx).Get()
		if _, busy := hello.Decode(m); !errors.Is(busy, socket.ErrBusy) {
			t.Errorf("ask for two streams over one connection: got %v, %v, want socket.ErrBusy for the second", busy, err)
		}
	})
}
