//go:build unix

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rxipc/rxipc/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

func TestStoryEndsWithTheTable(t *testing.T) {
	temp := programtest.Dir(t)
	story := programtest.Start(t, temp)
	story.Await("29 words, 12 different")
	story.Wait().Expect(t, 0,
		"   3  a",
		"   1  if",
		"   1  is",
		"   3  of",
		"   4  peck",
		"   3  peppers",
		"   3  peter",
		"   3  picked",
		"   3  pickled",
		"   3  piper",
		"   1  the",
		"   1  where",
	)
	programtest.IsEmpty(t, temp)
}

func TestServerPrintsTheTableAfterASignal(t *testing.T) {
	dir := programtest.Dir(t)
	server := programtest.Start(t, "", "serve", "-dir", dir)
	server.Await("listening on words")
	programtest.Run(t, "send", "-dir", dir, "To be, or not to be:", "that is the question.").Expect(t, 0)
	programtest.Run(t, "send", "-dir", dir, "to be").Expect(t, 0)
	server.Signal(syscall.SIGTERM)
	server.Wait().Expect(t, 143,
		"6 words, 4 different",
		"10 words, 8 different",
		"12 words, 8 different",
		"   3  be",
		"   1  is",
		"   1  not",
		"   1  or",
		"   1  question",
		"   1  that",
		"   1  the",
		"   3  to",
	)
	if left, _ := filepath.Glob(filepath.Join(dir, "*.sock")); len(left) > 0 {
		t.Errorf("list the folder: got %q, want it empty", left)
	}
}

func TestServerEndsAtItsLimitWhileAClientIsConnected(t *testing.T) {
	dir := programtest.Dir(t)
	server := programtest.Start(t, "", "serve", "-dir", dir, "-until", "3")
	server.Await("listening on words")
	stays := programtest.Start(t, "", append([]string{"send", "-dir", dir, "-timeout", "1m", "one"}, slices.Repeat([]string{"."}, 10_000)...)...)
	server.Await("1 words, 1 different")
	programtest.Run(t, "send", "-dir", dir, "two three").Expect(t, 0)
	result := server.Wait()
	if n := len(result.Lines); result.Code != 0 || n < 3 || !slices.Equal(result.Lines[n-3:], []string{"   1  one", "   1  three", "   1  two"}) {
		t.Errorf("end the server at 3 words: got %+v, want code 0 and the table of one, two and three", result)
	}
	stays.Wait() // fails if the server closed its connection before its last message
}

func TestServerGoesOnAfterClientsWereStoppedAndKilled(t *testing.T) {
	dir := programtest.Dir(t)
	server := programtest.Start(t, "", "serve", "-dir", dir)
	server.Await("listening on words")
	killed := programtest.Start(t, "", append([]string{"send", "-dir", dir, "-timeout", "1m", "first"}, slices.Repeat([]string{"again"}, 10_000)...)...)
	server.Await("2 words, 2 different")
	killed.Signal(syscall.SIGSTOP)
	programtest.Run(t, "send", "-dir", dir, "meanwhile").Expect(t, 0)
	killed.Signal(syscall.SIGKILL)
	killed.Wait()
	programtest.Run(t, "send", "-dir", dir, "afterwards").Expect(t, 0)
	server.Signal(syscall.SIGTERM)
	table := strings.Join(server.Wait().Lines, "\n") + "\n"
	for _, line := range []string{"   1  first\n", "   1  meanwhile\n", "   1  afterwards\n"} {
		if !strings.Contains(table, line) {
			t.Errorf("end the server: got no line %q in\n%s", line, table)
		}
	}
}

func TestErrorsOfASecondServerAndAMissingServer(t *testing.T) {
	dir := programtest.Dir(t)
	programtest.Run(t, "send", "-dir", dir, "-timeout", "50ms", "x").ExpectError(t, "nobody listens")
	server := programtest.Start(t, "", "serve", "-dir", dir)
	server.Await("listening on words")
	programtest.Run(t, "serve", "-dir", dir).ExpectError(t, "listen words", "name already in use")
	server.Signal(os.Interrupt)
	server.Wait().Expect(t, 130)
}

func TestUsageErrorsAreExplained(t *testing.T) {
	programtest.Run(t, "serve", "-name", "no/name").ExpectError(t, "'/'")
	for _, args := range [][]string{{"nonsense"}, {"serve", "x"}, {"serve", "-until", "x"}, {"send"}} {
		result := programtest.Run(t, args...)
		if result.Code != 2 || len(result.Lines) > 0 || !strings.Contains(strings.ToLower(result.Stderr), "usage") {
			t.Errorf("run with the arguments %q: got %+v, want an error with the reason", args, result)
		}
	}
}
