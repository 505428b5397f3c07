package text

import (
	"context"
	"errors"
	"io"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/internal/lines"
)

// Lines emits the lines of a reader, without their "\n" or "\r\n". The rest after the last
// "\n" is a line unless it is empty. It completes at the end of the reader. It fails with an
// [*Error] if reading fails, or at a line that is longer than [Limit], which [Skip] leaves
// out. The package documentation says how r is shared and how a blocked Read ends.
func Lines(r io.Reader, options ...Option) stream.Observable[string] {
	mustHave("Lines", "reader", r != nil)
	c := configured("Lines", options)
	return func(ctx context.Context, yield func(string) bool) error {
		return c.lines(ctx, r, func(_ *lines.Splitter, line []byte) (bool, error) {
			return yield(string(line)), nil
		})
	}
}

// lines calls each with the lines of r. The bytes are valid until each returns.
func (c *config) lines(ctx context.Context, r io.Reader, each func(*lines.Splitter, []byte) (bool, error)) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r, end := interruptible(ctx, r)
	defer end()
	stream.Subscribed(ctx)
	s := lines.New(c.limit, 0)
	for {
		wanted, err := c.buffered(ctx, s, each)
		if err != nil || !wanted {
			return err
		}
		switch err := s.Fill(r); {
		case err == nil:
		case errors.Is(err, io.EOF):
			return c.last(ctx, s, each)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		default:
			if wanted, failed := c.buffered(ctx, s, each); failed != nil || !wanted {
				return failed
			}
			return &Error{"line", s.Number() + 1, s.End(), err}
		}
	}
}

// buffered calls each with the lines that were read whole.
func (c *config) buffered(ctx context.Context, s *lines.Splitter, each func(*lines.Splitter, []byte) (bool, error)) (wanted bool, err error) {
	for {
		line, ok, err := s.Next()
		switch {
		case err != nil:
			if err := c.tooLong(ctx, s); err != nil {
				return false, err
			}
			continue
		case !ok:
			return true, nil
		case ctx.Err() != nil:
			return false, context.Cause(ctx)
		}
		if wanted, err := each(s, line); err != nil || !wanted {
			return wanted, err
		}
	}
}

// last is the end of a run whose reader is at its end.
func (c *config) last(ctx context.Context, s *lines.Splitter, each func(*lines.Splitter, []byte) (bool, error)) error {
	if wanted, err := c.buffered(ctx, s, each); err != nil || !wanted {
		return err
	}
	line, ok, err := s.Rest()
	switch {
	case err != nil:
		if err := c.tooLong(ctx, s); err != nil {
			return err
		}
	case ok && ctx.Err() == nil:
		if wanted, err := each(s, line); err != nil || !wanted {
			return err
		}
	}
	return context.Cause(ctx)
}

// tooLong is the failure of a line over the limit, or nil if the run goes on.
func (c *config) tooLong(ctx context.Context, s *lines.Splitter) error {
	e := &Error{"line", s.Number(), s.Offset(), tooLong(c.limit, "Limit allows longer lines, Skip leaves them out")}
	if c.passOver(ctx, e) {
		return nil
	}
	return e
}
