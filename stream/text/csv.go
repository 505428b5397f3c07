package text

import (
	"context"
	"encoding/csv"
	"errors"
	"io"

	"github.com/rxipc/rxipc/stream"
)

// CSV emits the records of a reader in the format of [csv.Reader]. The header is a record
// like the others. [Format] sets another separator and more. Records belong to the
// receiver. It completes at the end of the reader. It fails with an [*Error] around a
// [*csv.ParseError] at a record that is malformed or has another number of fields than the
// first; [Skip] leaves such records out. It also fails if reading fails, and at a record
// longer than [Limit]: a quote that is never closed makes one record of all that follows. The
// package documentation says how r is shared and how a blocked Read ends.
func CSV(r io.Reader, options ...Option) stream.Observable[[]string] {
	mustHave("CSV", "reader", r != nil)
	c := configured("CSV", options)
	return func(ctx context.Context, yield func([]string) bool) error {
		const hint = "a quote that is not closed makes one of the rest, and Limit allows longer ones"
		return decode(ctx, c, "record", r, hint, csv.NewReader, func(d *decoder[*csv.Reader]) error {
			if c.format != nil {
				c.format(d.of)
			}
			d.of.ReuseRecord = false
			return records(d, yield)
		})
	}
}

func records(d *decoder[*csv.Reader], yield func([]string) bool) error {
	for {
		d.item()
		record, err := d.of.Read()
		switch {
		case err == nil:
			if d.ctx.Err() != nil {
				return context.Cause(d.ctx)
			}
			if !yield(record) {
				return nil
			}
		case err == io.EOF:
			return context.Cause(d.ctx)
		default:
			var malformed *csv.ParseError
			if err := d.failure(err, errors.As(err, &malformed)); err != nil {
				return err
			}
		}
	}
}
