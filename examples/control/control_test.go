//go:build unix

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rxipc/rxipc/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

func TestStoryControlsADaemon(t *testing.T) {
	temp := programtest.Dir(t)
	programtest.Start(t, temp).Wait().Expect(t, 0,
		"listening",
		"the daemon says hello every 20 ms",
		"from now on the daemon says good bye every 10 ms",
		"the daemon tells a problem: the configuration stays as it is: every: want at least 1",
		"log: good bye",
		"log: good bye",
		"log: good bye",
	)
	programtest.IsEmpty(t, temp)
}

// daemon is a running daemon with a configuration file.
type daemon struct {
	*programtest.Program
	t         *testing.T
	dir, file string
}

func start(t *testing.T, text string) daemon {
	d := daemon{t: t, dir: programtest.Dir(t)}
	d.file = filepath.Join(d.dir, "config.json")
	d.configure(text)
	d.Program = programtest.Start(t, "", "serve", "-dir", d.dir, "-config", d.file)
	d.Await("listening")
	return d
}

func (d daemon) configure(text string) {
	d.t.Helper()
	if err := os.WriteFile(d.file, []byte(text), 0o600); err != nil {
		d.t.Fatalf("write the configuration: %v", err)
	}
}

// answer runs a command and decodes the line that it prints.
func answer[T any](d daemon, command string) (value T) {
	d.t.Helper()
	result := programtest.Run(d.t, command, "-dir", d.dir)
	if result.Code != 0 || len(result.Lines) != 1 || json.Unmarshal([]byte(result.Lines[0]), &value) != nil {
		d.t.Fatalf("run %s: got %+v, want code 0 and a line of JSON", command, result)
	}
	return value
}

func TestDaemonAnswersAndReloads(t *testing.T) {
	d := start(t, `{"greeting": "hello", "every": 3600000}`)
	if got := answer[state](d, "status"); got.PID == 0 || got.Since.IsZero() || got.Config != (config{"hello", 3600000}) {
		t.Errorf("status: got %+v, want a process, its start and the configuration", got)
	}
	changed := config{"good bye", 5}
	d.configure(`{"greeting": "good bye", "every": 5}`)
	if got := answer[config](d, "reload"); got != changed {
		t.Errorf("reload: got %+v, want %+v", got, changed)
	}
	d.configure(`{`)
	programtest.Run(t, "reload", "-dir", d.dir).ExpectError(t, "call reload", "the configuration stays as it is", "unexpected end of JSON input")
	if got := answer[state](d, "status"); got.Config != changed {
		t.Errorf("status after a reload that failed: got %+v, want the configuration %+v", got, changed)
	}
}

func TestTailFollowsTheLog(t *testing.T) {
	d := start(t, `{"greeting": "hello", "every": 2}`)
	first := programtest.Start(t, "", "tail", "-dir", d.dir)
	first.Await("hello")
	second := programtest.Start(t, "", "tail", "-dir", d.dir)
	second.Await("hello")

	d.configure(`{"greeting": "good bye", "every": 2}`)
	answer[config](d, "reload")
	first.Await("good bye")
	second.Await("good bye")

	first.Signal(syscall.SIGINT)
	if result := first.Wait(); result.Code != 130 || result.Stderr != "" {
		t.Errorf("interrupt a tail: got code %d and %q on standard error, want 130 and nothing", result.Code, result.Stderr)
	}
	d.configure(`{"greeting": "hello again", "every": 2}`)
	answer[config](d, "reload")
	second.Await("hello again") // the other tail goes on
	d.Signal(syscall.SIGTERM)
	d.Wait().Expect(t, 143)
	if result := second.Wait(); result.Code != 1 || !strings.Contains(result.Stderr, "tail") {
		t.Errorf("end the daemon of a tail: got code %d and %q on standard error, want 1 and why", result.Code, result.Stderr)
	}
}

func TestTailEndsWhenItsDaemonIsKilled(t *testing.T) {
	d := start(t, `{"greeting": "hello", "every": 2}`)
	follower := programtest.Start(t, "", "tail", "-dir", d.dir)
	follower.Line()
	d.Signal(syscall.SIGKILL)
	if result := follower.Wait(); result.Code != 1 || !strings.Contains(result.Stderr, "the server is gone") {
		t.Errorf("kill the daemon of a tail: got code %d and %q on standard error, want 1 and that the server is gone", result.Code, result.Stderr)
	}
}

func TestCommandsFailAtOnceWithoutDaemon(t *testing.T) {
	dir := programtest.Dir(t)
	for _, command := range []string{"status", "reload", "tail"} {
		programtest.Run(t, command, "-dir", dir).ExpectError(t, "control", "nobody listens")
	}
}

func TestSecondDaemonIsRefused(t *testing.T) {
	d := start(t, `{"greeting": "hello", "every": 2}`)
	programtest.Run(t, "serve", "-dir", d.dir, "-config", d.file).ExpectError(t, "listen control", "name already in use")
}

func TestUsageErrorsAreExplained(t *testing.T) {
	dir := programtest.Dir(t)
	programtest.Run(t, "serve", "-dir", dir, "-config", filepath.Join(dir, "none")).ExpectError(t, "no such file")
	for _, args := range [][]string{{"nonsense"}, {"serve"}, {"status", "x"}, {"tail", "-config", "x"}} {
		result := programtest.Run(t, args...)
		if result.Code != 2 || len(result.Lines) > 0 || !strings.Contains(result.Stderr, "usage") {
			t.Errorf("run with the arguments %q: got %+v, want the usage", args, result)
		}
	}
}
