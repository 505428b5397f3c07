package text_test

import (
	"context"
	"io"
	"net"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/text"
)

func TestReadersThatPanic(t *testing.T) {
	defer func() {
		if p, ok := recover().(*stream.PanicError); !ok || p.Value != "reader" {
			t.Errorf("the caller recovered %v, want a PanicError of the reader's", p)
		}
	}()
	collect(t, text.Lines(reader(func([]byte) (int, error) { panic("reader") })))
}

func TestReadersThatExit(t *testing.T) {
	exited := make(chan bool)
	go func() {
		defer close(exited)
		collect(t, text.Lines(reader(func([]byte) (int, error) { runtime.Goexit(); return 0, nil })))
		exited <- false
	}()
	if _, returned := <-exited; returned {
		t.Error("a run whose reader exits its goroutine returned, want a Goexit of the caller's")
	}
}

type reader func([]byte) (int, error)

func (r reader) Read(b []byte) (int, error) { return r(b) }

// TestReadThatNothingInterrupts looks at the one thing that a run may leave behind.
func TestReadThatNothingInterrupts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		r, w := io.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- text.Lines(r).Run(ctx) }()
		synctest.Wait() // Read blocks
		cancel(errCause)
		synctest.Wait()
		select {
		case err := <-ended:
			if err != errCause {
				t.Errorf("cancel a run while Read blocks: got %v, want %v", err, errCause)
			}
		default:
			t.Error("cancel a run while Read blocks: the run goes on, want it to end")
		}
		w.Close() // ends the goroutine, or the bubble could not end
	})
}

func TestDeadlinesAreTakenBack(t *testing.T) {
	r, w := net.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		w.Write([]byte("a\n"))
		cancel(errCause)
	}()
	if got, err := text.Lines(r).Collect(ctx); err != errCause {
		t.Errorf("cancel a run that reads a connection: got %q, %v; want %v", got, err, errCause)
	}
	go w.Write([]byte("b\n"))
	if line, err := text.Lines(r).First(t.Context()).Get(); line != "b" || err != nil {
		t.Errorf("the next run of the same connection: got %q, %v; want b", line, err)
	}
}
