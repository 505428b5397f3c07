//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rxipc/rxipc/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

const hello = "server responded hello world"

// forever is a number of messages that a client cannot send within the test.
const forever = "1000000000"

func TestStoryCountsItsClients(t *testing.T) {
	temp := programtest.Dir(t)
	result := programtest.Start(t, temp).Wait()
	lines := slices.DeleteFunc(result.Lines, func(line string) bool { return line == "listening on a" })
	if len(result.Lines) != len(lines)+1 {
		t.Errorf("run the story: got the lines %q, want \"listening on a\" once", result.Lines)
	}
	result.Lines = lines
	result.Expect(t, 0, append(slices.Repeat([]string{hello}, 42), "counter: 42")...)
	programtest.IsEmpty(t, temp)

	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatalf("read the README: %v", err)
	}
	if shown := "```text\nlistening on a\n" + hello + "\n…\n" + lines[len(lines)-1] + "\n```"; !strings.Contains(string(readme), shown) {
		t.Errorf("look for the output of the story in the README: got nothing, want\n%s", shown)
	}
}

func TestStoryEndsAfterAnInterrupt(t *testing.T) {
	for name, send := range map[string]func(*programtest.Program, syscall.Signal){
		"of the program": func(p *programtest.Program, s syscall.Signal) { p.Signal(s) },
		"by a terminal":  (*programtest.Program).SignalAll,
	} {
		for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			t.Run(fmt.Sprint(signal, " ", name), func(t *testing.T) {
				temp := programtest.Dir(t)
				story := programtest.Start(t, temp)
				story.Await("listening on a")
				send(story, signal)
				result := story.Wait() // waits for all processes
				printed := slices.IndexFunc(result.Lines, func(line string) bool { return strings.HasPrefix(line, "counter: ") })
				switch {
				case printed < 0:
					t.Errorf("interrupt the story: got %+v, want the server's count", result)
				case result.Code == 128+int(signal) && result.Stderr == "":
				case result.Code == 0 && result.Lines[printed] == "counter: 42": // the signal came too late
				default:
					t.Errorf("interrupt the story: got %+v, want the code of the signal and no error", result)
				}
				programtest.IsEmpty(t, temp)
			})
		}
	}
}

func TestServerAnswersAndCounts(t *testing.T) {
	for _, dialect := range []string{"4", "5"} {
		t.Run("dialect "+dialect, func(t *testing.T) {
			dir := programtest.Dir(t)
			server := serving(t, dir, "-dialect", dialect, "-until", "4", "-name", "other")
			programtest.Run(t, "send", "-dir", dir, "-timeout", "1m", "-name", "other", "hello world").Expect(t, 0, hello)
			programtest.Run(t, "send", "-dir", dir, "-timeout", "1m", "-name", "other", "-n", "3", "-type", "application/json", `{"a":1}`).
				Expect(t, 0, slices.Repeat([]string{`server responded {"a":1}`}, 3)...)
			server.Wait().Expect(t, 0, "counter: 4")
			hasNoSocket(t, dir, "other")
		})
	}
}

func TestClientWaitsForItsServer(t *testing.T) {
	dir := programtest.Dir(t)
	client := programtest.Start(t, "", "send", "-dir", dir, "-timeout", "1m", "hello world")
	server := programtest.Start(t, "", "serve", "-dir", dir, "-until", "1")
	client.Wait().Expect(t, 0, hello)
	server.Wait().Expect(t, 0, "listening on a", "counter: 1")
}

func TestSendWithoutServerGivesUp(t *testing.T) {
	dir := programtest.Dir(t)
	programtest.Run(t, "send", "-dir", dir, "-timeout", "50ms", "hello world").
		ExpectError(t, "connect a", "deadline exceeded", "nobody listens")
}

func TestServerPrintsItsCountAfterASignal(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			dir := programtest.Dir(t)
			server := serving(t, dir)
			programtest.Run(t, "send", "-dir", dir, "-timeout", "1m", "-n", "2", "hello world").Expect(t, 0, hello, hello)
			server.Signal(signal)
			server.Wait().Expect(t, 128+int(signal), "counter: 2")
			hasNoSocket(t, dir, "a")
		})
	}
}

func TestServerWithStdinEndsWithItsInputOnly(t *testing.T) {
	dir := programtest.Dir(t)
	server := serving(t, dir, "-stdin")
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		server.Signal(signal)
		programtest.Run(t, "send", "-dir", dir, "-timeout", "1m", "hello world").Expect(t, 0, hello)
	}
	server.EndInput()
	server.Wait().Expect(t, 0, "counter: 3")
	hasNoSocket(t, dir, "a")
}

func TestServerUnderLoadCountsEveryAcknowledgedMessageAfterASignal(t *testing.T) {
	dir := programtest.Dir(t)
	server := serving(t, dir)
	client := programtest.Start(t, "", "send", "-dir", dir, "-timeout", "1m", "-n", forever, "hello world")
	client.Await(hello)
	server.Signal(syscall.SIGTERM)
	served, sent := server.Wait(), client.Wait()
	if sent.Code != 1 || !strings.Contains(sent.Stderr, "the server closed the connection") {
		t.Errorf("end the client: got code %d and the error text %q", sent.Code, sent.Stderr)
	}
	answered := 1 + len(sent.Lines)
	if served.Code != 143 || !slices.Equal(served.Lines, countOneOf(served, answered, answered+1)) {
		t.Errorf("end the server: got %+v, want a count of at least the %d answered messages", served, answered)
	}
}

func TestClientEndsWhenItsServerIsKilled(t *testing.T) {
	dir := programtest.Dir(t)
	server := serving(t, dir)
	client := programtest.Start(t, "", "send", "-dir", dir, "-timeout", "1m", "-n", forever, "hello world")
	client.Await(hello)
	server.Signal(syscall.SIGSTOP) // so that the client waits for an answer
	server.Signal(syscall.SIGKILL)
	result := client.Wait()
	if result.Code != 1 || !strings.Contains(result.Stderr, "the server is gone") {
		t.Errorf("end the client: got code %d and the error text %q", result.Code, result.Stderr)
	}
	if result := server.Wait(); result.Code != -1 {
		t.Errorf("kill the server: got %+v, want the code of SIGKILL", result)
	}
}

func TestServerRestartsAfterItWasKilled(t *testing.T) {
	dir := programtest.Dir(t)
	server := serving(t, dir)
	server.Signal(syscall.SIGKILL)
	server.Wait()
	if _, err := os.Lstat(filepath.Join(dir, "a.sock")); err != nil {
		t.Fatalf("kill the server: got %v, want its socket left behind", err)
	}
	client := programtest.Start(t, "", "send", "-dir", dir, "-timeout", "1m", "hello world")
	server = serving(t, dir, "-until", "1")
	client.Wait().Expect(t, 0, hello)
	server.Wait().Expect(t, 0, "counter: 1")
}

func TestServerGoesOnAfterAClientWasKilled(t *testing.T) {
	for _, dialect := range []string{"4", "5"} {
		t.Run("dialect "+dialect, func(t *testing.T) {
			dir := programtest.Dir(t)
			server := serving(t, dir, "-dialect", dialect)
			beside := programtest.Start(t, "", "send", "-dir", dir, "-timeout", "1m", "-n", "200", "hello world")
			beside.Await(hello)
			killed := programtest.Start(t, "", "send", "-dir", dir, "-timeout", "1m", "-n", forever, "hello world")
			killed.Await(hello)
			killed.Signal(syscall.SIGSTOP)
			programtest.Run(t, "send", "-dir", dir, "-timeout", "1m", "-n", "3", "hello world").Expect(t, 0, hello, hello, hello)
			killed.Signal(syscall.SIGKILL)
			answered := 1 + len(killed.Wait().Lines)
			programtest.Run(t, "send", "-dir", dir, "-timeout", "1m", "hello world").Expect(t, 0, hello)
			beside.Wait().Expect(t, 0, slices.Repeat([]string{hello}, 199)...)

			server.Signal(syscall.SIGTERM)
			served := server.Wait() // a message in flight of the killed client may count or not
			served.Expect(t, 143, countOneOf(served, answered+204, answered+205)...)
		})
	}
}

func TestSecondServerOfANameIsRefused(t *testing.T) {
	dir := programtest.Dir(t)
	server := serving(t, dir, "-until", "1")
	programtest.Run(t, "serve", "-dir", dir).ExpectError(t, "listen a", "name already in use")
	programtest.Run(t, "send", "-dir", dir, "-timeout", "1m", "hello world").Expect(t, 0, hello)
	server.Wait().Expect(t, 0, "counter: 1")
}

func TestUsageErrorsAreExplained(t *testing.T) {
	dir := programtest.Dir(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"serve", "-name", "no/name"}, "'/'"},
		{[]string{"serve", "-dialect", "6"}, `"6"`},
		{[]string{"serve", "-dir", filepath.Join(dir, strings.Repeat("long", 40))}, "the system allows"},
		{[]string{"send", "-name", "", "x"}, "name is empty"},
		{[]string{"send", "-type", "text", "x"}, "media type"},
	} {
		programtest.Run(t, c.args...).ExpectError(t, c.want)
	}
	for _, args := range [][]string{
		{"nonsense"}, {"serve", "x"}, {"serve", "-until", "x"}, {"serve", "-x"},
		{"send"}, {"send", "x", "y"}, {"send", "-n", "0", "x"}, {"send", "-timeout", "5", "x"},
	} {
		result := programtest.Run(t, args...)
		if result.Code != 2 || len(result.Lines) > 0 || !strings.Contains(strings.ToLower(result.Stderr), "usage") {
			t.Errorf("run with the arguments %q: got %+v, want an error with the reason", args, result)
		}
	}
}

// serving starts a server and waits until it listens.
func serving(t *testing.T, dir string, args ...string) *programtest.Program {
	t.Helper()
	server := programtest.Start(t, "", append([]string{"serve", "-dir", dir, "-until", "0"}, args...)...)
	if line := server.Line(); !strings.HasPrefix(line, "listening on ") {
		t.Fatalf("start a server: got the line %q, want \"listening on …\"", line)
	}
	return server
}

// countOneOf returns the expected output with the count that the server printed, if that is one
// of the given counts, else with the first.
func countOneOf(served programtest.Result, counts ...int) []string {
	for _, count := range counts {
		if line := fmt.Sprint("counter: ", count); slices.Contains(served.Lines, line) {
			return []string{line}
		}
	}
	return []string{fmt.Sprint("counter: ", counts[0])}
}

func hasNoSocket(t *testing.T, dir, name string) {
	t.Helper()
	if _, err := os.Lstat(filepath.Join(dir, name+".sock")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("look for the socket of %s: got %v, want fs.ErrNotExist", name, err)
	}
}
