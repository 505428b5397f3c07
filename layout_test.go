package rxipc_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/rxipc/rxipc"

// floors maps each package to the packages of this module that it may import. A package imports
// only floors below it, never one above. A package in a folder follows its longest entry.
var floors = map[string][]string{
	"internal":          {}, // used by several of the others
	"fold":              {},
	"stream":            {"stream/stages", "fold"},
	"stream/stages":     {},
	"stream/streamtest": {"stream"},
	"stream/rx":         {"stream"},
	"stream/internal":   {},
	"stream/text":       {"stream", "stream/internal/lines"},
	"stream/system":     {"stream/text", "stream", "stream/internal/lines", "internal/folderwatch", "internal/subprocess"},
	"operators":         {"stream", "stream/stages", "fold"},
	"stream/web":        {"operators", "stream", "fold"},
	"socket":            {"operators", "stream", "fold"},
	"socket/systemd":    {},

	// The rooms of socket, which may import all of them. None of them imports socket.
	"socket/internal":          {},
	"socket/internal/wire":     {},
	"socket/internal/fifo":     {},
	"socket/internal/park":     {},
	"socket/internal/answers":  {"socket/internal/wire"},
	"socket/internal/framed":   {"socket/internal/park", "socket/internal/wire"},
	"socket/internal/probe":    {"socket/internal/wire"},
	"socket/internal/unixsock": {"socket/internal/probe", "socket/internal/wire", "socket/systemd", "operators", "stream", "fold", "internal/folderwatch", "internal/subprocess"},

	"socket/sender":              {"socket", "socket/internal/fifo", "socket/internal/unixsock", "operators", "stream", "fold"},
	"socket/pubsub":              {"socket", "socket/internal/fifo", "operators", "stream", "fold"},
	"socket/rpc":                 {"socket", "operators", "stream", "fold"},
	"socket/rpc/internal/schema": {},

	"socket/child": {"socket", "fold", "socket/systemd", "stream/system", "internal/subprocess"},
	"socket/queue": {"socket", "operators", "stream"},

	"socket/tcp":                  {"socket"},
	"socket/internal/testcert":    {},
	"socket/internal/transcripts": {},

	"socket/recording":  {"socket", "socket/internal/wire", "stream"},
	"socket/sockettest": {"socket/recording", "socket", "socket/internal/wire", "operators", "stream/streamtest", "stream", "fold"},
	"examples":          {"socket/rpc", "socket/queue", "socket", "stream/system", "operators", "stream", "fold"},
}

func TestPackagesImportOnlyFloorsBelow(t *testing.T) {
	for _, pkg := range packages(t) {
		floor := floorOf(pkg.ImportPath)
		if floor == "" || floor == "socket/internal" {
			t.Errorf("package %s has no floor: add one to floors and to docs/packages.md", pkg.ImportPath)
			continue
		}
		for _, path := range pkg.Imports {
			below, ours := strings.CutPrefix(path, module+"/")
			if ours && !allowed(floor, below) {
				t.Errorf("package %s imports %s, want only packages of the floors below it", pkg.ImportPath, path)
			}
		}
	}
}

func TestPackagesDependOnFewModules(t *testing.T) {
	for _, pkg := range packages(t) {
		for _, path := range pkg.Imports {
			first, _, _ := strings.Cut(path, "/")
			ours := strings.HasPrefix(path, module)
			if !strings.Contains(first, ".") || ours { // paths of the standard library have no dot
				continue
			}
			testing := strings.HasSuffix(pkg.ImportPath, "test")
			bridge := pkg.ImportPath == module+"/stream/rx"
			switch {
			case strings.HasPrefix(path, "github.com/reactivex/rxgo/") && bridge: // only there, because it depends on testify and more
			case strings.HasPrefix(path, "golang.org/x/sys/"):
			case strings.HasPrefix(path, "github.com/google/go-cmp/") && testing:
			default:
				t.Errorf("package %s imports %s, want only the standard library and the allowed modules", pkg.ImportPath, path)
			}
		}
	}
}

// floorOf returns the longest entry of floors that contains a package.
func floorOf(path string) (floor string) {
	path = strings.TrimPrefix(path, module+"/")
	for entry := range floors {
		if (path == entry || strings.HasPrefix(path, entry+"/")) && len(entry) > len(floor) {
			floor = entry
		}
	}
	return floor
}

// allowed reports whether a package on a floor may import the one at path: the same folder
// and its subfolders, and the floors below.
func allowed(floor, path string) bool {
	if path == floor || strings.HasPrefix(path, floor+"/") {
		return true
	}
	for _, below := range floors[floor] {
		if path == below {
			return true
		}
	}
	return false
}

type goPackage struct {
	Dir        string
	ImportPath string
	Imports    []string
	GoFiles    []string // without tests, for this system
}

// packages lists the packages of the module, without their tests.
func packages(t *testing.T) []goPackage {
	t.Helper()
	list, err := listPackages()
	if err != nil {
		t.Fatalf("list the packages: %v", err)
	}
	return list
}

var listPackages = sync.OnceValues(func() (list []goPackage, err error) {
	out, err := exec.Command("go", "list", "-json=Dir,ImportPath,Imports,GoFiles", "./internal/...", "./fold/...", "./stream/...",
		"./operators/...", "./socket/...", "./examples/...").Output()
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var pkg goPackage
		if err := decoder.Decode(&pkg); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, pkg)
	}
})
