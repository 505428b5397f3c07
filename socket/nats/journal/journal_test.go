package journal_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats/journal"
)

// opened opens a journal in the folder until the end of the test.
func opened(t testing.TB, folder string, config journal.Config) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), folder, "test", config)
	if err != nil {
		t.Fatalf("open the journal: got %v, want no error", err)
	}
	t.Cleanup(func() { closed(t, j) })
	return j
}

func closed(t testing.TB, j *journal.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Errorf("close the journal: got %v, want no error", err)
	}
}

// texts makes text messages of from, from+1 up to to.
func texts(from, to int) (messages []socket.Message) {
	for i := from; i <= to; i++ {
		messages = append(messages, socket.Text(fmt.Sprint(i)))
	}
	return messages
}

func appended(t testing.TB, j *journal.Journal, messages ...socket.Message) []journal.Entry {
	t.Helper()
	entries, err := j.Append(context.Background(), messages...)
	if err != nil {
		t.Fatalf("append %d messages: got %v, want no error", len(messages), err)
	}
	return entries
}

// described writes entries as number:content.
func described(entries []journal.Entry) (list []string) {
	for _, e := range entries {
		list = append(list, fmt.Sprint(e.Sequence, ":", e.Content()))
	}
	return list
}

// has fails the test unless the replay emits these entries.
func has(t testing.TB, j *journal.Journal, from journal.Start, want ...string) {
	t.Helper()
	got, err := j.Replay(from).Collect(context.Background())
	if err != nil || !slices.Equal(described(got), want) {
		t.Errorf("replay: got %q, %v; want %q", described(got), err, want)
	}
}

func TestJournalKeepsWhatIsAppended(t *testing.T) {
	folder := t.TempDir()
	j := opened(t, folder, journal.Config{})
	has(t, j, journal.FromBeginning())
	if got := described(appended(t, j, texts(1, 3)...)); !slices.Equal(got, []string{"1:1", "2:2", "3:3"}) {
		t.Errorf("append three messages: got %q, want them numbered from 1", got)
	}
	appended(t, j, socket.NewMessage(socket.MustParseMediaType("application/json; a=b"), "{}"))
	closed(t, j)

	j = opened(t, folder, journal.Config{})
	appended(t, j, texts(5, 5)...)
	has(t, j, journal.FromBeginning(), "1:1", "2:2", "3:3", "4:{}", "5:5")
	has(t, j, journal.FromSequence(4), "4:{}", "5:5")
	has(t, j, journal.FromSequence(6))
	got, err := j.Replay(journal.FromSequence(4)).First(t.Context()).Get()
	if err != nil || got.MediaType().String() != "application/json; a=b" {
		t.Errorf("replay a message: got the media type %v, %v; want that of the message", got.MediaType(), err)
	}
	if last, err := j.Last(t.Context()); last != 5 || err != nil {
		t.Errorf("last message: got %d, %v; want 5", last, err)
	}
}

func TestJournalTakesMoreThanABatch(t *testing.T) {
	for name, config := range map[string]journal.Config{"synced": {}, "every hour": {SyncEvery: 3600e9}} {
		t.Run(name, func(t *testing.T) {
			j := opened(t, t.TempDir(), config)
			entries := appended(t, j, texts(1, 2345)...)
			var got []journal.Entry
			err := j.Replay(journal.FromBeginning()).ForEach(t.Context(), func(e journal.Entry) { got = append(got, e) })
			if err != nil || !slices.Equal(got, entries) || len(got) != 2345 || got[2344].Sequence != 2345 || got[2344].Content() != "2345" {
				t.Errorf("replay 2345 messages: got %d, %v; want what was appended", len(got), err)
			}
		})
	}
}

func TestJournalRefusesWhatItCannotTake(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	if _, err := j.Append(t.Context(), socket.Message{}); !errors.Is(err, socket.ErrInvalid) {
		t.Errorf("append a message without a media type: got %v, want ErrInvalid", err)
	}
	large := socket.NewMessageBytes(socket.OctetStream(), make([]byte, j.MaxMessage()))
	if _, err := j.Append(t.Context(), texts(1, 1)[0], large); !errors.Is(err, socket.ErrTooLarge) {
		t.Errorf("append more than MaxMessage with the media type: got %v, want ErrTooLarge", err)
	}
	has(t, j, journal.FromBeginning())
	appended(t, j, socket.NewMessageBytes(socket.OctetStream(), make([]byte, j.MaxMessage()-100)))
	entry, err := j.Replay(journal.FromBeginning()).Last(t.Context()).Get()
	if err != nil || entry.Len() != j.MaxMessage()-100 {
		t.Errorf("replay the largest message: got %d bytes, %v", entry.Len(), err)
	}
}
