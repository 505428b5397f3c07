package journal_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats/broker"
	"github.com/rxipc/rxipc/socket/nats/journal"
)

// quiet is a log of connections that end as the tests want.
var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func TestOpenRefusesAConfigThatCannotWork(t *testing.T) {
	for name, config := range map[string]journal.Config{
		"a negative limit":               {MaxBytes: -1},
		"a negative time":                {Timeout: -1},
		"Refuse without a limit":         {Refuse: true},
		"a Window longer than MaxAge":    {MaxAge: time.Second, Window: time.Minute},
		"replicas of an embedded broker": {Replicas: 3},
	} {
		if _, err := journal.Open(t.Context(), t.TempDir(), "test", config); !errors.Is(err, socket.ErrInvalid) {
			t.Errorf("open with %s: got %v, want ErrInvalid", name, err)
		}
	}
	if _, err := journal.Open(t.Context(), "nats://127.0.0.1:1", "test", journal.Config{SyncEvery: 1}); !errors.Is(err, socket.ErrInvalid) {
		t.Errorf("open a URL with SyncEvery: got %v, want ErrInvalid", err)
	}
	for _, name := range []string{"", "a.b", "a b"} {
		if _, err := journal.Open(t.Context(), t.TempDir(), name, journal.Config{}); !errors.Is(err, socket.ErrInvalid) {
			t.Errorf("open the name %q: got %v, want ErrInvalid", name, err)
		}
	}
	if _, err := journal.Open(t.Context(), "nats://127.0.0.1:1", "test", journal.Config{}); !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("open where no broker is: got %v, want ErrUnavailable", err)
	}
}

func TestOpenOfAFolderInUseFails(t *testing.T) {
	folder := t.TempDir()
	opened(t, folder, journal.Config{})
	if _, err := journal.Open(t.Context(), folder, "other", journal.Config{}); !errors.Is(err, socket.ErrInUse) {
		t.Errorf("open a folder again: got %v, want ErrInUse", err)
	}
}

func TestOpenRefusesAStreamOfOthers(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	js, err := jetstream.New(j.Conn())
	if err == nil {
		_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "theirs", Subjects: []string{"theirs"}, MaxMsgs: 7})
	}
	if err != nil {
		t.Fatalf("make a stream: %v", err)
	}
	if _, err := journal.On(t.Context(), j.Conn(), "theirs", journal.Config{}); !errors.Is(err, journal.ErrForeign) {
		t.Errorf("open a stream of others: got %v, want ErrForeign", err)
	}
	theirs, err := js.Stream(t.Context(), "theirs")
	if err != nil || theirs.CachedInfo().Config.MaxMsgs != 7 {
		t.Errorf("look at the stream: got %+v, %v; want that it was left alone", theirs, err)
	}
	second, err := journal.On(t.Context(), j.Conn(), "second", journal.Config{})
	if err != nil {
		t.Fatalf("open a second journal of a broker: got %v, want no error", err)
	}
	appended(t, second, texts(1, 1)...)
	has(t, second, journal.FromBeginning(), "1:1")
	has(t, j, journal.FromBeginning())
}

// fills appends batches until the journal is full, and returns how many messages were stored.
func fills(t *testing.T, j *journal.Journal) (stored uint64) {
	t.Helper()
	batch := slices.Repeat([]socket.Message{socket.NewMessageBytes(socket.OctetStream(), make([]byte, 1<<19))}, 3)
	for stored < 100 {
		_, err := j.Append(t.Context(), batch...)
		if errors.Is(err, journal.ErrFull) {
			return stored
		}
		if err != nil {
			t.Fatalf("append until there is no room: got %v after %d messages, want ErrFull", err, stored)
		}
		stored += 3
	}
	t.Fatalf("append %d messages: got no error, want ErrFull", stored)
	return stored
}

func TestAppendBeyondAQuotaLosesNothing(t *testing.T) {
	folder := t.TempDir()
	j := opened(t, folder, journal.Config{
		Timeout: time.Second,
		Broker:  func(o *server.Options) { o.JetStreamMaxStore = 4 << 20 },
	})
	stored := fills(t, j)
	closed(t, j)
	j = opened(t, folder, journal.Config{})
	if last, err := j.Last(t.Context()); last < stored || err != nil {
		t.Errorf("last message: got %d, %v; want at least %d, those that were appended", last, err, stored)
	}
	appended(t, j, texts(1, 1)...)
}

// damaged makes a journal of five messages, folds it if it shall be, and damages a message on the
// disk. If crashed, the broker did not write its index either, as after a crash.
func damaged(t *testing.T, folded bool, text string, crashed bool) *journal.Journal {
	t.Helper()
	folder := t.TempDir()
	j := opened(t, folder, journal.Config{})
	for _, text := range []string{"the first", "the second", "the third", "the fourth", "the fifth"} {
		appended(t, j, socket.Text(text))
	}
	if folded {
		if err := joined().Replay(j).Run(t.Context()); err != nil {
			t.Fatalf("fold: %v", err)
		}
	}
	closed(t, j)
	messages := filepath.Join(folder, "jetstream", "$G", "streams", "test", "msgs")
	file := filepath.Join(messages, "1.blk")
	content, err := os.ReadFile(file)
	at := strings.Index(string(content), text)
	if err != nil || at < 0 {
		t.Fatalf("find %q in %s: got %d, %v", text, file, at, err)
	}
	content[at] ^= 0xff
	err = os.WriteFile(file, content, 0o600)
	if crashed {
		err = errors.Join(err, os.Remove(filepath.Join(messages, "index.db")))
	}
	if err != nil {
		t.Fatalf("damage %s: %v", file, err)
	}
	return opened(t, folder, journal.Config{Timeout: 100 * time.Millisecond})
}

func TestStateTellsOfADamagedFile(t *testing.T) {
	for what, j := range map[string]*journal.Journal{
		"a message in the middle":                                                 damaged(t, false, "the third", false),
		"a message in the middle that is in the carry":                            damaged(t, true, "the third", true),
		"the last message, which is in the carry, and without its broker's index": damaged(t, true, "the fifth", true),
	} {
		err := joined().Replay(j).Run(t.Context())
		gap, ok := errors.AsType[*journal.GapError](err)
		if !errors.Is(err, journal.ErrCorrupt) || !ok || !strings.Contains(err.Error(), "restore the folder") {
			t.Errorf("fold a journal with damage to %s: got %v (%v), want ErrCorrupt, a GapError and what to do", what, err, gap)
		}
	}
}

func TestReplayTellsOfADamagedMessageAtItsEnd(t *testing.T) {
	j := damaged(t, false, "the fifth", false)
	got, err := j.Replay(journal.FromBeginning()).Collect(t.Context())
	if !errors.Is(err, journal.ErrCorrupt) || len(got) != 4 || !strings.Contains(err.Error(), "message 5") {
		t.Errorf("replay a journal whose last message is damaged: got %d messages, %v; want the others and ErrCorrupt", len(got), err)
	}
}

func TestOpenRefusesAJournalThatCannotBeRecovered(t *testing.T) {
	folder := t.TempDir()
	j := opened(t, folder, journal.Config{})
	appended(t, j, texts(1, 3)...)
	closed(t, j)
	meta := filepath.Join(folder, "jetstream", "$G", "streams", "test", "meta.inf")
	if err := os.WriteFile(meta, []byte("damage"), 0o600); err != nil {
		t.Fatalf("damage %s: %v", meta, err)
	}
	for range 2 { // the first changes nothing
		_, err := journal.Open(t.Context(), folder, "test", journal.Config{})
		if !errors.Is(err, journal.ErrCorrupt) || !strings.Contains(err.Error(), "could not be recovered") || !strings.Contains(err.Error(), "restore the folder") {
			t.Errorf("open a journal whose description is damaged: got %v, want ErrCorrupt and what to do", err)
		}
	}
}

func TestJournalWithoutItsBrokerIsUnavailable(t *testing.T) {
	b, err := broker.Start(t.TempDir())
	if err != nil {
		t.Fatalf("start a broker: %v", err)
	}
	conn, err := b.Connect()
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer conn.Close()
	j, err := journal.On(t.Context(), conn, "test", journal.Config{Timeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatalf("open the journal: %v", err)
	}
	appended(t, j, texts(1, 3)...)
	b.Close()
	_, appendErr := j.Append(t.Context(), texts(4, 6)...)
	_, oneErr := j.Append(t.Context(), texts(4, 4)...)
	for what, err := range map[string]error{
		"append":         appendErr,
		"append one":     oneErr,
		"replay":         j.Replay(journal.FromBeginning()).Run(t.Context()),
		"follow":         j.Follow(journal.FromBeginning()).Run(t.Context()),
		"fold":           joined().Replay(j).Run(t.Context()),
		"run a queue of": journal.Queue{Name: "q"}.Jobs(j).Run(t.Context()),
	} {
		if !errors.Is(err, journal.ErrUnavailable) {
			t.Errorf("%s a journal whose broker is gone: got %v, want ErrUnavailable", what, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Follow(journal.FromBeginning()).Run(ctx); err != context.Canceled {
		t.Errorf("follow with a context that has ended: got %v, want its cause", err)
	}
}

func TestReplayStartsAtATime(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	appended(t, j, texts(1, 2)...)
	between := time.Now()
	appended(t, j, texts(3, 4)...)
	has(t, j, journal.FromTime(between), "3:3", "4:4")
	has(t, j, journal.FromTime(between.Add(-time.Hour)), "1:1", "2:2", "3:3", "4:4")
	has(t, j, journal.FromTime(time.Now().Add(time.Hour)))
}

func TestFollowGoesOn(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	appended(t, j, texts(1, 1)...)
	var got []string
	err := j.Follow(journal.FromBeginning())(t.Context(), func(e journal.Entry) bool {
		got = append(got, e.Content())
		if n := len(got); n < 1200 {
			appended(t, j, texts(n+1, n+1)...)
		}
		return len(got) < 5
	})
	if err != nil || !slices.Equal(got, []string{"1", "2", "3", "4", "5"}) {
		t.Errorf("follow: got %q, %v; want what was appended meanwhile", got, err)
	}
}

// TestReplayEndsWhenTheRestIsRemoved removes the messages that a replay still expects.
func TestReplayEndsWhenTheRestIsRemoved(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{MaxMessages: 2000})
	appended(t, j, texts(1, 2000)...)
	count := 0
	err := j.Replay(journal.FromBeginning()).ForEach(t.Context(), func(journal.Entry) {
		if count++; count == 1 {
			appended(t, j, texts(2001, 4000)...)
		}
	})
	if err != nil || count >= 2000 {
		t.Errorf("replay what is removed meanwhile: got %d messages, %v; want fewer and the end", count, err)
	}
}
