//go:build unix

package main

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rxipc/rxipc/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

func TestStoryLosesNoJob(t *testing.T) {
	temp := programtest.Dir(t)
	result := programtest.Start(t, temp).Wait()
	if result.Code != 0 || result.Stderr != "" || len(result.Lines) != 1002 {
		t.Fatalf("run the story: got code %d, %d lines and %q on standard error; want 0, 1002 lines and none", result.Code, len(result.Lines), result.Stderr)
	}
	for _, factored := range []string{"1 = 1", "97 = 97", "360 = 2 x 2 x 2 x 3 x 3 x 5", "1000 = 2 x 2 x 2 x 5 x 5 x 5"} {
		if !slices.Contains(result.Lines, factored) {
			t.Errorf("the story printed no line %q", factored)
		}
	}
	if summary := result.Lines[1000]; !strings.HasPrefix(summary, "1000 of 1000 jobs are done, ") {
		t.Errorf("the last line but one: got %q, want that 1000 of 1000 jobs are done", summary)
	}
	var killed int
	if _, err := fmt.Sscanf(result.Lines[1001], "%d workers were killed", &killed); err != nil || killed < 4 {
		t.Errorf("the last line: got %q, want that at least 4 workers were killed", result.Lines[1001])
	}
	programtest.IsEmpty(t, temp)
}

func TestWorkerEndsWithItsSupervisor(t *testing.T) {
	dir := programtest.Dir(t)
	server := programtest.Start(t, "", "serve", "-dir", dir, "-jobs", "3")
	worker := programtest.Start(t, "", "work", "-dir", dir)
	worker.Wait().Expect(t, 0)
	result := server.Wait()
	lines := slices.Sorted(slices.Values(result.Lines[:min(3, len(result.Lines))]))
	if want := []string{"1 = 1", "2 = 2", "3 = 3"}; result.Code != 0 || !slices.Equal(lines, want) {
		t.Errorf("serve 3 jobs: got code %d and %q, want 0 and first %q in any order", result.Code, result.Lines, want)
	}
}

func TestWorkerThatIsKilledLosesNoJob(t *testing.T) {
	dir := programtest.Dir(t)
	server := programtest.Start(t, "", "serve", "-dir", dir, "-jobs", "300")
	killed := programtest.Start(t, "", "work", "-dir", dir)
	server.Line() // it is at work
	killed.Signal(syscall.SIGKILL)
	killed.Wait()
	programtest.Start(t, "", "work", "-dir", dir).Wait().Expect(t, 0)
	result := server.Wait()
	if n := len(result.Lines); result.Code != 0 || n == 0 || !strings.HasPrefix(result.Lines[n-1], "300 of 300 jobs are done") {
		t.Errorf("serve 300 jobs, kill a worker: got code %d and the lines %q; want 0 and last that 300 of 300 jobs are done", result.Code, result.Lines)
	}
}

func TestUsageErrorsAreExplained(t *testing.T) {
	programtest.Run(t, "serve", "-name", "no/name").ExpectError(t, "'/'")
	for _, args := range [][]string{{"nonsense"}, {"serve", "x"}, {"serve", "-jobs", "x"}, {"work", "x"}} {
		result := programtest.Run(t, args...)
		if result.Code != 2 || len(result.Lines) > 0 || !strings.Contains(strings.ToLower(result.Stderr), "usage") {
			t.Errorf("run with the arguments %q: got %+v, want an error with the reason", args, result)
		}
	}
}
