package rxipc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// samplesFolder is where the compiler finds the samples of the pages. It exists in an overlay only.
const samplesFolder = "internal/samples"

// TestSamples compiles all code of the pages into one program, runs what prints something, and
// compares. The programs of a page run at the same time and can talk to each other. Those without
// an output are ended after the others.
func TestSamples(t *testing.T) {
	t.Parallel()
	list := samples(t)
	binary := buildSamples(t, list)
	t.Run("tests", func(t *testing.T) {
		t.Parallel()
		out, err := exec.CommandContext(t.Context(), binary).CombinedOutput()
		if err != nil || strings.Contains(string(out), "no tests to run") {
			t.Errorf("run the tests of the pages: got %v, want tests and no error\n%s", err, out)
		}
	})
	programs := map[string][]int{}
	for i, s := range list {
		if s.runs() {
			programs[s.page] = append(programs[s.page], i)
		}
	}
	for _, page := range slices.Sorted(maps.Keys(programs)) {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			runPage(t, binary, list, programs[page])
		})
	}
}

// runPage runs the programs of a page and compares what they print.
func runPage(t *testing.T, binary string, list []sample, programs []int) {
	dir, err := os.MkdirTemp("", "rxipc") // short, since the paths of sockets are
	if err != nil {
		t.Fatalf("make a folder for the sockets of a page: %v", err)
	}
	defer os.RemoveAll(dir)
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	var printing, others sync.WaitGroup
	defer others.Wait()
	defer stop()
	for _, i := range programs {
		program := exec.CommandContext(ctx, binary)
		program.Dir = dir
		program.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir, fmt.Sprint("SAMPLE=", i))
		if !list[i].printed {
			others.Go(func() { program.Run() })
			continue
		}
		printing.Go(func() {
			var stderr strings.Builder
			program.Stderr = &stderr
			out, err := program.Output()
			if err != nil || string(out) != list[i].output {
				t.Errorf("run the program at %v: got %v and the output\n%swant\n%sstandard error:\n%s", list[i], err, out, list[i].output, &stderr)
			}
		})
	}
	printing.Wait()
}

// buildSamples builds a program with all samples. The variable SAMPLE of its environment says which
// one it runs; without it, it runs the tests.
func buildSamples(t *testing.T, list []sample) (binary string) {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatalf("find the working folder: %v", err)
	}
	dir := t.TempDir()
	files := map[string]string{} // of the overlay
	add := func(name, content string) {
		file := filepath.Join(dir, fmt.Sprint(len(files), ".go"))
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatalf("write a sample: %v", err)
		}
		files[filepath.Join(root, samplesFolder, name)] = file
	}
	var imports, programs strings.Builder
	for i, s := range list {
		pkg := fmt.Sprint("s", i)
		switch {
		case s.isTest():
			add(pkg+"_test.go", s.source(root, "samples"))
		case s.isStatements():
			pkg = "statements"
			add(fmt.Sprintf("%s/s%d.go", pkg, i), s.source(root, pkg))
			if s.printed {
				fmt.Fprintf(&programs, "%q: func() {\n\tif err := statements.%s(); err != nil {\n\t\tpanic(err)\n\t}\n},\n", fmt.Sprint(i), s.function())
			}
		case s.pkg() != "" && !s.isProgram():
			add(s.pkg()+"/sample.go", s.source(root, s.pkg()))
			fmt.Fprintf(&imports, "import _ %q\n", module+"/"+samplesFolder+"/"+s.pkg())
		default:
			add(pkg+"/sample.go", s.source(root, pkg))
			if s.isProgram() {
				fmt.Fprintf(&imports, "import %q\n", module+"/"+samplesFolder+"/"+pkg)
				fmt.Fprintf(&programs, "%q: %s.Main,\n", fmt.Sprint(i), pkg)
				continue
			}
			fmt.Fprintf(&imports, "import _ %q\n", module+"/"+samplesFolder+"/"+pkg)
		}
	}
	add("statements/prelude.go", "package statements\n\nimport \"context\"\nimport \""+module+"/socket\"\n"+samplePrelude)
	add("samples.go", "package samples\n")
	add("main_test.go", "package samples\n\nimport \"os\"\nimport \"testing\"\nimport \""+module+"/"+samplesFolder+"/statements\"\n"+
		imports.String()+"\nvar programs = map[string]func(){\n"+programs.String()+"}\n\n"+
		"func TestMain(m *testing.M) {\n\tif run := programs[os.Getenv(\"SAMPLE\")]; run != nil {\n\t\trun()\n\t\treturn\n\t}\n\tos.Exit(m.Run())\n}\n")
	overlay, err := json.Marshal(map[string]any{"Replace": files})
	if err != nil {
		t.Fatalf("encode the overlay: %v", err)
	}
	overlayFile := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		t.Fatalf("write the overlay: %v", err)
	}
	binary = filepath.Join(dir, "samples.exe")
	build := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlayFile, "-o", binary, "./"+samplesFolder)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("compile the code of the pages: %v\n%s", err, out)
	}
	return binary
}
