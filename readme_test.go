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

// TestMain runs the README's code with a folder of sockets of its own.
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

// counter is the server at the beginning of the README, as a function.
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

// program builds a program of the README in a module of its own, as a reader would.
func program(t *testing.T, source string) *exec.Cmd {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatalf("find the working folder: %v", err)
	}
	dir := t.TempDir()
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatalf("read go.sum: %v", err)
	}
	for name, content := range map[string]string{
		"main.go": source,
		"go.sum":  string(sums),
		"go.mod": "module reader\n\ngo 1.26\n\nrequire " + module + " v0.0.0\n\n" +
			"require golang.org/x/sys v0.46.0 // indirect\n\n" +
			"replace " + module + " => " + root + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatalf("write the file %s: %v", name, err)
		}
	}
	build := exec.Command("go", "build", "-o", "program", ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build a program of the README: %v\n%s", err, out)
	}
	return exec.Command(filepath.Join(dir, "program"))
}

// TestReadmeProgram sends messages to the first program of the README.
func TestReadmeProgram(t *testing.T) {
	server := program(t, pieces(t)[0])
	var out strings.Builder
	server.Stdout = &out
	if err := server.Start(); err != nil {
		t.Fatalf("start the program of the README: %v", err)
	}
	defer server.Process.Kill()
	ipc, hello := socket.New(socket.Config{}), socket.Text("hello world")
	for range 42 {
		answer := fold.Then(ipc.ConnectTo(t.Context(), socket.MustParseName("counter")), socket.Closing(t.Context(),
			func(p *socket.Process) fold.Attempt[socket.Message] {
				return fold.Then(p.Send(t.Context(), hello), socket.Wait(t.Context()))
			}))
		if m, err := answer.Get(); m != hello {
			t.Fatalf("send hello world to the program of the README: got %v, %v, want it back", m, err)
		}
	}
	if err := server.Wait(); err != nil || out.String() != "counter: 42 <nil>\n" {
		t.Errorf("run the program of the README: got %q, %v, want \"counter: 42 <nil>\"", out.String(), err)
	}
}

// TestReadmeTypedProgram runs the program with a typed request.
func TestReadmeTypedProgram(t *testing.T) {
	for _, piece := range pieces(t)[1:] {
		if !isProgram(piece) {
			continue
		}
		if lines := strings.Count(piece, "\n"); lines > 30 {
			t.Errorf("count the lines of the typed program: got %d, want 30 at most", lines)
		}
		if out, err := program(t, piece).CombinedOutput(); string(out) != "hello Ada <nil>\n" || err != nil {
			t.Errorf("run the typed program of the README: got %q, %v, want \"hello Ada <nil>\"", out, err)
		}
		return
	}
	t.Error("look for the typed program of the README: found none")
}

func isProgram(piece string) bool { return strings.HasPrefix(piece, "package main") }

// TestReadmeCodeIsCompiled looks for each other piece of Go of the README in this file, which is
// compiled and run.
func TestReadmeCodeIsCompiled(t *testing.T) {
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatalf("read readme_test.go: %v", err)
	}
	compiled := unindented(string(source))
	for _, piece := range pieces(t)[1:] {
		if !isProgram(piece) && !strings.Contains(compiled, unindented(piece)) {
			t.Errorf("look for a piece of the README in readme_test.go: not found, want it there to be compiled:\n%s", piece)
		}
	}
}

// pieces returns the pieces of Go in the README. The first piece is a program. So is each piece that
// begins with a package clause.
func pieces(t *testing.T) (list []string) {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatalf("read the README: %v", err)
	}
	for _, piece := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1) {
		list = append(list, piece[1])
	}
	if len(list) < 4 {
		t.Fatalf("read the README: got %d pieces of Go, want at least 4", len(list))
	}
	return list
}

// unindented removes the white space at the beginning of lines, and empty lines.
func unindented(text string) string {
	return regexp.MustCompile(`(?m)^\s+`).ReplaceAllString(text, "")
}
