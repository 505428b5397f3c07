package recording

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/socket/internal/transcripts"
)

// splitIn splits bytes that arrive in pieces, and returns their bytes again.
func splitIn(sent []byte, piece func() int) (entries []Entry, again []byte) {
	var s splitter
	for len(sent) > 0 {
		n := min(piece(), len(sent))
		entries = append(entries, s.split(sent[:n])...)
		sent = sent[n:]
	}
	if rest, some := s.rest(); some {
		entries = append(entries, rest)
	}
	for i := range entries {
		again = entries[i].wire(again)
		entries[i].Joined = false
	}
	return entries, again
}

func TestSplitterGivesEntriesOfTheSameBytes(t *testing.T) {
	for _, session := range transcripts.All(t, "../testdata") {
		for _, side := range []string{"client", "server"} {
			sent := session.Sent(side)
			whole, again := splitIn(sent, func() int { return len(sent) })
			if !bytes.Equal(again, sent) {
				t.Errorf("split what the %s of %s sent: got %v, which is %q, want %q", side, session.Name, whole, again, sent)
			}
			pieces, again := splitIn(sent, func() int { return 1 })
			if !bytes.Equal(again, sent) {
				t.Errorf("split what the %s of %s sent, byte by byte: got %v, which is %q, want %q", side, session.Name, pieces, again, sent)
			}
			if !strings.HasPrefix(session.Name, "j") && !slices.Equal(pieces, whole) {
				t.Errorf("split what the %s of %s sent, byte by byte: got %v, want %v", side, session.Name, pieces, whole)
			}
		}
	}
}

func TestSplitterKnowsControlMessages(t *testing.T) {
	message := Entry{Kind: Message, MediaType: "text/html", Content: "innmind/ipc:ack"}
	want := []Entry{
		{Kind: Heartbeat}, {Kind: Start}, {Kind: StartOK}, {Kind: StartOK, MediaType: "text/plain; peer=rxipc"}, message,
		{Kind: Received}, {Kind: Ack}, {Kind: Close}, {Kind: Close, MediaType: "text/plain; reason=too-large, limit=7"}, {Kind: CloseOK},
		{Kind: Bytes, Content: "\x00\x01x\x00"},
	}
	var sent []byte
	for _, e := range want {
		sent = e.wire(sent)
	}
	if got, _ := splitIn(sent, func() int { return 7 }); !slices.Equal(got, want) {
		t.Errorf("split frames of all kinds: got %v, want %v", got, want)
	}
	var s splitter
	for i, e := range s.split(sent) {
		if e.Joined != (i > 0) {
			t.Errorf("split one write: got joined %v for entry %d, want it for all but the first", e.Joined, i)
		}
	}
}

func FuzzSplitter(f *testing.F) {
	for i, session := range transcripts.All(f, "../testdata") {
		f.Add(session.Sent("client"), uint64(i))
	}
	f.Fuzz(func(t *testing.T, sent []byte, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		entries, again := splitIn(sent, func() int { return 1 + random.IntN(20) })
		if !bytes.Equal(again, sent) {
			t.Errorf("split %q: got %v, which is %q", sent, entries, again)
		}
		for _, e := range entries {
			e.Connection, e.From = 1, Client
			if err := e.check(); err != nil {
				t.Errorf("split %q: got the entry %+v, which is wrong: %v", sent, e, err)
			}
		}
	})
}
