package text

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// WriteLines writes each value and a "\n" to w with one Write, and then passes the value
// on. A Write that fails ends the source, and the run fails with an [*Error]. If w has a
// Flush method, as a bufio.Writer has, WriteLines calls it when the source has completed or
// failed. The values have been passed on by then. A Flush that fails fails the run.
//
// The end of the context interrupts a Write if w takes deadlines, as pipes and connections
// do. A line may then be written in part. A Write that blocks on a terminal or on an inherited
// pipe, such as [os.Stdout], is not interrupted: the run ends when Write returns.
func WriteLines(w io.Writer) stream.Operator[string, string] {
	mustHave("WriteLines", "writer", w != nil)
	return writing("line", w, func(into *bytes.Buffer) func(string) error {
		return func(line string) error {
			into.WriteString(line)
			return into.WriteByte('\n')
		}
	})
}

// WriteCSV writes each record as [csv.Writer] does, and passes it on then. It fails, ends and
// writes as [WriteLines].
func WriteCSV(w io.Writer) stream.Operator[[]string, []string] {
	mustHave("WriteCSV", "writer", w != nil)
	return writing("record", w, func(into *bytes.Buffer) func([]string) error {
		encoder := csv.NewWriter(into)
		return func(record []string) error {
			if err := encoder.Write(record); err != nil {
				return err
			}
			encoder.Flush()
			return encoder.Error()
		}
	})
}

// WriteJSON writes the JSON encoding of each value and a "\n", and passes the value on
// then. It fails, ends and writes as [WriteLines], and fails at a value that has no encoding.
func WriteJSON[T any](w io.Writer) stream.Operator[T, T] {
	mustHave("WriteJSON", "writer", w != nil)
	return writing("value", w, func(into *bytes.Buffer) func(T) error {
		encoder := json.NewEncoder(into)
		return func(v T) error { return encoder.Encode(v) }
	})
}

// writing writes each value as encoder puts it into a buffer.
func writing[T any](unit string, w io.Writer, encoder func(*bytes.Buffer) func(T) error) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("a writing operator", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) (err error) {
			var buffer bytes.Buffer
			out := writer{ctx: ctx, w: w, unit: unit}
			defer out.begin()()
			encode := encoder(&buffer)
			wanted := true
			err = source(ctx, func(v T) bool {
				buffer.Reset()
				if out.write(encode(v), &buffer) {
					wanted = yield(v)
					return wanted
				}
				return false
			})
			out.flush()
			switch {
			case out.failed != nil:
				return out.failed
			case err == nil && wanted:
				return context.Cause(ctx)
			}
			return err
		}
	}
}

// writer is where a run writes.
type writer struct {
	ctx     context.Context
	w       io.Writer
	unit    string
	number  int64
	written int64
	failed  error
}

// begin makes the end of ctx interrupt a Write. The function it returns takes that back.
func (o *writer) begin() (end func()) {
	d, ok := o.w.(writeDeadline)
	if !ok || o.ctx.Done() == nil || d.SetWriteDeadline(time.Time{}) != nil {
		return func() {}
	}
	return onDone(o.ctx, d.SetWriteDeadline)
}

// write writes an encoded value, or fails with the error of the encoding.
func (o *writer) write(encoding error, buffer *bytes.Buffer) bool {
	o.number++
	if encoding != nil {
		o.fail(encoding)
		return false
	}
	n, err := o.w.Write(buffer.Bytes())
	if err != nil {
		o.fail(err)
		return false
	}
	o.written += int64(n)
	return true
}

// flush is called when the source has ended.
func (o *writer) flush() {
	if f, ok := o.w.(interface{ Flush() error }); ok {
		if err := f.Flush(); err != nil {
			o.fail(err)
		}
	}
}

// fail keeps the first failure.
func (o *writer) fail(err error) {
	switch {
	case o.failed != nil:
	case o.ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded):
		o.failed = context.Cause(o.ctx)
	default:
		o.failed = &Error{o.unit, o.number, o.written, err}
	}
}
