package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/stream"
)

var noted = rpc.NewNotice[int]("noted")

func TestNoticesOfAConnectionAreHandledInOrder(t *testing.T) {
	virtual(t, func(w *world) {
		var got []int
		w.serve(rpc.HandleNotice(noted, func(_ context.Context, n int) error {
			got = append(got, n)
			return nil
		}))
		p := w.connect()
		if err := noted.Send(w.ctx, p, 1, 2, 3); err != nil || !slices.Equal(got, []int{1, 2, 3}) {
			t.Errorf("send three notifications: got %v and %v handled, want 1, 2, 3", err, got)
		}
		more := stream.Pipe3(
			stream.Range(4, 200),
			operators.MapErr(noted.Encode),
			p.SendAll,
			operators.Count[socket.Message](),
		)
		if sent, err := more.Last(w.ctx).Get(); sent != 200 || err != nil || len(got) != 203 || !slices.IsSorted(got) {
			t.Errorf("send 200 as a pipeline: got %d acknowledged, %v, and %d handled in all, want 200 and 203 in order", sent, err, len(got))
		}
		if messages, _ := p.Unread(); messages != 0 {
			t.Errorf("notifications were responded to with %d messages, want none", messages)
		}
	})
}

func TestNoticeThatIsNotHandledIsNotAcknowledged(t *testing.T) {
	for why, test := range map[string]struct {
		fail func() error
		is   error
		log  string
	}{
		"an error":   {func() error { return errors.New("disk full") }, socket.ErrRejected, "disk full"},
		"a problem":  {func() error { return errNoCredit }, socket.ErrRejected, "the credit is used up"},
		"a panic":    {func() error { panic("bug") }, socket.ErrPanicked, "bug"},
		"no handler": {nil, socket.ErrRejected, "no such method"},
	} {
		t.Run(why, func(t *testing.T) {
			virtual(t, func(w *world) {
				if test.fail == nil {
					w.serve(greets)
				} else {
					w.serve(rpc.HandleNotice(noted, func(_ context.Context, n int) error {
						if n == 2 {
							return test.fail()
						}
						return nil
					}))
				}
				err := noted.Send(w.ctx, w.connect(), 1, 2, 3)
				sent, ok := errors.AsType[*socket.SendError](err)
				if !ok || !errors.Is(err, test.is) {
					t.Fatalf("send a notification whose handling ends with %s: got %v, want a SendError that is %v", why, err, test.is)
				}
				if handled := sent.Acknowledged; test.fail != nil && handled != 1 {
					t.Errorf("send three, of which the second fails: got %d acknowledged, want 1", handled)
				}
				w.stop()
				if log := w.log.String(); !strings.Contains(log, test.log) {
					t.Errorf("the log of the server is %q, want a line with %q", log, test.log)
				}
			})
		})
	}
}

func TestNoticeThatCannotBeEncodedIsNotSent(t *testing.T) {
	virtual(t, func(w *world) {
		bad := rpc.NewNotice[func()]("bad")
		err := bad.Send(w.ctx, nil, func() {})
		if failed, ok := errors.AsType[*rpc.Error](err); !ok || failed.Method != "bad" {
			t.Errorf("send a notification that JSON cannot encode: got %v, want an Error of bad", err)
		}
	})
}

// A server calls its client in the middle of a call of that client, and the other way round.
func TestAttendAnswersTheCallsOfAServer(t *testing.T) {
	confirm := rpc.NewMethod[string, bool]("confirm")
	remove := rpc.NewMethod[string, string]("remove")
	virtual(t, func(w *world) {
		told := make(chan int, 10)
		w.serve(greets, rpc.Handle(remove, func(ctx context.Context, file string) (string, error) {
			c, ok := rpc.Connection(ctx)
			if !ok {
				return "", errors.New("no connection in the context")
			}
			if err := noted.Push(ctx, c, 1, 2); err != nil {
				return "", err
			}
			if err := c.Send(ctx, socket.Text("pushed")); err != nil {
				return "", err
			}
			yes, err := confirm.Call(ctx, rpc.Client(ctx), file)
			return fmt.Sprint("removed: ", yes), err
		}))
		p, pool := w.connect(), w.pool()
		client := rpc.NewServer(
			rpc.Handle(confirm, func(ctx context.Context, file string) (bool, error) {
				if file == "fails" {
					return false, errNoCredit
				}
				greeted, err := hello.Call(ctx, pool, greeting{file})
				return greeted == "hello yes", err
			}),
			rpc.HandleNotice(noted, func(_ context.Context, n int) error { told <- n; return nil }),
		)
		attended, ended := make(chan socket.Message, 10), make(chan error)
		go func() { ended <- client.Attend(p).ForEach(w.ctx, func(m socket.Message) { attended <- m }) }()

		if got, err := remove.Call(w.ctx, p, "yes"); got != "removed: true" || err != nil {
			t.Errorf("call a method that asks its client: got %q, %v, want \"removed: true\"", got, err)
		}
		if _, err := remove.Call(w.ctx, p, "fails"); !errors.Is(err, rpc.ErrFailed) {
			t.Errorf("call a method whose question fails: got %v, want ErrFailed, and not the client's own problem", err)
		}
		if one, two := <-told, <-told; one != 1 || two != 2 {
			t.Errorf("the client got the notifications %d and %d, want 1 and 2", one, two)
		}
		if m := <-attended; m != socket.Text("pushed") {
			t.Errorf("attend emitted %v, want what the server pushed besides", m)
		}
		p.Close(w.ctx)
		if err := <-ended; err != nil {
			t.Errorf("attend until the process is closed: got %v, want completion", err)
		}
	})
}

// A handler on the goroutine of its connection would wait for a reply that it keeps from being read.
func TestClientFailsOnTheGoroutineOfTheConnection(t *testing.T) {
	failed := make(chan error, 2)
	ask := func(ctx context.Context) {
		_, err := hello.Call(ctx, rpc.Client(ctx), greeting{})
		failed <- err
	}
	server := rpc.NewServer(
		rpc.Handle(hello, func(ctx context.Context, _ greeting) (string, error) { ask(ctx); return "", nil }),
		rpc.HandleNotice(noted, func(ctx context.Context, _ int) error { ask(ctx); return nil }),
	)
	virtual(t, func(w *world) {
		w.runWith(func(ctx context.Context, ipc *socket.IPC) error {
			return socket.Serve(ipc, name, fold.Unit()).With(ctx, rpc.Inline[struct{}](server)).Err()
		})
		p := w.connect()
		noted.Send(w.ctx, p, 1)
		hello.Call(w.ctx, p, greeting{})
		for range 2 {
			if err := <-failed; !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("call the client from the goroutine of its connection: got %v, want errors.ErrUnsupported", err)
			}
		}
	})
}

func TestClientFailsOutsideOfAHandler(t *testing.T) {
	if _, err := hello.Call(t.Context(), rpc.Client(t.Context()), greeting{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("call the client outside of a handler: got %v, want errors.ErrUnsupported", err)
	}
	if _, ok := rpc.Connection(t.Context()); ok {
		t.Error("ask for the connection outside of a handler: got one, want none")
	}
}

// A call to a client that does not answer ends with its context, or with the connection.
func TestClientThatDoesNotAttend(t *testing.T) {
	ask := rpc.NewMethod[string, string]("ask")
	virtual(t, func(w *world) {
		asked := make(chan error, 1)
		w.serve(rpc.Handle(ask, func(ctx context.Context, _ string) (string, error) {
			got, err := hello.Call(ctx, rpc.Client(ctx), greeting{})
			asked <- err
			return got, err
		}))
		p := w.connect()
		request := socket.NewMessage(socket.MustParseMediaType("application/json; method=ask, timeout=1000"), `""`)
		m, err := p.Request(w.ctx, request).Get()
		if _, told := ask.Decode(m); err != nil || !errors.Is(told, context.DeadlineExceeded) {
			t.Errorf("call a method that asks in vain: got %v, %v, want context.DeadlineExceeded", told, err)
		}
		<-asked
		late := socket.NewMessage(socket.MustParseMediaType("application/json; reply=1"), `"late"`)
		if err := p.Send(w.ctx, late, late).Err(); err != nil {
			t.Errorf("reply to a call that has given up: got %v, want it to be ignored", err)
		}
		go ask.Call(w.ctx, p, "")
		for range 2 { // of both calls
			if _, err := p.Wait(w.ctx).Get(); err != nil {
				t.Fatalf("wait for the question: %v", err)
			}
		}
		die(p)
		if err := <-asked; err == nil {
			t.Error("call a client that dies: got nil, want an error")
		}
	})
}
