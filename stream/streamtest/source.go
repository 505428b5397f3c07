package streamtest

import (
	"context"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// Cold is a source of strings; see the function of that name.
func (b *Bench) Cold(diagram string) stream.Observable[string] {
	b.Helper()
	return Cold[string](b, diagram)
}

// Hot is a source of strings; see the function of that name.
func (b *Bench) Hot(diagram string) stream.Observable[string] {
	b.Helper()
	return Hot[string](b, diagram)
}

// Cold is a source that does in each run what the diagram shows, from the run's
// beginning on. Without | or # it does not end by itself. What a slow consumer
// makes late comes as soon as it can. The name of a value stands for what values
// bind it to; unbound letters stand for themselves for strings, and digits for
// numbers.
func Cold[T any](b *Bench, diagram string, values ...map[rune]T) stream.Observable[T] {
	b.Helper()
	s, _ := scripted(b, diagram, "^!", "a cold source", values)
	frame, order := b.frame(), b.order()
	return func(ctx context.Context, yield func(T) bool) error {
		begin := time.Now()
		last := -1
		for _, n := range s.notes {
			if n.frame > last {
				if last <= 0 && n.frame > 0 {
					stream.Subscribed(ctx)
				}
				at := begin.Add(time.Duration(n.frame) * frame)
				if err := b.clock.await(ctx, at, telling, order); err != nil {
					return err
				}
				last = n.frame
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			switch {
			case n.kind == failed:
				return n.err
			case n.kind == completed, !yield(n.value):
				return nil
			}
		}
		stream.Subscribed(ctx)
		<-ctx.Done()
		return context.Cause(ctx)
	}
}

// Hot is a source that does what the diagram shows once, whoever runs it: a run
// gets what comes after it began, and ends at once if the source has. Now is where
// ^ stands, at the first column if it does not; what stands before is past and
// reaches nobody. A run that is slow loses nothing: it holds back at most the
// values of the diagram. See [Cold] for the names of values.
func Hot[T any](b *Bench, diagram string, values ...map[rune]T) stream.Observable[T] {
	b.Helper()
	s, _ := scripted(b, diagram, "!", "a hot source", values)
	now := max(0, s.frameOf(subscription))
	begin, frame, order := time.Now(), b.frame(), b.order()
	subject := new(stream.Subject[T])
	b.running.Go(func() {
		last := -1
		for _, n := range s.notes {
			if n.frame < now {
				continue
			}
			if n.frame > last {
				at := begin.Add(time.Duration(n.frame-now) * frame)
				if b.clock.await(b.ctx, at, telling, order) != nil {
					return
				}
				last = n.frame
			}
			if n.kind == emitted {
				subject.Next(n.value)
			} else {
				subject.Error(n.err)
			}
		}
	})
	return subject.Observe(len(s.notes), stream.Block)
}
