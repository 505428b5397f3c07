package text

import (
	"context"
	"encoding/csv"

	"github.com/rxipc/rxipc/stream"
)

// DefaultLimit is how many bytes a line, record or value may have unless [Limit] says
// otherwise: 1 MiB.
const DefaultLimit = 1 << 20

// Option says how a text is read.
type Option func(*config)

type config struct {
	limit  int
	skip   func(*Error)
	format func(*csv.Reader)
}

// Limit sets how many bytes a line, record or value may have, not counting the end of a
// line. It bounds the memory of a run. A longer item is an [ErrTooLong]. A limit of zero or
// less is [DefaultLimit].
func Limit(bytes int) Option {
	return func(c *config) { c.limit = bytes }
}

// Skip leaves out items that cannot be decoded or are too long, and goes on after them. f
// gets the errors, on the goroutine of the run; a nil f ignores them. [stream.Drops] count
// the items as skipped. Nothing can follow
// some errors, which fail the run nevertheless: an error of the reader; in a JSON array and
// in JSON that is not cut into lines, a syntax error and a value that is too long; a CSV
// record that is too long.
func Skip(f func(*Error)) Option {
	if f == nil {
		f = func(*Error) {}
	}
	return func(c *config) { c.skip = f }
}

// Format calls set with the reader of each run of [CSV] before it reads, to set its
// Comma, Comment, FieldsPerRecord and so on. The other functions refuse it.
func Format(set func(*csv.Reader)) Option {
	mustHave("Format", "function", set != nil)
	return func(c *config) { c.format = set }
}

func configured(function string, options []Option) config {
	var c config
	for _, option := range options {
		option(&c)
	}
	if c.limit <= 0 {
		c.limit = DefaultLimit
	}
	if c.format != nil && function != "CSV" {
		panic("text: " + function + " with a Format, which is for CSV")
	}
	return c
}

// passOver reports whether the run goes on after an error.
func (c *config) passOver(ctx context.Context, err *Error) bool {
	if c.skip == nil {
		return false
	}
	stream.Skipping(ctx)(1)
	c.skip(err)
	return true
}
