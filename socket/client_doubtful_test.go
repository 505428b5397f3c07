package socket

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/unixsock"
)

// doubtfulServer handles messages by their contents, records them, and ends their connection in
// one way at the message "end". It answers or rejects held messages within Config.Grace, and leaves
// the kept messages without an answer.
type doubtfulServer struct {
	listener *memoryListener
	stop     context.CancelFunc
	end      func(*doubtfulServer, Exchange) (more bool)

	mu      sync.Mutex
	handled []string
}

func (s *doubtfulServer) handle(x Exchange) (more bool) {
	s.mu.Lock()
	s.handled = append(s.handled, x.Content())
	s.mu.Unlock()
	switch x.Content() {
	case "held", "kept", "refused":
		held := x.Hold()
		switch x.Content() {
		case "held":
			time.AfterFunc(500*time.Millisecond, func() { held.Respond(context.Background(), Text("late")) })
		case "refused":
			time.AfterFunc(250*time.Millisecond, func() { held.Reject(nil) })
		}
	case "slow":
		time.Sleep(100 * time.Millisecond)
	case "end":
		return s.end == nil || s.end(s, x)
	}
	return true
}

// endingWays are the ways in which a server ends a connection whose messages it can read.
var endingWays = map[string]func(*doubtfulServer, Exchange) bool{
	"the server's context ends": func(s *doubtfulServer, _ Exchange) bool { s.stop(); return true },
	"it is handed over and ends": func(s *doubtfulServer, _ Exchange) bool {
		s.listener.failing <- unixsock.ErrHandedOver
		s.stop()
		return true
	},
	"the server has enough":        func(*doubtfulServer, Exchange) bool { return false },
	"the connection is closed":     func(_ *doubtfulServer, x Exchange) bool { x.Connection().Close(); return true },
	"the message is rejected":      func(_ *doubtfulServer, x Exchange) bool { x.Reject(errors.New("no")); return true },
	"it is held and rejected":      func(_ *doubtfulServer, x Exchange) bool { x.Hold().Reject(errors.New("no")); return true },
	"the client has been too slow": func(_ *doubtfulServer, x Exchange) bool { x.Connection().end(ErrTooSlow); return true },
	"the client has been silent":   func(_ *doubtfulServer, x Exchange) bool { x.Connection().end(ErrSilent); return true },
}

// TestDoubtfulMessagesAreAllThatMayHaveBeenHandled ends connections in each way, with
// messages in each state: unread, handled and not answered yet, held, and being handled.
// The numbers in the client's error must agree with the messages that the server handled.
func TestDoubtfulMessagesAreAllThatMayHaveBeenHandled(t *testing.T) {
	for way, end := range endingWays {
		for _, sent := range []string{
			"end",
			"1 2 3 end 4 5",
			"slow slow end slow",
			"held 1 end 2",
			"1 held slow held 2 end 3",
			"kept 1 end 2",
			"1 held 2 kept 3 end 4",
			"1 refused 2 end 3",
			"held refused slow held 1 slow slow 2",
			"kept refused 1 end 2",
		} {
			t.Run(way+": "+sent, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { endDoubtfully(t, end, texted(sent)) })
			})
		}
	}
}

// TestDoubtfulMessagesBeforeOneThatIsTooLarge ends connections at a message that the server
// does not read.
func TestDoubtfulMessagesBeforeOneThatIsTooLarge(t *testing.T) {
	for _, sent := range []string{"", "1 2", "held 1", "kept 1 2"} {
		t.Run(sent, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				messages := append(texted(sent), Text(strings.Repeat("x", 101)), Text("5"))
				endDoubtfully(t, nil, messages)
			})
		})
	}
}

// texted makes a message of each word.
func texted(words string) (messages []Message) {
	for word := range strings.FieldsSeq(words) {
		messages = append(messages, Text(word))
	}
	return messages
}

// TestDoubtfulMessagesOfAServerWithAHandler ends connections in each way in which a handler
// ends its connection, or its server.
func TestDoubtfulMessagesOfAServerWithAHandler(t *testing.T) {
	for way, end := range map[string]func(context.CancelFunc, Continuation[int]) Continuation[int]{
		"Finish":      func(_ context.CancelFunc, c Continuation[int]) Continuation[int] { return c.Finish() },
		"Stop":        func(_ context.CancelFunc, c Continuation[int]) Continuation[int] { return c.Stop() },
		"Reject":      func(_ context.CancelFunc, c Continuation[int]) Continuation[int] { return c.Reject(nil) },
		"a panic":     func(context.CancelFunc, Continuation[int]) Continuation[int] { panic("no") },
		"its context": func(stop context.CancelFunc, c Continuation[int]) Continuation[int] { stop(); return c },
	} {
		for _, sent := range []string{"end", "1 2 3 end 4 5", "slow slow end slow"} {
			t.Run(way+": "+sent, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &doubtfulServer{}
					s.played(t, texted(sent), func(ctx context.Context, ipc *IPC, name Name) {
						Serve(ipc, name, fold.Sum[int]()).With(ctx, func(m Message, c Continuation[int], _ int) Continuation[int] {
							if s.handle(Exchange{Message: m}); m.Content() == "end" {
								c = end(s.stop, c)
							}
							return c
						})
					})
				})
			})
		}
	}
}

// endDoubtfully has a server end a connection.
func endDoubtfully(t *testing.T, end func(*doubtfulServer, Exchange) bool, messages []Message) {
	s := &doubtfulServer{end: end}
	s.played(t, messages, func(ctx context.Context, ipc *IPC, name Name) {
		if err := Exchanges(ipc.Listen(name))(ctx, s.handle); err != nil && ctx.Err() == nil {
			t.Errorf("the server failed with %v, want an end in order", err)
		}
	})
}

// played sends messages to a server in one go and checks the result of Send.
func (s *doubtfulServer) played(t *testing.T, messages []Message, serve func(context.Context, *IPC, Name)) {
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	transport := newMemory(0)
	name := MustParseName("doubtful")
	var serving sync.WaitGroup
	serving.Go(func() { serve(ctx, New(Config{Transport: transport, MaxMessage: 100}), name) })
	synctest.Wait()
	s.listener = transport.listener(name)
	p, err := New(Config{Transport: transport}).ConnectTo(t.Context(), name).Get()
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	err = p.Send(t.Context(), messages...).Err()
	p.Close(t.Context())
	cancel()
	serving.Wait()
	s.judge(t, messages, err)
}

// judge compares the handled messages with the result of Send.
func (s *doubtfulServer) judge(t *testing.T, messages []Message, err error) {
	told := SendError{Acknowledged: len(messages), Sent: len(messages)}
	if err != nil {
		told = *sendError(t, err)
	}
	for i, content := range s.handled {
		if content != messages[i].Content() {
			t.Fatalf("%q were handled of %v, want them in order", s.handled, messages)
		}
	}
	if n := len(s.handled); told.Acknowledged > n || n > told.Acknowledged+told.Doubtful() {
		t.Errorf("%d messages were handled, and the client knows of %d, and %d more that may have been: %v",
			n, told.Acknowledged, told.Doubtful(), err)
	}
	want := 0
	switch {
	case slices.Contains(s.handled, "kept"), slices.Contains(s.handled, "refused"), slices.Contains(s.handled, "held") && (errors.Is(err, ErrTooSlow) || errors.Is(err, ErrSilent)):
		want = told.Sent - told.Acknowledged
	case errors.Is(err, ErrRejected), errors.Is(err, ErrPanicked):
		want = 1
	}
	if told.Doubtful() != want {
		t.Errorf("%d messages may have been handled for all that the client knows, want %d: %v", told.Doubtful(), want, err)
	}
	if err != nil && !errors.Is(err, ErrDisconnected) {
		t.Errorf("Send failed with %v, want that the server closed", err)
	}
}
