package stream_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// broken emits the values and fails.
func broken(values ...int) stream.Observable[int] {
	return func(ctx context.Context, yield func(int) bool) error {
		for _, v := range values {
			if !yield(v) {
				return nil
			}
		}
		return errBroken
	}
}

func TestForEachAndRun(t *testing.T) {
	var got []int
	err := broken(1, 2).ForEach(t.Context(), func(n int) { got = append(got, n) })
	wantError(t, err, errBroken)
	wantValues(t, got, 1, 2)
	wantError(t, broken(1, 2).Run(t.Context()), errBroken)
	wantError(t, stream.Just(1).Run(t.Context()), nil)
}

func TestCollectKeepsWhatCameBeforeAFailure(t *testing.T) {
	got, err := broken(1, 2).Collect(t.Context())
	wantError(t, err, errBroken)
	wantValues(t, got, 1, 2)
	got, err = stream.Empty[int]().Collect(t.Context())
	wantError(t, err, nil)
	wantValues(t, got)
}

func TestFirstAndLast(t *testing.T) {
	for name, c := range map[string]struct {
		source      stream.Observable[int]
		first, last int
		firstErr    error
		lastErr     error
	}{
		"values":  {stream.Just(1, 2, 3), 1, 3, nil, nil},
		"empty":   {stream.Empty[int](), 0, 0, stream.ErrEmpty, stream.ErrEmpty},
		"failure": {stream.Throw[int](errBroken), 0, 0, errBroken, errBroken},
		"both":    {broken(1, 2), 1, 0, nil, errBroken},
	} {
		t.Run(name, func(t *testing.T) {
			first, err := c.source.First(t.Context()).Get()
			wantError(t, err, c.firstErr)
			last, err := c.source.Last(t.Context()).Get()
			wantError(t, err, c.lastErr)
			wantValues(t, []int{first, last}, c.first, c.last)
		})
	}
}

func TestSeq(t *testing.T) {
	var got []string
	for v, err := range broken(1, 2).Seq(t.Context()) {
		got = append(got, fmt.Sprint(v, " ", err))
	}
	wantValues(t, got, "1 <nil>", "2 <nil>", "0 broken")

	ended := false
	source := func(ctx context.Context, yield func(int) bool) error {
		defer func() { ended = true }()
		return stream.Range(0, 9)(ctx, yield)
	}
	for v := range stream.Observable[int](source).Seq(t.Context()) {
		if v == 1 {
			break
		}
	}
	if !ended {
		t.Error("leaving the loop did not end the run")
	}

	source = func(_ context.Context, yield func(int) bool) error {
		yield(1)
		return errBroken // also when nobody wants to know
	}
	for range stream.Observable[int](source).Seq(t.Context()) {
		break
	}
}

func TestChannel(t *testing.T) {
	t.Run("gives values and the error", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			values, wait := broken(1, 2).Channel(t.Context(), 0)
			var got []int
			for v := range values {
				got = append(got, v)
			}
			wantValues(t, got, 1, 2)
			wantError(t, wait(), errBroken)
			wantError(t, wait(), errBroken)
		})
	})
	t.Run("reads its capacity ahead and one more", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			read := 0
			ctx, cancel := context.WithCancelCause(t.Context())
			_, wait := operators.Tap(func(int) { read++ })(stream.Range(0, 99)).Channel(ctx, 3)
			synctest.Wait()
			if read != 4 {
				t.Errorf("%d values were read", read)
			}
			cancel(errBroken)
			wantError(t, wait(), errBroken)
		})
	})
	t.Run("ends while it waits for a value", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			values, wait := stream.Never[int]().Channel(ctx, 0)
			cancel()
			if _, open := <-values; open {
				t.Error("a value came")
			}
			wantError(t, wait(), context.Canceled)
		})
	})
}

// record is an observer that notes what it gets.
func record(got *[]string) stream.Observer[int] {
	return stream.Observer[int]{
		Next:     func(n int) { *got = append(*got, fmt.Sprint(n)) },
		Error:    func(err error) { *got = append(*got, err.Error()) },
		Complete: func() { *got = append(*got, "done") },
	}
}

func TestSubscribe(t *testing.T) {
	t.Run("completes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var got []string
			s := stream.Just(1, 2).Subscribe(t.Context(), record(&got))
			wantError(t, s.Wait(), nil)
			wantValues(t, got, "1", "2", "done")
		})
	})
	t.Run("fails", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var got []string
			s := broken(1).Subscribe(t.Context(), record(&got))
			<-s.Done()
			wantError(t, s.Wait(), errBroken)
			wantValues(t, got, "1", "broken")
		})
	})
}

func TestSubscriptionEnds(t *testing.T) {
	t.Run("by Unsubscribe, twice", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var got []string
			s := stream.Interval(time.Second).Subscribe(t.Context(), record(&got))
			time.Sleep(2500 * time.Millisecond)
			s.Unsubscribe()
			s.Unsubscribe()
			wantError(t, s.Wait(), context.Canceled)
			wantValues(t, got, "0", "1")
		})
	})
	t.Run("by Unsubscribe from inside", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var s *stream.Subscription
			var got []int
			ready := make(chan struct{})
			s = stream.Range(0, 9).Subscribe(t.Context(), stream.Observer[int]{Next: func(n int) {
				<-ready
				got = append(got, n)
				s.Unsubscribe()
			}})
			close(ready)
			wantError(t, s.Wait(), context.Canceled)
			wantValues(t, got, 0)
		})
	})
	t.Run("needs no functions", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			wantError(t, broken(1).Subscribe(t.Context(), stream.Observer[int]{}).Wait(), errBroken)
			wantError(t, stream.Just(1).Subscribe(t.Context(), stream.Observer[int]{}).Wait(), nil)
		})
	})
	t.Run("with its context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			s := stream.Never[int]().Subscribe(ctx, stream.Observer[int]{})
			cancel(errBroken)
			wantError(t, s.Wait(), errBroken)
		})
	})
}

// A test that fails fast in a function of its own exits the run's goroutine.
func TestGoexitIsNoSuccess(t *testing.T) {
	exit := func(context.Context, func(int) bool) error {
		runtime.Goexit()
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		values, wait := stream.Observable[int](exit).Channel(t.Context(), 0)
		if _, open := <-values; open || wait() == nil {
			t.Error("Channel reports a success")
		}
		s := stream.Observable[int](exit).Subscribe(t.Context(), stream.Observer[int]{
			Complete: func() { t.Error("completed") },
		})
		if s.Wait() == nil {
			t.Error("Subscribe reports a success")
		}
	})
}

func TestPanicErrorShowsWhatHappened(t *testing.T) {
	p := &stream.PanicError{Value: errBroken, Stack: []byte("here")}
	if got, want := p.Error(), "stream: panic: broken\n\nhere"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	wantError(t, p, errBroken)
	if errors.Unwrap(&stream.PanicError{Value: "text"}) != nil {
		t.Error("a text is no error")
	}
}
