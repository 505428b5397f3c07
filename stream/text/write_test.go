package text_test

import (
	"bufio"
	"context"
	"errors"
	"math"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/text"
)

// writes keeps the bytes of each Write, and fails from some Write on.
type writes struct {
	got    []string
	failAt int
	err    error
}

func (w *writes) Write(b []byte) (int, error) {
	if w.err != nil && len(w.got) == w.failAt {
		return 0, w.err
	}
	w.got = append(w.got, string(b))
	return len(b), nil
}

func TestWritersWriteAnItemAtATime(t *testing.T) {
	for name, c := range map[string]struct {
		run  func(*writes) error
		want []string
	}{
		"WriteLines": {
			func(w *writes) error { return text.WriteLines(w)(stream.Just("a", "")).Run(t.Context()) },
			[]string{"a\n", "\n"},
		},
		"WriteCSV": {
			func(w *writes) error {
				return text.WriteCSV(w)(stream.Just([]string{"a", "b c"}, []string{"d,\n"})).Run(t.Context())
			},
			[]string{"a,b c\n", "\"d,\n\"\n"},
		},
		"WriteJSON": {
			func(w *writes) error {
				return text.WriteJSON[point](w)(stream.Just(point{1, 2}, point{})).Run(t.Context())
			},
			[]string{"{\"X\":1,\"Y\":2}\n", "{\"X\":0,\"Y\":0}\n"},
		},
	} {
		var w writes
		if err := c.run(&w); err != nil || !slices.Equal(w.got, c.want) {
			t.Errorf("%s: wrote %q, got %v; want %q and no error", name, w.got, err, c.want)
		}
	}
}

func TestWritersPassOnWhatWasWritten(t *testing.T) {
	full := errors.New("disk full")
	w := &writes{failAt: 2, err: full}
	got, err := text.WriteLines(w)(stream.Just("a", "b", "c", "d")).Collect(t.Context())
	var where *text.Error
	if !errors.Is(err, full) || !errors.As(err, &where) || where.Number != 3 || where.Offset != 4 {
		t.Errorf("write where Write fails: got %v, want %v at line 3, byte 4", err, full)
	}
	if want := []string{"a", "b"}; !slices.Equal(got, want) {
		t.Errorf("values passed on: got %q, want those that were written, %q", got, want)
	}
	if err := text.WriteJSON[float64](w)(stream.Just(math.Inf(1))).Run(t.Context()); !errors.As(err, &where) {
		t.Errorf("write a value without an encoding: got %v, want a text.Error", err)
	}
}

func TestWritersFlushAtTheEnd(t *testing.T) {
	failed := errors.New("source failed")
	for name, c := range map[string]struct {
		source stream.Observable[string]
		want   error
	}{
		"completed": {stream.Just("a"), nil},
		"failed": {func(_ context.Context, yield func(string) bool) error {
			yield("a")
			return failed
		}, failed},
	} {
		var w writes
		err := text.WriteLines(bufio.NewWriter(&w))(c.source).Run(t.Context())
		if !errors.Is(err, c.want) || strings.Join(w.got, "") != "a\n" {
			t.Errorf("write from a source that %s: flushed %q, got %v; want a line, %v", name, w.got, err, c.want)
		}
	}
	full := errors.New("disk full")
	err := text.WriteLines(bufio.NewWriter(&writes{err: full}))(stream.Just("a")).Run(t.Context())
	if !errors.Is(err, full) {
		t.Errorf("write where Flush fails: got %v, want %v", err, full)
	}
}

func TestWriteThatBlocksIsInterrupted(t *testing.T) {
	r, w := net.Pipe()
	defer r.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		r.Read(make([]byte, 1)) // the rest of the line is not read
		cancel(errCause)
	}()
	if err := text.WriteLines(w)(stream.Just("abc")).Run(ctx); err != errCause {
		t.Errorf("cancel a run while Write blocks: got %v, want %v", err, errCause)
	}
}
