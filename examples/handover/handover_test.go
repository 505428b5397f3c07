//go:build unix

package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/rxipc/rxipc/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

func TestStoryHandsOver(t *testing.T) {
	temp := programtest.Dir(t)
	result := programtest.Start(t, temp).Wait()
	if result.Code != 0 || result.Stderr != "" || len(result.Lines) != 6 {
		t.Fatalf("run the story: got %+v, want code 0 and 6 lines", result)
	}
	var first, second int
	fmt.Sscanf(result.Lines[0], "%d listens", &first)
	fmt.Sscanf(result.Lines[1], "%d listens", &second)
	for i, want := range []string{
		fmt.Sprint(first, " listens"),
		fmt.Sprint(second, " listens"),
		fmt.Sprint("one client is still answered by ", first, " and new ones by ", second),
		fmt.Sprint(first, " ends, requests answered: "),
		"the first server has ended by itself",
		fmt.Sprint(second, " ends, requests answered: 1"),
	} {
		if !strings.HasPrefix(result.Lines[i], want) || first == second {
			t.Errorf("run the story: line %d is %q, want %q", i, result.Lines[i], want)
		}
	}
	programtest.IsEmpty(t, temp)
}

func TestServerAnswers(t *testing.T) {
	dir := programtest.Dir(t)
	server := programtest.Start(t, "", "serve", "-dir", dir)
	server.Line()
	programtest.Run(t, "serve", "-dir", dir).ExpectError(t, "name already in use")
	if result := programtest.Run(t, "ask", "-dir", dir); result.Code != 0 || !strings.HasPrefix(result.Lines[0], "answered by ") {
		t.Errorf("run ask: got %+v, want code 0 and an answer", result)
	}
	server.Signal(syscall.SIGTERM)
	if result := server.Wait(); result.Code != 143 {
		t.Errorf("end the server with SIGTERM: got %+v, want code 143", result)
	}
}

func TestUsageErrorsAreExplained(t *testing.T) {
	for _, args := range [][]string{{"nonsense"}, {"serve", "x"}, {"ask", "x"}} {
		result := programtest.Run(t, args...)
		if result.Code != 2 || len(result.Lines) > 0 || !strings.Contains(result.Stderr, "usage") {
			t.Errorf("run with the arguments %q: got %+v, want the usage", args, result)
		}
	}
}
