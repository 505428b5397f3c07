package text_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/stream/text"
)

const items = 10_000

// BenchmarkSources compares each source with a loop over what it is made of, which makes
// the same values: MB/s tell.
func BenchmarkSources(b *testing.B) {
	line := "127.0.0.1 GET /index.html 200 " + strings.Repeat("x", 50) + "\n"
	value := `{"item": "artichoke", "amount": 12, "tags": ["green", "fresh"], "price": 3.25}`
	texts := []byte(strings.Repeat(line, items))
	values := []byte(strings.Repeat(value+"\n", items))
	array := []byte("[" + strings.Repeat(value+",\n", items-1) + value + "]")
	records := []byte(strings.Repeat("artichoke,12,\"green, fresh\",3.25\n", items))
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	source := func(name string, input []byte, run func(io.Reader) (n int, err error)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(input)))
			b.ReportAllocs()
			for b.Loop() {
				if n, err := run(bytes.NewReader(input)); n != items || err != nil {
					b.Fatalf("got %d items, %v; want %d", n, err, items)
				}
			}
		})
	}
	source("lines/bufio.Scanner", texts, func(r io.Reader) (n int, err error) {
		scanner := bufio.NewScanner(r)
		for scanner.Scan() {
			sink = scanner.Text()
			n++
		}
		return n, scanner.Err()
	})
	source("lines/Lines", texts, func(r io.Reader) (n int, err error) {
		err = text.Lines(r).ForEach(ctx, func(line string) { sink = line; n++ })
		return n, err
	})
	source("values/json.Decoder", values, func(r io.Reader) (n int, err error) {
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
	count := func(n *int) func(item) { return func(item) { *n++ } }
	source("values/JSON", values, func(r io.Reader) (n int, err error) {
		err = text.JSON[item](r).ForEach(ctx, count(&n))
		return n, err
	})
	source("values/JSONLines", values, func(r io.Reader) (n int, err error) {
		err = text.JSONLines[item](r).ForEach(ctx, count(&n))
		return n, err
	})
	source("values/JSONArray", array, func(r io.Reader) (n int, err error) {
		err = text.JSONArray[item](r).ForEach(ctx, count(&n))
		return n, err
	})
	source("records/csv.Reader", records, func(r io.Reader) (n int, err error) {
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
	source("records/CSV", records, func(r io.Reader) (n int, err error) {
		err = text.CSV(r).ForEach(ctx, func([]string) { n++ })
		return n, err
	})
}

var sink string

type item struct {
	Item   string
	Amount int
	Tags   []string
	Price  float64
}
