package wire

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// readAlike is readAll, or readLent if lend is set, with Alike behind each message.
func readAlike(src io.Reader, limit int, lend bool) (frames []Frame, err error) {
	reader := &Reader{Limit: limit, Lend: lend, Extended: true}
	defer reader.Drop()
	take := func(kind Kind, m Message, loan *Loan) {
		m.Content = strings.Clone(m.Content)
		loan.End()
		frames = append(frames, Frame{Kind: kind, Message: m})
	}
	for {
		f, err := reader.ReadFrame(src)
		if err == io.EOF {
			return frames, nil
		}
		if err != nil {
			return frames, err
		}
		take(f.Kind, f.Message, f.Loan)
		if f.Kind != KindMessage {
			continue
		}
		var contents [MaxAlike]string
		mediaType, n, loan := reader.Alike(&contents)
		for _, content := range contents[:n] {
			take(KindMessage, Message{mediaType, content}, loan)
		}
	}
}

// similar returns messages that are alike for a while, and control messages among them.
func similar() (frames []Frame, encoded []byte) {
	random := newRandom(7)
	for i := range 2000 {
		m := newMessage([]string{TextPlain, JSON}[i/50%2], strings.Repeat(fmt.Sprint(i%10), random.IntN(40)))
		switch random.IntN(40) {
		case 0:
			m.Content = strings.Repeat("x", 600)
		case 1:
			frames, encoded = append(frames, Frame{Kind: KindAck}), append(encoded, KindAck.Frame()...)
		case 2:
			m = newMessage(JSON, contentAck) // is no acknowledgement
		}
		frames, encoded = append(frames, Frame{Message: m}), AppendFrame(encoded, m)
	}
	return frames, encoded
}

func TestReaderAlikeReturnsTheSameMessagesAsNext(t *testing.T) {
	for name, input := range map[string]func() ([]Frame, []byte){"assorted": assorted, "similar": similar} {
		want, encoded := input()
		for _, lend := range []bool{false, true} {
			for seed := range uint64(5) {
				got, err := readAlike(&pieces{encoded, newRandom(seed)}, 1<<20, lend)
				if err != nil || !slices.Equal(got, want) {
					t.Fatalf("read %s frames, lent %v, in pieces of seed %d: got %d frames, %v; want %d as Next returns them",
						name, lend, seed, len(got), err, len(want))
				}
			}
		}
	}
}

// alikeAfter returns how many messages Alike returns once Next has returned a first one.
func alikeAfter(t *testing.T, reader *Reader, first Message, rest ...any) (contents [MaxAlike]string, n int, loan *Loan) {
	t.Helper()
	if err := reader.Fill(bytes.NewReader(append(encode(first), encode(rest...)...))); err != nil {
		t.Fatalf("fill the reader: %v", err)
	}
	f, ok, err := reader.Next()
	if !ok || err != nil || f.Message != first {
		t.Fatalf("read the first message: got %v, %v, %v, want %v", f.Message, ok, err, first)
	}
	f.Loan.End()
	_, n, loan = reader.Alike(&contents)
	return contents, n, loan
}

func TestReaderAlikeStops(t *testing.T) {
	first, small, long := newMessage(JSON, "1"), newMessage(JSON, "2"), newMessage(JSON, strings.Repeat("x", 300))
	many := slices.Repeat([]any{small}, MaxAlike+1)
	frame := encode(small)
	for name, test := range map[string]struct {
		rest []any
		want int
	}{
		"at the end":                          {[]any{small, small}, 2},
		"at its most":                         {many, MaxAlike},
		"before another media type":           {[]any{small, text("2"), small}, 1},
		"before a control message":            {[]any{small, KindAck, small}, 1},
		"before a part of a frame":            {[]any{small, frame[:len(frame)-1]}, 1},
		"before a broken end":                 {[]any{small, append(slices.Clone(frame[:len(frame)-1]), 0)}, 1},
		"before more contents than may share": {[]any{long, long}, 1},
		"before a content above the limit":    {[]any{small, newMessage(JSON, strings.Repeat("x", 1001))}, 1},
	} {
		if _, n, _ := alikeAfter(t, &Reader{Limit: 1000}, first, test.rest...); n != test.want {
			t.Errorf("Alike %s: got %d messages, want %d", name, n, test.want)
		}
	}
}

func TestReaderAlikeSharesOneAllocationOrOneLoan(t *testing.T) {
	first, rest := newMessage(JSON, "first"), []any{newMessage(JSON, "a"), newMessage(JSON, ""), newMessage(JSON, "bc")}
	for _, lend := range []bool{false, true} {
		contents, n, loan := alikeAfter(t, &Reader{Limit: 100, Lend: lend}, first, rest...)
		if want := []string{"a", "", "bc"}; !slices.Equal(contents[:n], want) {
			t.Errorf("Alike, lent %v: got %q, want %q", lend, contents[:n], want)
		}
		if lend != (loan != nil) {
			t.Fatalf("Alike, lent %v: got the loan %v", lend, loan)
		}
		if loan == nil {
			continue
		}
		loan.End()
		loan.End()
		if contents[2] != "bc" {
			t.Errorf("the last content, while it is lent: got %q, want bc", contents[2])
		}
		loan.End()
		if contents[2] == "bc" {
			t.Error("the last content, after its end: is unchanged, want it overwritten")
		}
	}
	var batch [MaxAlike]string
	encoded := encode(append([]any{first}, rest...)...)
	reader, src := &Reader{Limit: 100}, bytes.NewReader(nil)
	if allocations := testing.AllocsPerRun(100, func() {
		src.Reset(encoded)
		reader.ReadFrame(src)
		reader.Alike(&batch)
	}); allocations > 2 && !raceBuild {
		t.Errorf("read four messages that are alike: got %v allocations, want one for the first and one for the others", allocations)
	}
}
