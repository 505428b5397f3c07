package text_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
	"github.com/rxipc/rxipc/stream/text"
)

// readers are the ways in which a reader comes by its text: at once, or a piece a second
// in a pipe, which has deadlines or has none.
var readers = map[string]func(pieces []string) stream.Observable[io.Reader]{
	"in memory": func(pieces []string) stream.Observable[io.Reader] {
		return stream.Defer(func() stream.Observable[io.Reader] {
			return stream.Just[io.Reader](strings.NewReader(strings.Join(pieces, "")))
		})
	},
	"a pipe with deadlines": func(pieces []string) stream.Observable[io.Reader] {
		return piped(pieces, func() (io.ReadCloser, io.WriteCloser) {
			r, w := net.Pipe()
			return r, w
		})
	},
	"a pipe without deadlines, closed when the context ends": func(pieces []string) stream.Observable[io.Reader] {
		return piped(pieces, func() (io.ReadCloser, io.WriteCloser) {
			r, w := io.Pipe()
			return r, w
		})
	},
}

// piped is the reading end of a pipe, into which a goroutine of the run writes the
// pieces, one a second.
func piped(pieces []string, pipe func() (io.ReadCloser, io.WriteCloser)) stream.Observable[io.Reader] {
	return func(ctx context.Context, yield func(io.Reader) bool) error {
		r, w := pipe()
		writing, cancel := context.WithCancel(ctx)
		written := make(chan struct{})
		go func() {
			defer close(written)
			defer w.Close()
			for _, piece := range pieces {
				select {
				case <-time.After(time.Second):
				case <-writing.Done():
					return
				}
				if _, err := io.WriteString(w, piece); err != nil {
					return
				}
			}
		}()
		defer func() { <-written }()
		defer r.Close()
		defer cancel()
		yield(r)
		return nil
	}
}

// over is what decode makes of each reader of readers.
func over[T any](readers stream.Observable[io.Reader], decode func(io.Reader, ...text.Option) stream.Observable[T], options ...text.Option) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		var failed error
		err := readers(ctx, func(r io.Reader) bool {
			failed = decode(r, options...)(ctx, yield)
			return false
		})
		if failed != nil {
			return failed
		}
		return err
	}
}

// checkEach checks the contract with each kind of reader.
func checkEach[T any](t *testing.T, decode func(io.Reader, ...text.Option) stream.Observable[T], pieces []string, want []T, options ...streamtest.Option) {
	for name, reader := range readers {
		t.Run(name, func(t *testing.T) {
			streamtest.Check(t, over(reader(pieces), decode), want, options...)
		})
	}
}

func TestLinesKeepTheContract(t *testing.T) {
	checkEach(t, text.Lines, []string{"a\nb", "c\r\n", "\nd"}, []string{"a", "bc", "", "d"})
}

func TestCSVKeepsTheContract(t *testing.T) {
	checkEach(t, text.CSV, []string{"a,b\n1", ",\"2\n", "3\"\n"}, [][]string{{"a", "b"}, {"1", "2\n3"}})
}

func TestJSONKeepsTheContract(t *testing.T) {
	checkEach(t, text.JSON[int], []string{"1 2", "3\n4 "}, []int{1, 23, 4})
}

func TestJSONLinesKeepTheContract(t *testing.T) {
	checkEach(t, text.JSONLines[int], []string{"1\n\n2", "3\n", "4\r\n \n"}, []int{1, 23, 4})
}

func TestJSONArrayKeepsTheContract(t *testing.T) {
	checkEach(t, text.JSONArray[int], []string{"[1,", "2", "3\n,", "4]"}, []int{1, 23, 4})
}

func TestFailuresKeepTheContract(t *testing.T) {
	t.Run("JSONLines", func(t *testing.T) {
		source := over(readers["in memory"]([]string{"1\n2\n13\n3\n"}), text.JSONLines[picky])
		streamtest.Check(t, source, []picky{1, 2}, streamtest.Fails(errPicky))
	})
	t.Run("Lines", func(t *testing.T) {
		decode := func(r io.Reader, options ...text.Option) stream.Observable[string] {
			return text.Lines(r, append(options, text.Limit(3))...)
		}
		checkEach(t, decode, []string{"abc\nde", "fg\nhi"}, []string{"abc"}, streamtest.Fails(text.ErrTooLong))
	})
}

var errPicky = errors.New("unlucky")

// picky is a number that is not 13.
type picky int

func (p *picky) UnmarshalJSON(b []byte) error {
	if string(b) == "13" {
		return errPicky
	}
	return json.Unmarshal(b, (*int)(p))
}

func TestWritersKeepTheContract(t *testing.T) {
	t.Run("WriteLines", func(t *testing.T) {
		streamtest.CheckOperator(t, writingTo(text.WriteLines), []string{"a", "b", "c"}, []string{"a", "b", "c"})
	})
	t.Run("WriteCSV", func(t *testing.T) {
		records := [][]string{{"a", "b"}, {"c", "d\n"}}
		streamtest.CheckOperator(t, writingTo(text.WriteCSV), records, records)
	})
	t.Run("WriteJSON", func(t *testing.T) {
		streamtest.CheckOperator(t, writingTo(text.WriteJSON[int]), []int{1, 2, 3}, []int{1, 2, 3})
	})
}

// writingTo writes into a buffer for each run.
func writingTo[T any](write func(io.Writer) stream.Operator[T, T]) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		return stream.Defer(func() stream.Observable[T] { return write(new(bytes.Buffer))(source) })
	}
}
