//go:build unix

package nats_test

import (
	"context"
	"encoding/json"
	"fmt"
	"go/format"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/rxipc/rxipc/socket/nats/broker"
)

const machinesPage = "../../docs/machines.md"

var block = regexp.MustCompile("(?ms)^```(go|diff)\n(.*?)^```$")

// machinesPrograms are the programs of the page's steps: the first one is a block of Go, and a diff
// makes each other of the one before.
func machinesPrograms(t *testing.T) (programs []string) {
	t.Helper()
	page, err := os.ReadFile(machinesPage)
	if err != nil {
		t.Fatalf("read the page: %v", err)
	}
	for i, found := range block.FindAllStringSubmatch(string(page), -1) {
		if (found[1] == "go") != (i == 0) {
			t.Fatalf("block %d of %s: got %s, want one block of Go and then diffs", i+1, machinesPage, found[1])
		}
		if i > 0 {
			found[2] = patched(t, programs[i-1], found[2])
		}
		if formatted, err := format.Source([]byte(found[2])); err != nil || string(formatted) != found[2] {
			t.Errorf("format program %d of %s: got another text, %v, want it formatted", i+1, machinesPage, err)
		}
		programs = append(programs, found[2])
	}
	if len(programs) != 4 {
		t.Fatalf("programs of %s: got %d, want 4", machinesPage, len(programs))
	}
	return programs
}

// patched applies a diff, whose hunks are separated by lines with @@. What a hunk shows must be in
// the program once.
func patched(t *testing.T, program, diff string) string {
	t.Helper()
	for hunk := range strings.SplitSeq(diff, "@@\n") {
		var before, after strings.Builder
		for line := range strings.Lines(hunk) {
			sign, rest := line[0], line[1:]
			if line == "\n" { // context, without the space in front of it
				sign, rest = ' ', line
			}
			if sign != '+' {
				before.WriteString(rest)
			}
			if sign != '-' {
				after.WriteString(rest)
			}
		}
		if n := strings.Count(program, before.String()); n != 1 {
			t.Fatalf("apply a diff of %s: found %d times, want once:\n%s", machinesPage, n, &before)
		}
		program = strings.Replace(program, before.String(), after.String(), 1)
	}
	return program
}

// buildMachines builds the programs, which the compiler finds in an overlay.
func buildMachines(t *testing.T, programs []string) (binaries []string) {
	t.Helper()
	dir := t.TempDir()
	root, err := os.Getwd()
	if err != nil {
		t.Fatalf("find the working folder: %v", err)
	}
	args := []string{"build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", dir}
	files := map[string]string{}
	for i, program := range programs {
		step := fmt.Sprint("step", i+1)
		source := filepath.Join(dir, step+".go")
		files[filepath.Join(root, "machinesdoc", step, "main.go")] = source
		if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
			t.Fatalf("write a program: %v", err)
		}
		args = append(args, "./machinesdoc/"+step)
		binaries = append(binaries, filepath.Join(dir, step))
	}
	overlay, err := json.Marshal(map[string]any{"Replace": files})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600)
	}
	if err != nil {
		t.Fatalf("write the overlay: %v", err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("compile the programs of %s: %v\n%s", machinesPage, err, out)
	}
	return binaries
}

// steps runs the programs of the page.
type steps struct {
	*testing.T
	binaries []string
	ctx      context.Context
	folder   string // of the unix sockets
}

// command returns the program of a step.
func (s steps) command(step int, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(s.ctx, s.binaries[step-1], args...)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+s.folder)
	cmd.Stderr = os.Stderr
	return cmd
}

// started is a server whose output is read.
type started struct {
	*exec.Cmd
	out io.Reader
}

func (s steps) serve(step int, args ...string) started {
	s.Helper()
	cmd := s.command(step, append([]string{"serve"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.Fatalf("start the server of step %d: %v", step, err)
	}
	return started{cmd, out}
}

// send runs a client, which waits until the server listens.
func (s steps) send(step int, args ...string) {
	s.Helper()
	if err := s.command(step, append([]string{"send"}, args...)...).Run(); err != nil {
		s.Fatalf("run a client of step %d: %v", step, err)
	}
}

// counts checks the output of a server that ends.
func (s steps) counts(step int, server started) {
	s.Helper()
	out, err := io.ReadAll(server.out)
	if ended := server.Wait(); err != nil || ended != nil || string(out) != "counter: 42\n" {
		s.Errorf("server of step %d: got %q, %v, %v, want counter: 42", step, out, err, ended)
	}
}

// Each program on the page about machines counts to 42, the last one across a kill.
func TestMachinesPageRuns(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	folder, err := os.MkdirTemp("", "rxipc") // short, since the paths of sockets are
	if err != nil {
		t.Fatalf("make a folder for the sockets: %v", err)
	}
	defer os.RemoveAll(folder)
	s := steps{t, buildMachines(t, machinesPrograms(t)), ctx, folder}

	if out, err := s.command(1).Output(); err != nil || string(out) != "counter: 42\n" {
		t.Errorf("program of step 1: got %q, %v, want counter: 42", out, err)
	}

	process := s.serve(2)
	s.send(2)
	s.send(2)
	s.counts(2, process)

	b, err := broker.Start(t.TempDir(), onLoopback, func(o *server.Options) { o.NoLog = true })
	if err != nil {
		t.Fatalf("start a broker: %v", err)
	}
	defer b.Close()
	url := b.Server().ClientURL()
	process = s.serve(3, url)
	s.send(3, url)
	s.send(3, url)
	s.counts(3, process)

	process = s.serve(4, url)
	s.send(4, url)
	process.Process.Kill() // kill -9
	process.Wait()
	process = s.serve(4, url)
	s.send(4, url)
	s.counts(4, process)
}
