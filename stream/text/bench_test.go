package text_test

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/text"
)

const items = 10_000

// The benchmarks compare each source with a loop over what it is made of, which makes the same
// values: MB/s tell.

// sourcing runs a benchmark of reading the input, which has so many items.
func sourcing(b *testing.B, name, input string, run func(context.Context, io.Reader) (n int, err error)) {
	b.Run(name, func(b *testing.B) {
		ctx, cancel := context.WithCancel(b.Context())
		defer cancel()
		b.SetBytes(int64(len(input)))
		b.ReportAllocs()
		for b.Loop() {
			if n, err := run(ctx, strings.NewReader(input)); n != items || err != nil {
				b.Fatalf("%s: got %d items, %v; want %d", name, n, err, items)
			}
		}
	})
}

// counting counts what a source emits.
func counting[T any](source func(io.Reader, ...text.Option) stream.Observable[T]) func(context.Context, io.Reader) (int, error) {
	return func(ctx context.Context, r io.Reader) (n int, err error) {
		err = source(r).ForEach(ctx, func(T) { n++ })
		return n, err
	}
}

func BenchmarkSourcesOfLines(b *testing.B) {
	input := strings.Repeat("127.0.0.1 GET /index.html 200 "+strings.Repeat("x", 50)+"\n", items)
	sourcing(b, "bufio.Scanner", input, func(_ context.Context, r io.Reader) (n int, err error) {
		scanner := bufio.NewScanner(r)
		for scanner.Scan() {
			sink = scanner.Text()
			n++
		}
		return n, scanner.Err()
	})
	sourcing(b, "Lines", input, func(ctx context.Context, r io.Reader) (n int, err error) {
		err = text.Lines(r).ForEach(ctx, func(line string) { sink = line; n++ })
		return n, err
	})
}

func BenchmarkSourcesOfJSON(b *testing.B) {
	value := `{"item": "artichoke", "amount": 12, "tags": ["green", "fresh"], "price": 3.25}`
	lines := strings.Repeat(value+"\n", items)
	array := "[" + strings.Repeat(value+",\n", items-1) + value + "]"
	sourcing(b, "json.Decoder", lines, func(_ context.Context, r io.Reader) (n int, err error) {
		decoder := json.NewDecoder(r)
		for decoder.More() {
			var v item
			if err := decoder.Decode(&v); err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	})
	sourcing(b, "JSON", lines, counting(text.JSON[item]))
	sourcing(b, "JSONLines", lines, counting(text.JSONLines[item]))
	sourcing(b, "JSONArray", array, counting(text.JSONArray[item]))
}

func BenchmarkSourcesOfRecords(b *testing.B) {
	input := strings.Repeat("artichoke,12,\"green, fresh\",3.25\n", items)
	sourcing(b, "csv.Reader", input, func(_ context.Context, r io.Reader) (n int, err error) {
		reader := csv.NewReader(r)
		for {
			if _, err := reader.Read(); err == io.EOF {
				return n, nil
			} else if err != nil {
				return n, err
			}
			n++
		}
	})
	sourcing(b, "CSV", input, counting(text.CSV))
}

var sink string

type item struct {
	Item   string
	Amount int
	Tags   []string
	Price  float64
}
