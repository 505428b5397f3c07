package answers

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// text returns a message that is a text.
func text(content string) wire.Message {
	return wire.Message{MediaType: wire.TextPlain, Content: content}
}

// read returns the frames of out, by their contents.
func read(t *testing.T, out *wire.Output) (contents []string) {
	t.Helper()
	var bytes strings.Builder
	if _, err := out.WriteAll(&bytes); err != nil {
		t.Fatalf("WriteAll: %v", err)
	}
	r, from := wire.Reader{Limit: 1 << 20}, strings.NewReader(bytes.String())
	for {
		f, err := r.ReadFrame(from)
		if err == io.EOF {
			return contents
		}
		if err != nil {
			t.Fatalf("an answer that is no frame: %v", err)
		}
		contents = append(contents, strings.TrimPrefix(f.Message.Content, "innmind/ipc:"))
		if f.Kind == wire.KindAck {
			contents[len(contents)-1] = "ack"
		}
	}
}

// started returns a Queue whose exchanges are handled where they begin.
func started() *Queue[string] {
	q := new(Queue[string])
	q.Start(Taken)
	return q
}

// handle has an exchange handled and answered, held if there is an entry.
func handle(q *Queue[string], response string, e *Entry[string]) {
	id := q.Begin(wire.KindAck)
	if response != "" {
		q.Respond().AddMessage(text(response))
	}
	if e != nil {
		q.Hold(e)
	}
	q.Conclude(id)
	q.End()
}

func TestQueueMovesAnswersInTheOrderOfTheirMessages(t *testing.T) {
	q, one, two := started(), &Entry[string]{Info: "one"}, &Entry[string]{Info: "two"}
	handle(q, "a", nil)
	handle(q, "first of one", one)
	handle(q, "b", nil)
	handle(q, "", two)
	handle(q, "c", nil)
	answer := func(e *Entry[string], response string) {
		if !q.Answer(e, func(out *wire.Output) { out.AddMessage(text(response)) }) {
			t.Errorf("Answer of %s finds the queue closed", e.Info)
		}
	}
	var out wire.Output
	for _, step := range []struct {
		what string
		do   func()
		want []string
		left int
	}{
		{"before an answer", func() {}, []string{"ack", "a"}, 4},
		{"the second answer", func() { answer(two, "2") }, []string{"ack", "a"}, 4},
		{"the first answer", func() { answer(one, "1") }, []string{"ack", "a", "ack", "first of one", "1", "ack", "b", "ack", "2", "ack", "c"}, 0},
		{"an exchange behind them", func() { handle(q, "d", nil) }, []string{"ack", "a", "ack", "first of one", "1", "ack", "b", "ack", "2", "ack", "c", "ack", "d"}, 0},
	} {
		step.do()
		q.Move(&out)
		if got := read(t, &out); !slices.Equal(got, step.want) || q.Len() != step.left || q.IsReady() {
			t.Errorf("after %s: %v was moved and %d wait, ready %v, want %v and %d", step.what, got, q.Len(), q.IsReady(), step.want, step.left)
		}
	}
}

func TestQueueDropsAnswersThatWereNotGiven(t *testing.T) {
	q, out := started(), wire.Output{}
	handle(q, "kept", nil)
	for what, give := range map[string]func(id uint64){
		"rejected": func(id uint64) { q.Reject(id) },
		"unwound":  func(uint64) {},
	} {
		id := q.Begin(wire.KindAck)
		q.Respond().AddMessage(text("dropped"))
		if give(id); q.End() {
			t.Errorf("End of an exchange that was %s reports an answer", what)
		}
		if got := q.IsUnwound(); got != (what == "unwound") {
			t.Errorf("an exchange that was %s is unwound: %v", what, got)
		}
		q.Start(Taken)
		q.id = 0
	}
	if q.Move(&out); !slices.Equal(read(t, &out), []string{"ack", "kept"}) {
		t.Errorf("%v was moved, want the answer that was given", read(t, &out))
	}
}

func TestCurrentIsTheHandlersWhileItIsTaken(t *testing.T) {
	q := new(Queue[string])
	q.Start(Begun)
	id := q.Begin(wire.KindAck)
	before := q.Activity()
	if q.IsOpen(id) || q.Reject(id) || q.Phase() != Begun {
		t.Errorf("before Take: open %v, phase %v, want that only Take counts", q.IsOpen(id), q.Phase())
	}
	if !q.Take(id) || q.Take(id) || !q.IsOpen(id) || q.Responded() {
		t.Error("Take gives the exchange to nobody, or twice, or with a response")
	}
	q.Respond()
	e := new(Entry[string])
	if q.Hold(e); q.IsOpen(id) || !q.IsHeld(id) || q.Reject(id) || !q.Responded() {
		t.Error("an exchange that is held is open, or may be rejected")
	}
	q.Conclude(id)
	if q.Phase() != Concluded || q.IsHeld(id) || q.Activity() == before || !q.End() {
		t.Errorf("after Conclude the phase is %v, want Concluded", q.Phase())
	}
	if next := q.Begin(wire.KindAck); q.IsOpen(id) || q.Take(id) || !q.Take(next) || q.Responded() {
		t.Error("the next exchange is that before")
	}
}

func TestCurrentIsWithdrawnOrTakenAndNeverBoth(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			q := new(Queue[string])
			q.Start(Begun)
			id := q.Begin(wire.KindAck)
			ctx, cancel := context.WithCancel(t.Context())
			var all sync.WaitGroup
			taken := false
			all.Go(cancel)
			all.Go(func() {
				if taken = q.Take(id); taken {
					q.Conclude(id)
					q.Wake(true)
				}
			})
			more := q.Await(ctx, id)
			all.Wait()
			if more != taken || (q.Phase() == Concluded) != taken || (q.Phase() == Withdrawn) == taken {
				t.Errorf("taken %v, Await %v, phase %v", taken, more, q.Phase())
			}
		})
	}
}

func TestCurrentAwaitSaysWhetherMoreIsWanted(t *testing.T) {
	q := new(Queue[string])
	q.Start(Begun)
	for _, want := range []bool{true, false} {
		id := q.Begin(wire.KindAck)
		q.Take(id)
		q.Conclude(id)
		q.Wake(want)
		if got := q.Await(t.Context(), id); got != want {
			t.Errorf("Await after Wake(%v): got %v", want, got)
		}
		q.End()
	}
}

func TestQueueAwaitsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, e, out := started(), new(Entry[string]), wire.Output{}
		handle(q, "", e)
		handle(q, "b", nil)
		ctx, cancel := context.WithCancelCause(t.Context())
		late := errors.New("late")
		result := make(chan error, 1)
		go func() { result <- q.AwaitRoom(t.Context(), 1, 1) }()
		synctest.Wait()
		q.Answer(e, func(*wire.Output) {})
		q.MoveHeld(&out)
		if err := <-result; err != nil || !slices.Equal(read(t, &out), []string{"ack", "ack", "b"}) {
			t.Errorf("AwaitRoom while both answers leave: got %v, want nil", err)
		}
		handle(q, "", new(Entry[string]))
		cancel(late)
		if err := q.AwaitRoom(ctx, 1, 1); err != late {
			t.Errorf("AwaitRoom whose context has ended: got %v, want its cause", err)
		}
		if err := q.AwaitRoom(ctx, 2, 1<<20); err != nil {
			t.Errorf("AwaitRoom where there is room: got %v, want nil", err)
		}
	})
}

// TestQueueThatIsClosedKeepsNothing: answers may be large, and a connection that has ended may
// be kept for long.
func TestQueueThatIsClosedKeepsNothing(t *testing.T) {
	q, given, open := started(), &Entry[string]{Info: "given"}, &Entry[string]{Info: "open"}
	handle(q, "", given)
	handle(q, "", open)
	handle(q, "behind", nil)
	q.Answer(given, func(*wire.Output) {})
	if got := q.Close(); !slices.Equal(got, []string{"open"}) {
		t.Errorf("Close returns %v, want what was held and not answered", got)
	}
	if q.waiting != nil || q.Len() != 0 || q.Answer(open, func(*wire.Output) { t.Error("a response is added after Close") }) {
		t.Errorf("a queue that was closed keeps %d answers, or takes one", q.Len())
	}
}
