package text_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"strings"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/text"
)

func ExampleLines() {
	input := strings.NewReader("to be\nor not\r\nto be")
	err := text.Lines(input).ForEach(context.Background(), func(line string) { fmt.Printf("%q\n", line) })
	fmt.Println(err)
	// Output:
	// "to be"
	// "or not"
	// "to be"
	// <nil>
}

func ExampleCSV() {
	input := strings.NewReader("name;amount\nfig;3\nkale;4\n")
	amounts := stream.Pipe3(
		text.CSV(input, text.Format(func(r *csv.Reader) { r.Comma = ';' })),
		operators.Skip[[]string](1), // the header
		operators.Map(func(record []string) int { return len(record[0]) }),
		operators.Fold(fold.Sum[int]()),
	)
	fmt.Println(amounts.Last(context.Background()).Get())
	// Output: 7 <nil>
}

type order struct {
	Item   string `json:"item"`
	Amount int    `json:"amount"`
}

func ExampleJSONLines() {
	input := strings.NewReader(`{"item": "fig", "amount": 3}
{"item": "kale", "amount": "four"}
{"item": "leek", "amount": 5}
`)
	report := func(err *text.Error) { fmt.Println("skipped line", err.Number) }
	orders := text.JSONLines[order](input, text.Skip(report))
	err := orders.ForEach(context.Background(), func(o order) { fmt.Println(o) })
	fmt.Println(err)
	// Output:
	// {fig 3}
	// skipped line 2
	// {leek 5}
	// <nil>
}

func ExampleJSON() {
	values, err := text.JSON[int](strings.NewReader("1 2\n\n3")).Collect(context.Background())
	fmt.Println(values, err)
	// Output: [1 2 3] <nil>
}

func ExampleJSONArray() {
	input := strings.NewReader(`[{"item": "fig", "amount": 3}, {"item": "kale"}, 17]`)
	err := text.JSONArray[order](input).ForEach(context.Background(), func(o order) { fmt.Println(o) })
	fmt.Println(err)
	// Output:
	// {fig 3}
	// {kale 0}
	// text: element 3, at byte 47: json: cannot unmarshal number into Go value of type text_test.order
}

func ExampleReadFile() {
	file, err := os.CreateTemp("", "lines")
	if err != nil {
		panic(err)
	}
	defer os.Remove(file.Name())
	file.WriteString("a\nb\n")
	file.Close()
	fmt.Println(text.ReadFile(file.Name(), text.Lines).Collect(context.Background()))
	// Output: [a b] <nil>
}

func ExampleWriteLines() {
	err := text.WriteLines(os.Stdout)(stream.Just("a", "b")).Run(context.Background())
	fmt.Println(err)
	// Output:
	// a
	// b
	// <nil>
}

func ExampleWriteCSV() {
	records := stream.Just([]string{"item", "amount"}, []string{"fig, fresh", "3"})
	err := text.WriteCSV(os.Stdout)(records).Run(context.Background())
	fmt.Println(err)
	// Output:
	// item,amount
	// "fig, fresh",3
	// <nil>
}

func ExampleWriteJSON() {
	err := text.WriteJSON[order](os.Stdout)(stream.Just(order{"fig", 3}, order{"kale", 4})).Run(context.Background())
	fmt.Println(err)
	// Output:
	// {"item":"fig","amount":3}
	// {"item":"kale","amount":4}
	// <nil>
}

func ExampleSkip() {
	// Skip(nil) leaves out bad lines without a word.
	values, err := text.JSONLines[int](strings.NewReader("1\ntwo\n3\n"), text.Skip(nil)).Collect(context.Background())
	fmt.Println(values, err)
	// Output: [1 3] <nil>
}

func ExampleLimit() {
	lines, err := text.Lines(strings.NewReader("abc\nabcd\n"), text.Limit(3)).Collect(context.Background())
	fmt.Println(lines, err)
	// Output: [abc] text: line 2, at byte 4: too long: more than 3 bytes; Limit allows longer lines, Skip leaves them out
}

func ExampleFormat() {
	input := strings.NewReader("# item, amount\nfig\t3\nkale\n")
	records, err := text.CSV(input, text.Format(func(r *csv.Reader) {
		r.Comma, r.Comment, r.FieldsPerRecord = '\t', '#', -1
	})).Collect(context.Background())
	fmt.Println(records, err)
	// Output: [[fig 3] [kale]] <nil>
}
