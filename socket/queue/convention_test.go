package queue_test

import (
	"context"
	"errors"
	"testing"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/queue"
)

// message makes a message with the media type and content that PROTOCOL.md has.
func message(mediaType, content string) socket.Message {
	return socket.NewMessage(socket.MustParseMediaType(mediaType), content)
}

// wrote is a message of the transcript in PROTOCOL.md, as text.
func wrote(m socket.Message) string { return m.MediaType().String() + " " + m.Content() }

// TestQueueConventionOfASupervisor is the transcript in PROTOCOL.md, with a worker that knows
// messages only, as one in PHP.
func TestQueueConventionOfASupervisor(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		h.workers.Go(func() {
			p, err := h.ipc.ConnectTo(t.Context(), name).Get()
			if err != nil {
				t.Errorf("connect to the supervisor: got %v, want no error", err)
				return
			}
			defer p.Close(t.Context())
			p.Send(t.Context(), message("text/plain; queue=worker", "ready"))
			for _, step := range []struct{ want, mediaType, content string }{
				{"application/json; job=1, attempt=1, lease=30000 [1]", "text/plain; job=1, failed=yes", "no ink"},
				{"application/json; job=2, attempt=2, lease=30000 [1]", "application/json; job=2", "2"},
				{"text/csv; header=present, job=3, attempt=1, lease=30000 a,b", "text/plain; job=3, failed=final", "no such form"},
			} {
				got, err := p.Wait(t.Context()).Get()
				if err != nil || wrote(got) != step.want {
					t.Errorf("a job: got %q, %v; want %q", wrote(got), err, step.want)
				}
				p.Send(t.Context(), message(step.mediaType, step.content))
			}
		})
		next := make(chan struct{})
		source := func(ctx context.Context, yield func(socket.Message) bool) error {
			yield(message("application/json", "[1]"))
			<-next // so that the jobs come in order
			yield(message("text/csv; header=present", "a,b"))
			return nil
		}
		want := []string{"[1]: 2, attempt 2", "a,b: queue: the worker failed: no such form, attempt 1"}
		err := queue.Serve(h.ipc.Listen(name), queue.Config{Retry: atOnce})(source).ForEach(t.Context(), func(o queue.Done) {
			if len(want) == 0 || describe(o) != want[0] {
				t.Errorf("an outcome: got %q, want the first of %q", describe(o), want)
				return
			}
			if want = want[1:]; len(want) == 1 {
				close(next)
			}
		})
		if err != nil || len(want) > 0 {
			t.Errorf("serve two jobs: got %v and no outcome %q, want no error and both", err, want)
		}
	})
}

// TestQueueConventionOfAWorker is the transcript in PROTOCOL.md, with a supervisor that knows
// messages only.
func TestQueueConventionOfAWorker(t *testing.T) {
	inHall(t, func(t *testing.T, h *hall) {
		ctx, end := context.WithCancel(t.Context())
		h.worker(ctx, func(ctx context.Context, m socket.Message) (socket.Message, error) {
			_, limited := ctx.Deadline()
			switch wrote(m) {
			case "application/json [1]":
				if !limited {
					t.Error("the context of a job with a lease has no deadline")
				}
				return m, errors.New("no ink")
			case "text/csv; header=present a,b":
				if limited {
					t.Error("the context of a job without a lease has a deadline")
				}
				return m, queue.Final(errors.New("no such form"))
			}
			return message("application/json", "2"), nil
		})
		steps := []struct{ want, mediaType, content string }{
			{"text/plain; queue=worker ready", "application/json; job=1, attempt=1, lease=30000", "[1]"},
			{"text/plain; job=1, failed=yes no ink", "text/csv; header=present, job=3, attempt=1", "a,b"},
			{"text/plain; job=3, failed=final no such form", "application/json; job=4, attempt=2", "[2]"},
			{"application/json; job=4 2", "", ""},
		}
		err := socket.Exchanges(h.ipc.Listen(name)).ForEach(ctx, func(x socket.Exchange) {
			step := steps[0]
			steps = steps[1:]
			if wrote(x.Message) != step.want {
				t.Errorf("a message of the worker: got %q, want %q", wrote(x.Message), step.want)
			}
			if len(steps) == 0 {
				end()
			} else if err := x.Connection().Send(ctx, message(step.mediaType, step.content)); err != nil {
				t.Errorf("send a job: got %v, want no error", err)
			}
		})
		if !errors.Is(err, context.Canceled) || len(steps) > 0 {
			t.Errorf("serve: got %v with %d messages missing, want the end of the context and none", err, len(steps))
		}
	})
}
