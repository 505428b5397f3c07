package text

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/internal/lines"
)

// JSONLines emits the JSON value of each line of a reader; lines of white space have none.
// It completes at the end of the reader. It fails with an [*Error] if reading fails, or at a
// line that is no JSON value, no T, or longer than [Limit]; [Skip] leaves such lines out. A
// line that cannot be decoded is decoded twice, so an UnmarshalJSON of T may see it twice. The
// package documentation says how r is shared and how a blocked Read ends.
func JSONLines[T any](r io.Reader, options ...Option) stream.Observable[T] {
	mustHave("JSONLines", "reader", r != nil)
	c := configured("JSONLines", options)
	return func(ctx context.Context, yield func(T) bool) error {
		var d lineDecoder
		return c.lines(ctx, r, func(s *lines.Splitter, line []byte) (bool, error) {
			if len(bytes.Trim(line, " \t\r")) == 0 {
				return true, nil
			}
			v, err := decodeLine[T](&d, line)
			if err != nil {
				e := &Error{"line", s.Number(), s.Offset(), err}
				if !c.passOver(ctx, e) {
					return false, e
				}
				return true, nil
			}
			return yield(v), nil
		})
	}
}

// JSON emits the JSON values of a reader, which follow each other with or without white
// space between them and may have any layout. It completes at the end of the reader. It fails with
// an [*Error] if reading fails, at a syntax error, and at a value longer than [Limit]; also at
// a value that is no T, unless [Skip] leaves it out. The package documentation says how r is
// shared and how a blocked Read ends.
func JSON[T any](r io.Reader, options ...Option) stream.Observable[T] {
	mustHave("JSON", "reader", r != nil)
	c := configured("JSON", options)
	return func(ctx context.Context, yield func(T) bool) error {
		return decode(ctx, c, "value", r, jsonHint, json.NewDecoder, func(d *decoder[*json.Decoder]) error {
			return values(d, 0, yield)
		})
	}
}

// JSONArray emits the elements of the JSON array that a reader holds, one by one: the
// array may have any size. It completes after the array's closing bracket and does not look
// at what follows. It fails as [JSON] does, and if there is no array.
func JSONArray[T any](r io.Reader, options ...Option) stream.Observable[T] {
	mustHave("JSONArray", "reader", r != nil)
	c := configured("JSONArray", options)
	return func(ctx context.Context, yield func(T) bool) error {
		return decode(ctx, c, "element", r, jsonHint, json.NewDecoder, func(d *decoder[*json.Decoder]) error {
			d.item()
			switch first, err := d.of.Token(); {
			case err == io.EOF:
				return d.failure(io.ErrUnexpectedEOF, false)
			case err != nil:
				return d.failure(err, false)
			case first != json.Delim('['):
				return d.failure(fmt.Errorf("%v is no array; JSON reads values outside of one", first), false)
			}
			d.number = 0
			return values(d, 1, yield)
		})
	}
}

const jsonHint = "Limit allows longer values"

// values yields the values that follow in d, up to the end of the reader, or of the
// array in which they are: depth is 1 then, and 0 elsewhere.
func values[T any](d *decoder[*json.Decoder], depth int64, yield func(T) bool) error {
	for {
		d.item()
		if depth > 0 && !d.of.More() {
			return closing(d)
		}
		least := d.of.InputOffset() + 1 // where a value ends at least
		if d.number > 1 {
			least += depth // a comma
		}
		var v T
		err := d.of.Decode(&v)
		switch {
		case err == nil:
			if d.ctx.Err() != nil {
				return context.Cause(d.ctx)
			}
			if !yield(v) {
				return nil
			}
		case err == io.EOF && depth == 0:
			return context.Cause(d.ctx)
		default:
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			if err := d.failure(err, d.of.InputOffset() >= least); err != nil {
				return err
			}
		}
	}
}

// closing is the end of an array's run.
func closing(d *decoder[*json.Decoder]) error {
	if _, err := d.of.Token(); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return d.failure(err, false)
	}
	return context.Cause(d.ctx)
}
