package text

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rxipc/rxipc/stream"
)

// ReadFile opens the file for each run, emits what decode makes of it, and closes it:
//
//	text.ReadFile("orders.csv", text.CSV, text.Skip(nil))
//
// Errors name the file. Opening a named pipe blocks until the pipe has a writer; the end of
// the context does not interrupt that.
func ReadFile[T any](path string, decode func(io.Reader, ...Option) stream.Observable[T], options ...Option) stream.Observable[T] {
	mustHave("ReadFile", "function", decode != nil)
	open := func(context.Context) (*os.File, error) { return os.Open(path) }
	source := stream.Using(open, func(f *os.File) stream.Observable[T] { return decode(f, options...) }, func(f *os.File) { f.Close() })
	return func(ctx context.Context, yield func(T) bool) error {
		err := source(ctx, yield)
		if where := new(Error); errors.As(err, &where) {
			return fmt.Errorf("%s: %w", path, err)
		}
		return err
	}
}
