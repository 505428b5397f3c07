package rxipc_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// TestMain gives the README's code a folder of sockets of its own.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		panic(err)
	}
	os.Setenv("XDG_RUNTIME_DIR", dir)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var ctx = context.Background()

func serveBuilder() fold.Attempt[int] {
	ipc := socket.New(socket.Config{})
	name := socket.MustParseName("counter")

	total := socket.Serve(ipc, name, fold.Sum[int]()).
		Monitor(func(total int, next socket.Next[int]) socket.Next[int] {
			if total == 42 {
				return next.Finish()
			}
			return next
		}).
		With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			return c.Respond(m).CarryWith(count + 1)
		}) // fold.Attempt[int]

	return total
}

func servePipeline() fold.Attempt[int] {
	ipc := socket.New(socket.Config{})
	name := socket.MustParseName("counter")

	total := stream.Pipe3(
		socket.Exchanges(ipc.Listen(name)),
		operators.MapErr(func(x socket.Exchange) (int, error) { return 1, x.Respond(x.Message) }),
		operators.Scan(fold.Sum[int]()),
		operators.TakeWhile(func(total int) bool { return total < 42 }, operators.Inclusive),
	).Last(ctx) // fold.Attempt[int]

	return total
}

func client() (socket.Message, error) {
	ipc := socket.New(socket.Config{})
	name := socket.MustParseName("counter")

	answer := fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(ctx,
		func(p *socket.Process) fold.Attempt[socket.Message] {
			return fold.Then(p.Send(ctx, socket.Text("hello world")), socket.Wait(ctx))
		}))
	message, err := answer.Get()

	return message, err
}

// tell runs a server and as many clients as it counts, one after the other.
func tell(server func() fold.Attempt[int]) {
	total := make(chan fold.Attempt[int])
	go func() { total <- server() }()
	answers := map[string]int{}
	for range 42 {
		message, err := client()
		answers[fmt.Sprint(message.Content(), err)]++
	}
	fmt.Println(answers, <-total)
}

func Example_builder() {
	tell(serveBuilder)
	// Output: map[hello world<nil>:42] Success(42)
}

func Example_pipeline() {
	tell(servePipeline)
	// Output: map[hello world<nil>:42] Success(42)
}

// TestReadmeShowsCodeThatRuns compares each piece of Go in the README with this file,
// which is compiled and run.
func TestReadmeShowsCodeThatRuns(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	compiled := unindented(string(source))
	pieces := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(pieces) < 3 {
		t.Fatalf("the README has %d pieces of Go", len(pieces))
	}
	for _, piece := range pieces {
		if !strings.Contains(compiled, unindented(piece[1])) {
			t.Errorf("this is not in readme_test.go:\n%s", piece[1])
		}
	}
}

// unindented drops the white space that lines begin with, and empty lines.
func unindented(text string) string {
	return regexp.MustCompile(`(?m)^\s+`).ReplaceAllString(text, "")
}
