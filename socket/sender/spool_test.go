package sender

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/socket"
)

func mustOpen(t *testing.T, dir string, limit int64) *spool {
	t.Helper()
	s, err := openSpool(dir, limit, false)
	if err != nil {
		t.Fatalf("open a spool: got %v, want no error", err)
	}
	return s
}

// putAll puts messages as long as they fit, and returns how many did.
func putAll(t *testing.T, s *spool, contents ...string) (n int) {
	t.Helper()
	for _, content := range contents {
		fits, err := s.fits(socket.Text(content))
		if err == nil && fits {
			err = s.put(socket.Text(content))
		}
		if err != nil {
			t.Fatalf("put a message into the spool: got %v, want no error", err)
		}
		if !fits {
			return n
		}
		n++
	}
	return n
}

// has compares the messages that are not dropped with the contents.
func has(t *testing.T, s *spool, want ...string) {
	t.Helper()
	var got []string
	for number := s.first; number < s.end; number++ {
		m, err := s.get(number)
		if err != nil {
			t.Fatalf("read message %d of the spool: got %v, want no error", number, err)
		}
		got = append(got, m.Content())
	}
	if !slices.Equal(got, want) {
		t.Errorf("read the spool: got %d messages %.200q, want %d, %.200q", len(got), got, len(want), want)
	}
}

// contents are n different contents of some length.
func contents(n, length int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprint(i, strings.Repeat("x", length)))
	}
	return list
}

func TestSpoolSurvivesItsProcess(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, 1<<20)
	want := contents(200, 1000) // in several segments
	putAll(t, s, want...)
	has(t, s, want...)
	if err := s.drop(150); err != nil {
		t.Fatalf("drop 150 messages: got %v, want no error", err)
	}
	if _, err := openSpool(dir, 1<<20, false); !errors.Is(err, socket.ErrInUse) {
		t.Errorf("open a spool twice: got %v, want ErrInUse", err)
	}
	s.close()
	s = mustOpen(t, dir, 1<<20)
	has(t, s, want[150:]...)
	putAll(t, s, "last")
	has(t, s, append(want[150:], "last")...)
	if s.segments[0].first == 0 {
		t.Error("drop 150 messages: the first segment is still there, want it removed")
	}
	s.close()
}

func TestSpoolReadsAgainWhatIsNotDropped(t *testing.T) {
	s := mustOpen(t, t.TempDir(), 1<<20)
	defer s.close()
	want := contents(30, 10_000)
	putAll(t, s, want...)
	for range 3 {
		has(t, s, want...)
	}
	s.drop(29)
	has(t, s, want[29])
	s.drop(30)
	has(t, s)
	putAll(t, s, "more")
	has(t, s, "more")
}

func TestSpoolKeepsItsLimit(t *testing.T) {
	const limit = 64 << 10
	dir := t.TempDir()
	s := mustOpen(t, dir, limit)
	defer s.close()
	all := contents(1000, 500)
	used := func() (total int64) {
		paths, _ := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix))
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatalf("look at a segment: %v", err)
			}
			total += info.Size()
		}
		return total
	}
	n := putAll(t, s, all...)
	if got := used(); got > limit || got < limit-2000 || got != s.bytes {
		t.Errorf("fill the spool: its files have %d bytes, and it counts %d, want the limit of %d nearly", got, s.bytes, limit)
	}
	s.drop(uint64(n))
	if again := putAll(t, s, all...); again < n*3/4 || used() > limit { // the last segment may have dropped ones
		t.Errorf("fill the spool again after all was dropped: got %d messages in %d bytes, want about %d as at first", again, used(), n)
	}
	if _, err := s.fits(socket.Text(strings.Repeat("x", limit))); !errors.Is(err, socket.ErrTooLarge) {
		t.Errorf("put a message beyond the limit: got %v, want ErrTooLarge", err)
	}
}

// damaged makes a spool of 3 messages in one segment, damages the segment, and opens it again.
func damaged(t *testing.T, damage func(segment []byte) []byte) (*spool, error) {
	t.Helper()
	dir := t.TempDir()
	s := mustOpen(t, dir, 1<<20)
	putAll(t, s, "one", "two", "three")
	path := s.segments[0].path
	s.close()
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, damage(b), 0o600)
	}
	if err != nil {
		t.Fatalf("damage a segment: %v", err)
	}
	return openSpool(dir, 1<<20, false)
}

func TestSpoolCutsOffWhatWasNotWrittenWholly(t *testing.T) {
	three := int(recordSize(socket.Text("three")))
	for missing := range three + 60 {
		want := []string{"one", "two", "three"}
		s, err := damaged(t, func(b []byte) []byte {
			kept := max(0, len(b)-missing)
			switch {
			case missing > 0 && missing <= three:
				want = want[:2]
			case missing > three && kept >= len(b)-three-int(recordSize(socket.Text("two"))):
				want = want[:1]
			case missing > 0:
				want = nil
			}
			return b[:kept]
		})
		if err != nil {
			t.Fatalf("open a spool without its last %d bytes: got %v, want no error", missing, err)
		}
		has(t, s, want...)
		putAll(t, s, "four")
		has(t, s, append(want, "four")...)
		s.close()
	}
	for _, zeros := range []int{1, 7, 8, 100, 200_000} { // as after a crash of the system
		s, err := damaged(t, func(b []byte) []byte { return append(b, make([]byte, zeros)...) })
		if err != nil {
			t.Fatalf("open a spool with %d zeros at its end: got %v, want no error", zeros, err)
		}
		has(t, s, "one", "two", "three")
		s.close()
	}
}

func TestSpoolReportsDamage(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"a bit":         func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"the beginning": func(b []byte) []byte { b[0] ^= 1; return b },
		"the last byte": func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"garbage":       func(b []byte) []byte { return append(b, bytes.Repeat([]byte{0, 0, 0, 9}, 10)...) },
	} {
		if _, err := damaged(t, damage); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), segmentSuffix) {
			t.Errorf("open a spool with damage to %s: got %v, want ErrCorrupt and the file", name, err)
		}
	}
	dir := t.TempDir()
	s := mustOpen(t, dir, 1<<20)
	putAll(t, s, contents(300, 1000)...)
	second := s.segments[1].path
	s.close()
	if err := os.Truncate(second, 5000); err != nil {
		t.Fatalf("truncate a segment: %v", err)
	}
	s = mustOpen(t, dir, 1<<20)
	defer s.close()
	var err error
	for number := s.first; number < s.end && err == nil; number++ {
		_, err = s.get(number)
	}
	if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), second) {
		t.Errorf("read a spool whose second segment is cut: got %v, want ErrCorrupt and the file", err)
	}
}

func TestSpoolWithoutItsPositionSendsAllAgain(t *testing.T) {
	for _, position := range []string{"", "short", "a wrong sum!", strings.Repeat("\xff", 12)} {
		dir := t.TempDir()
		s := mustOpen(t, dir, 1<<20)
		putAll(t, s, "one", "two")
		s.drop(1)
		s.close()
		if err := os.WriteFile(filepath.Join(dir, "position"), []byte(position), 0o600); err != nil {
			t.Fatalf("write the position: %v", err)
		}
		s = mustOpen(t, dir, 1<<20)
		has(t, s, "one", "two")
		s.close()
	}
}

// FuzzSpoolRecord decodes any bytes. What it decodes is encoded to the same bytes.
func FuzzSpoolRecord(f *testing.F) {
	f.Add(appendRecord(nil, socket.Text("hello world")))
	f.Add(appendRecord(nil, socket.NewMessage(socket.MustParseMediaType("application/json; a=b"), "")))
	f.Add([]byte("\xff\xff\xff\xff\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, size, err := decodeRecord(b)
		switch {
		case errors.Is(err, errShort):
			if size <= int64(len(b)) {
				t.Errorf("decode %d bytes: it wants only %d", len(b), size)
			}
		case errors.Is(err, ErrCorrupt):
		case err != nil:
			t.Errorf("decode %q: got %v, want a known error", b, err)
		case recordSize(m) == size && !bytes.Equal(appendRecord(nil, m), b[:size]):
			t.Errorf("decode %q: got %v, which is encoded differently", b, m)
		}
	})
}

// FuzzSpoolSegment opens a spool whose segment has any bytes, and reads it.
func FuzzSpoolSegment(f *testing.F) {
	f.Add([]byte(magic))
	f.Add(appendRecord([]byte(magic), socket.Text("hello world")))
	f.Add(append(appendRecord([]byte(magic), socket.Text("hello world")), 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%020d%s", 7, segmentSuffix)), b, 0o600); err != nil {
			t.Fatalf("write a segment: %v", err)
		}
		s, err := openSpool(dir, 1<<20, false)
		if errors.Is(err, ErrCorrupt) {
			return
		}
		if err != nil {
			t.Fatalf("open %q: got %v, want ErrCorrupt or no error", b, err)
		}
		defer s.close()
		putAll(t, s, "more")
		for number := s.first; number < s.end; number++ {
			if _, err := s.get(number); err != nil {
				t.Errorf("read message %d of %q: got %v, want no error", number, b, err)
			}
		}
	})
}
