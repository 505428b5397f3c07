package operators_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

func ExampleTimestamp() {
	before := time.Now()
	first, err := operators.Timestamp[string]()(stream.Just("hello")).First(context.Background()).Get()
	fmt.Println(first.Value, !first.Time.Before(before), err)
	// Output: hello true <nil>
}

func ExampleTimeInterval() {
	first, err := operators.TimeInterval[int]()(stream.Interval(time.Millisecond)).First(context.Background()).Get()
	fmt.Println(first.Value, first.Interval >= time.Millisecond, err)
	// Output: 0 true <nil>
}

func ExampleLog() {
	untimed := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: untimed}))
	_ = operators.Log[int](logger, slog.LevelInfo, "halves")(halves(2, 3)).Run(context.Background())
	// Output:
	// level=INFO msg=halves event=next value=1
	// level=INFO msg=halves event=error error="3 is odd"
}
