package stream_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/rxipc/rxipc/stream"
)

var errClosing = errors.New("closing time")

// closingSource is an observable that takes the end of its context for its own: like an
// iterator whose reader is closed then.
func closingSource(cancel context.CancelCauseFunc) stream.Observable[int] {
	return func(_ context.Context, yield func(int) bool) error {
		yield(1)
		cancel(errClosing)
		return nil
	}
}

// closingSeq is an iterator of that kind.
func closingSeq(cancel context.CancelCauseFunc) iter.Seq[int] {
	return func(yield func(int) bool) {
		yield(1)
		cancel(errClosing)
	}
}

func TestEndedContextIsNoCompletion(t *testing.T) {
	withErrors := func(seq iter.Seq[int]) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) { seq(func(v int) bool { return yield(v, nil) }) }
	}
	for name, source := range map[string]func(context.CancelCauseFunc) stream.Observable[int]{
		"FromSeq": func(c context.CancelCauseFunc) stream.Observable[int] { return stream.FromSeq(closingSeq(c)) },
		"FromSeq2": func(c context.CancelCauseFunc) stream.Observable[int] {
			return stream.FromSeq2(withErrors(closingSeq(c)))
		},
		"Defer": func(c context.CancelCauseFunc) stream.Observable[int] {
			return stream.Defer(func() stream.Observable[int] { return closingSource(c) })
		},
		"Using": func(c context.CancelCauseFunc) stream.Observable[int] {
			return stream.Using(func(context.Context) (int, error) { return 0, nil },
				func(int) stream.Observable[int] { return closingSource(c) }, func(int) {})
		},
		"Repeat": func(c context.CancelCauseFunc) stream.Observable[int] { return stream.Repeat(closingSource(c), 1) },
		"Buffered": func(c context.CancelCauseFunc) stream.Observable[int] {
			return stream.Buffered(closingSource(c), 1, stream.Block)
		},
		"Buffered that drops": func(c context.CancelCauseFunc) stream.Observable[int] {
			return stream.Buffered(closingSource(c), 1, stream.DropNewest)
		},
		"Generate": func(c context.CancelCauseFunc) stream.Observable[int] {
			return stream.Generate(1, func(n int) bool {
				if n > 1 {
					c(errClosing)
				}
				return n == 1
			}, func(n int) int { return n + 1 })
		},
		"an observable of its own": closingSource,
	} {
		for verb, end := range verbs() {
			t.Run(name+" "+verb, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				if err := end(ctx, source(cancel)); !errors.Is(err, errClosing) {
					t.Errorf("%s of a run whose context ended: got %v, want %v", verb, err, errClosing)
				}
			})
		}
	}
}

// verbs are what runs an observable to the end, and return how it ended.
func verbs() map[string]func(context.Context, stream.Observable[int]) error {
	return map[string]func(context.Context, stream.Observable[int]) error{
		"Run":     func(ctx context.Context, o stream.Observable[int]) error { return o.Run(ctx) },
		"ForEach": func(ctx context.Context, o stream.Observable[int]) error { return o.ForEach(ctx, func(int) {}) },
		"Collect": func(ctx context.Context, o stream.Observable[int]) error { _, err := o.Collect(ctx); return err },
		"Last":    func(ctx context.Context, o stream.Observable[int]) error { _, err := o.Last(ctx).Get(); return err },
		"Seq": func(ctx context.Context, o stream.Observable[int]) (last error) {
			for _, err := range o.Seq(ctx) {
				last = err
			}
			return last
		},
		"Channel": func(ctx context.Context, o stream.Observable[int]) error {
			values, wait := o.Channel(ctx, 4)
			for range values {
			}
			return wait()
		},
		"Subscribe": func(ctx context.Context, o stream.Observable[int]) (told error) {
			told = errors.New("neither completed nor failed")
			s := o.Subscribe(ctx, stream.Observer[int]{
				Error:    func(err error) { told = err },
				Complete: func() { told = nil },
			})
			return errors.Join(s.Wait(), told)
		},
		"Feed": func(ctx context.Context, o stream.Observable[int]) error {
			var s stream.Subject[int]
			err := s.Feed(ctx, o)
			if late := s.Observe(1, stream.Block).Run(context.Background()); !errors.Is(late, err) {
				return errors.New("the subject ended in another way than its feed")
			}
			return err
		},
	}
}

func TestEndedContextBeforeASourceOfNothing(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errClosing)
	closed := make(chan int)
	close(closed)
	none := func(int) bool { return false }
	for name, source := range map[string]stream.Observable[int]{
		"FromSlice":   stream.FromSlice[int](nil),
		"Just":        stream.Just[int](),
		"Range":       stream.Range(3, 0),
		"FromSeq":     stream.FromSeq(slices.Values[[]int](nil)),
		"FromSeq2":    stream.FromSeq2(stream.Empty[int]().Seq(context.Background())),
		"FromChannel": stream.FromChannel(closed),
		"Repeat":      stream.Repeat(stream.Just(1), 0),
		"Generate":    stream.Generate(1, none, func(n int) int { return n }),
		"Gather":      stream.Gather(1, func(*stream.Group[int]) {}),
		"Future":      stream.Future(func(context.Context) (int, error) { t.Error("Future called its function, want no call"); return 1, nil }),
		"Defer":       stream.Defer(func() stream.Observable[int] { t.Error("Defer made an observable, want none"); return nil }),
	} {
		if err := source.Run(ctx); !errors.Is(err, errClosing) {
			t.Errorf("%s without values, context ended: got %v, want %v", name, err, errClosing)
		}
	}
}

// badLoser fails when it is told that no more is wanted, and goes on all the same.
func badLoser(_ context.Context, yield func(int) bool) error {
	for n := range 3 {
		if !yield(n) {
			yield(99)
			return errBroken
		}
	}
	return nil
}

func TestSourceThatFailsWhenItIsLeftIsNoFailure(t *testing.T) {
	v, err := stream.Observable[int](badLoser).First(t.Context()).Get()
	if v != 0 || err != nil {
		t.Errorf("First of a source that fails when it is left: got %d, %v; want 0", v, err)
	}
	for v, err := range stream.Observable[int](badLoser).Seq(t.Context()) {
		if v != 0 || err != nil {
			t.Errorf("Seq of a source that fails when it is left: got %d, %v; want 0 alone", v, err)
		}
		break
	}
	runs := 0
	counted := func(ctx context.Context, yield func(int) bool) error { runs++; return badLoser(ctx, yield) }
	err = stream.Repeat(stream.Observable[int](counted), 3)(t.Context(), func(int) bool { return false })
	if err != nil || runs != 1 {
		t.Errorf("Repeat of a source that fails when it is left: got %v after %d runs, want nil after 1", err, runs)
	}
	var s stream.Subject[int]
	err = s.Feed(t.Context(), func(ctx context.Context, yield func(int) bool) error {
		s.Complete()
		return badLoser(ctx, yield)
	})
	wantError(t, err, nil)
}
