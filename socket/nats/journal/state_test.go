package journal_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats/journal"
	"github.com/rxipc/rxipc/stream"
)

// joined is a state that has the contents one behind the other, so that order, gaps and doubles show.
func joined() journal.State[string] {
	return journal.State[string]{
		Name:     "joined",
		Monoid:   fold.ConcatStrings[string](),
		Of:       func(e journal.Entry) string { return e.Content() + " " },
		Every:    2,
		Interval: time.Hour,
	}
}

// carries fails the test unless the run emits these carries.
func carries(t *testing.T, run stream.Observable[journal.Carry[string]], want ...string) {
	t.Helper()
	got, err := stream.Pipe1(run, operators.Map(func(c journal.Carry[string]) string { return c.Value })).Collect(context.Background())
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("fold: got the carries %q, %v; want %q", got, err, want)
	}
}

func TestStateGoesOnWhereItWasKept(t *testing.T) {
	folder := t.TempDir()
	j := opened(t, folder, journal.Config{})
	carries(t, joined().Replay(j), "")
	appended(t, j, texts(1, 3)...)
	carries(t, joined().Replay(j), "", "1 ", "1 2 ", "1 2 3 ")
	closed(t, j)
	j = opened(t, folder, journal.Config{})
	appended(t, j, texts(4, 4)...)
	carries(t, joined().Replay(j), "1 2 3 ", "1 2 3 4 ")
	carries(t, joined().Replay(j), "1 2 3 4 ")
}

// TestStateThatIsNotKeptFoldsAgain breaks off a run so that it cannot keep its carry at the end.
func TestStateThatIsNotKeptFoldsAgain(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	appended(t, j, texts(1, 5)...)
	state := joined()
	of := state.Of
	state.Of = func(e journal.Entry) string {
		if e.Sequence == 4 {
			panic("of message 4")
		}
		return of(e)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("fold a message that panics: got no panic")
			}
		}()
		state.Replay(j).Run(t.Context())
	}()
	carries(t, joined().Replay(j), "1 2 ", "1 2 3 ", "1 2 3 4 ", "1 2 3 4 5 ")
}

func TestStateFoldsWhatAStageLeavesOut(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	appended(t, j, texts(1, 2)...)
	source := func(ctx context.Context, yield func(journal.Entry) bool) error {
		third := appended(t, j, texts(3, 3)...)
		appended(t, j, texts(4, 5)...) // by another process
		sixth := appended(t, j, texts(6, 6)...)
		for _, e := range slices.Concat(third, sixth, third) {
			if !yield(e) {
				break
			}
		}
		return nil
	}
	carries(t, joined().Fold(j)(source), "", "1 ", "1 2 ", "1 2 3 ", "1 2 3 4 ", "1 2 3 4 5 ", "1 2 3 4 5 6 ")
}

func TestStateFollowsWhatOthersAppend(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	appended(t, j, texts(1, 1)...)
	var last journal.Carry[string]
	err := joined().Follow(j)(t.Context(), func(c journal.Carry[string]) bool {
		if last = c; c.Sequence > 0 && c.Sequence < 4 {
			appended(t, j, texts(int(c.Sequence)+1, int(c.Sequence)+1)...)
		}
		return c.Sequence < 4
	})
	if err != nil || last.Value != "1 2 3 4 " {
		t.Errorf("follow: got %q, %v; want the fold of four messages", last.Value, err)
	}
	carries(t, joined().Replay(j), "1 2 3 4 ")
}

func TestStateKeepsItsCarryWhenItsContextEnds(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	appended(t, j, texts(1, 3)...)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	err := joined().Follow(j)(ctx, func(c journal.Carry[string]) bool {
		if c.Sequence == 3 {
			cancel(enough)
		}
		return true
	})
	if err != enough {
		t.Errorf("cancel a run: got %v, want the cause", err)
	}
	carries(t, joined().Replay(j), "1 2 3 ")
}

func TestStateOfOneNameIsFoldedOnce(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	appended(t, j, texts(1, 3)...)
	err := joined().Replay(j)(t.Context(), func(c journal.Carry[string]) bool {
		if c.Sequence == 0 {
			carries(t, joined().Replay(j), "", "1 ", "1 2 ", "1 2 3 ")
		}
		return true
	})
	if !errors.Is(err, journal.ErrFenced) {
		t.Errorf("fold a state beside another run: got %v, want ErrFenced", err)
	}
	carries(t, joined().Replay(j), "1 2 3 ")
}

func TestStateMigratesItsCarry(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	appended(t, j, texts(1, 3)...)
	carries(t, joined().Replay(j), "", "1 ", "1 2 ", "1 2 3 ")

	lengths := journal.State[int]{
		Name: "joined", Monoid: fold.Sum[int](), Of: func(e journal.Entry) int { return e.Len() },
		Version: 1,
	}
	err := lengths.Replay(j).Run(t.Context())
	if !errors.Is(err, journal.ErrUnreadable) || !strings.Contains(err.Error(), "version 0") || !strings.Contains(err.Error(), "set Migrate") {
		t.Errorf("fold with another version: got %v, want ErrUnreadable and what to do", err)
	}
	lengths.Migrate = func(int, []byte) (int, error) { return 0, errors.New("no such version") }
	if err := lengths.Replay(j).Run(t.Context()); !errors.Is(err, journal.ErrUnreadable) || !strings.Contains(err.Error(), "no such version") {
		t.Errorf("migrate with an error: got %v, want ErrUnreadable and the error", err)
	}
	carries(t, joined().Replay(j), "1 2 3 ") // nothing was overwritten

	lengths.Migrate = func(version int, content []byte) (int, error) {
		var text string
		err := json.Unmarshal(content, &text)
		return strings.Count(text, " ") + 100*version, err
	}
	appended(t, j, texts(44, 44)...)
	if c, err := lengths.Replay(j).Last(t.Context()).Get(); c.Value != 5 || err != nil {
		t.Errorf("fold a carry that was migrated: got %d, %v; want 3 and 2 more", c.Value, err)
	}
	err = joined().Replay(j).Run(t.Context())
	if !errors.Is(err, journal.ErrUnreadable) || !strings.Contains(err.Error(), "version 1, and this program reads version 0") {
		t.Errorf("fold a carry of a newer program: got %v, want ErrUnreadable", err)
	}
}

func TestStateRefusesACarryThatCannotBeRead(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	appended(t, j, texts(1, 3)...)
	carries(t, joined().Replay(j), "", "1 ", "1 2 ", "1 2 3 ")
	number := journal.State[int]{Name: "joined", Monoid: fold.Sum[int](), Of: func(journal.Entry) int { return 1 }}
	for range 2 { // the first run changes nothing
		err := number.Replay(j).Run(t.Context())
		if !errors.Is(err, journal.ErrUnreadable) || !strings.Contains(err.Error(), "call Forget") {
			t.Errorf("read text as a number: got %v, want ErrUnreadable and what to do", err)
		}
	}
	if err := number.Forget(t.Context(), j); err != nil {
		t.Errorf("forget: got %v", err)
	}
	if c, err := number.Replay(j).Last(t.Context()).Get(); c.Value != 3 || err != nil {
		t.Errorf("fold from the beginning: got %d, %v; want 3", c.Value, err)
	}
}

func TestStateTellsOfMessagesThatWereRemoved(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{MaxMessages: 3})
	appended(t, j, texts(1, 5)...)
	err := joined().Replay(j).Run(t.Context())
	gap, ok := errors.AsType[*journal.GapError](err)
	if !ok || gap.First != 1 || gap.Last != 2 || errors.Is(err, journal.ErrCorrupt) || !strings.Contains(err.Error(), "From of the state to 3") {
		t.Errorf("fold without the first two messages: got %v, want a GapError of them and what to do", err)
	}
	state := joined()
	state.From = 3
	carries(t, state.Replay(j), "", "3 ", "3 4 ", "3 4 5 ")
	appended(t, j, texts(6, 9)...)
	if err = state.Replay(j).Run(t.Context()); !errors.As(err, &gap) || gap.First != 6 || gap.Last != 6 {
		t.Errorf("fold without message 6: got %v, want a GapError of it", err)
	}
}

// TestStateTellsOfMessagesThatWereLost keeps a carry that is ahead of its journal, as after a disk
// that lost what it had synced.
func TestStateTellsOfMessagesThatWereLost(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	appended(t, j, texts(1, 2)...)
	carries(t, joined().Replay(j), "", "1 ", "1 2 ")
	js, err := jetstream.New(j.Conn())
	if err != nil {
		t.Fatalf("use JetStream: %v", err)
	}
	stored, err := js.Stream(t.Context(), "test_carry")
	if err != nil {
		t.Fatalf("open the stream of carries: %v", err)
	}
	kept, err := stored.GetLastMsgForSubject(t.Context(), "rxipc.journal.test.carry.joined")
	if err != nil {
		t.Fatalf("read the carry: %v", err)
	}
	header := nats.Header{"Rxipc-Sequence": {"3"}, "Rxipc-Version": {"0"}, "Rxipc-Journal": kept.Header["Rxipc-Journal"]}
	if _, err := js.PublishMsg(t.Context(), &nats.Msg{Subject: kept.Subject, Header: header, Data: []byte(`"1 2 3 "`)}); err != nil {
		t.Fatalf("write a carry: %v", err)
	}
	err = joined().Replay(j).Run(t.Context())
	gap, ok := errors.AsType[*journal.GapError](err)
	if !ok || gap.First != 3 || gap.Last != 3 || !errors.Is(err, journal.ErrCorrupt) {
		t.Errorf("fold a journal that ends before its carry: got %v, want a GapError of message 3 and ErrCorrupt", err)
	}
}

func TestStateNeedsItsFields(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	for name, change := range map[string]func(*journal.State[string]){
		"name":   func(s *journal.State[string]) { s.Name = "a.b" },
		"monoid": func(s *journal.State[string]) { s.Monoid = nil },
		"of":     func(s *journal.State[string]) { s.Of = nil },
	} {
		state := joined()
		change(&state)
		if err := state.Replay(j).Run(t.Context()); !errors.Is(err, socket.ErrInvalid) {
			t.Errorf("fold a state without its %s: got %v, want ErrInvalid", name, err)
		}
	}
}
