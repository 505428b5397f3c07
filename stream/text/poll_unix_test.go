//go:build unix

package text_test

import (
	"context"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/rxipc/rxipc/stream/text"
)

// inherited is a pipe as a program inherits it for its standard input: it blocks, and its
// reading end takes no deadline.
func inherited(t *testing.T) (r, w *os.File) {
	t.Helper()
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		t.Fatalf("make a pipe: got %v, want no error", err)
	}
	return asInherited(t, ends[0]), asInherited(t, ends[1])
}

func asInherited(t *testing.T, descriptor int) *os.File {
	t.Helper()
	f := os.NewFile(uintptr(descriptor), "inherited")
	t.Cleanup(func() { f.Close() })
	if f.SetDeadline(time.Time{}) == nil {
		t.Fatal("a file that was opened without Go takes deadlines, want one that does not")
	}
	return f
}

// write writes to a pipe or terminal.
func write(t *testing.T, w *os.File, s string) {
	t.Helper()
	if _, err := w.WriteString(s); err != nil {
		t.Fatalf("write %q: got %v, want no error", s, err)
	}
}

// checkInterrupted checks that the end of the context ends a run that waits for input, and that
// the next run of the same reader gets all input that comes later. finish ends the input.
func checkInterrupted(t *testing.T, r, w *os.File, finish func()) {
	t.Helper()
	write(t, w, "a\n")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var got []string
	err := text.Lines(r)(ctx, func(line string) bool {
		got = append(got, line)
		time.AfterFunc(time.Millisecond, func() { cancel(errCause) }) // before or while the run waits
		return true
	})
	if err != errCause || len(got) != 1 || got[0] != "a" {
		t.Errorf("cancel a run that waits for input: got %q, %v; want [a], %v", got, err, errCause)
	}
	write(t, w, "b\n")
	finish()
	next, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	if line, err := text.Lines(r).First(next).Get(); line != "b" || err != nil {
		t.Errorf("the next run of the same input: got %q, %v; want b", line, err)
	}
}

func TestInheritedPipeIsInterrupted(t *testing.T) {
	r, w := inherited(t)
	checkInterrupted(t, r, w, func() { w.Close() })
}

func TestInheritedPipeIsReadToItsEnd(t *testing.T) {
	r, w := inherited(t)
	write(t, w, "a\nb")
	w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if got, err := text.Lines(r).Collect(ctx); err != nil || !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("read a pipe to its end: got %q, %v; want a and b", got, err)
	}
}

func TestInheritedPipeThatIsClosedFails(t *testing.T) {
	r, _ := inherited(t)
	r.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if got, err := text.Lines(r).Collect(ctx); err == nil {
		t.Errorf("read a closed file: got %q and no error, want one", got)
	}
}
