package rxipc_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/sockettest"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
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

func servePipeline(ctx context.Context) {
	ipc := socket.New(socket.Config{})
	name := socket.MustParseName("counter")

	total, err := stream.Pipe4(
		socket.Exchanges(ipc.Listen(name)),
		operators.TakeUntilDone[socket.Exchange](ctx), // a signal completes the run, so the total is kept
		operators.MapErr(func(x socket.Exchange) (int, error) { return 1, x.Respond(x.Message) }),
		operators.Scan(fold.Sum[int]()),
		operators.TakeWhile(func(total int) bool { return total < 42 }, operators.Inclusive),
	).Last(context.WithoutCancel(ctx)).Get()

	fmt.Println("counter:", total, err)
}

func client(ctx context.Context) {
	ipc := socket.New(socket.Config{})
	name := socket.MustParseName("counter")

	answer := fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(ctx,
		func(p *socket.Process) fold.Attempt[socket.Message] {
			return fold.Then(p.Send(ctx, socket.Text("hello world")), socket.Wait(ctx))
		}))
	message, err := answer.Get()
	fmt.Println(message.Content(), err)
}

func TestRunningTotal(t *testing.T) {
	streamtest.Run(t, func(b *streamtest.Bench) {
		total := operators.Scan(fold.Sum[int]())
		streamtest.Expect(b, total(streamtest.Cold[int](b, "1-2-(34)-|")), "1-3-(6x)-|",
			map[rune]int{'x': 10})
	})
}

var name = socket.MustParseName("counter")

// counter is the server that the README begins with, as a function.
func counter(ctx context.Context, ipc *socket.IPC) fold.Attempt[int] {
	return socket.Serve(ipc, name, fold.Sum[int]()).
		Monitor(func(total int, next socket.Next[int]) socket.Next[int] {
			if total >= 42 {
				return next.Finish()
			}
			return next
		}).
		With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			return c.Respond(m).CarryWith(count + 1)
		})
}

func TestCounter(t *testing.T) {
	sockettest.Run(t, func(b *sockettest.Bench) {
		b.Client(name, "a-b---|").Expect("a-b---|")
		b.Client(name, "---^c-#").Expect("----c-#")  // dies
		b.Client(name, "^").ExpectWire("< 1299ms ~") // is silent: after 1.3 s a heartbeat
		sockettest.Expect(b, counter, " - 2s (3!)")
	})
}

func Example_pipeline() {
	var server sync.WaitGroup
	server.Go(func() { servePipeline(context.Background()) })
	for range 42 {
		client(context.Background())
	}
	server.Wait()
	// Unordered output:
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// hello world <nil>
	// counter: 42 <nil>
}

// TestReadmeProgram builds the README's program in a module of its own, as a reader
// would, and talks to it.
func TestReadmeProgram(t *testing.T) {
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"main.go": pieces(t)[0],
		"go.sum":  string(sums),
		"go.mod": "module reader\n\ngo 1.26\n\nrequire " + module + " v0.0.0\n\n" +
			"require golang.org/x/sys v0.46.0 // indirect\n\n" +
			"replace " + module + " => " + root + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-o", "server", ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var out strings.Builder
	server := exec.Command(filepath.Join(dir, "server"))
	server.Stdout = &out
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer server.Process.Kill()
	ipc, hello := socket.New(socket.Config{}), socket.Text("hello world")
	for range 42 {
		answer := fold.Then(ipc.ConnectTo(t.Context(), socket.MustParseName("counter")), socket.Closing(t.Context(),
			func(p *socket.Process) fold.Attempt[socket.Message] {
				return fold.Then(p.Send(t.Context(), hello), socket.Wait(t.Context()))
			}))
		if m, err := answer.Get(); m != hello {
			t.Fatal(m, err)
		}
	}
	if err := server.Wait(); err != nil || out.String() != "counter: 42 <nil>\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

// TestReadmeShowsCodeThatRuns compares each other piece of Go in the README with this
// file, which is compiled and run.
func TestReadmeShowsCodeThatRuns(t *testing.T) {
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	compiled := unindented(string(source))
	for _, piece := range pieces(t)[1:] {
		if !strings.Contains(compiled, unindented(piece)) {
			t.Errorf("this is not in readme_test.go:\n%s", piece)
		}
	}
}

// pieces are the pieces of Go in the README, the first of them a program.
func pieces(t *testing.T) (list []string) {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1) {
		list = append(list, piece[1])
	}
	if len(list) < 4 {
		t.Fatalf("the README has %d pieces of Go", len(list))
	}
	return list
}

// unindented drops the white space that lines begin with, and empty lines.
func unindented(text string) string {
	return regexp.MustCompile(`(?m)^\s+`).ReplaceAllString(text, "")
}
