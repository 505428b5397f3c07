package streamtest

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestCheckOfWhatNeverEnds runs Check in a process of its own: what stands still for
// ever cannot be ended, and would stay.
func TestCheckOfWhatNeverEnds(t *testing.T) {
	const child = "STREAMTEST_NEVER_ENDS"
	if os.Getenv(child) != "" {
		Check(t, func(context.Context, func(int) bool) error { select {} }, nil)
		return
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCheckOfWhatNeverEnds$", "-test.v")
	command.Env = append(os.Environ(), child+"=1")
	output, err := command.CombinedOutput()
	if err == nil {
		t.Error("a check of an observable that never ends passed, want a failure")
	}
	for _, want := range []string{
		"--- FAIL: TestCheckOfWhatNeverEnds/values_and_end",
		"the run does not end",
		"the bubble cannot end: deadlock",
	} {
		if !strings.Contains(string(output), want) {
			t.Errorf("a check of an observable that never ends said\n%s\nwant %q in it", output, want)
		}
	}
}
