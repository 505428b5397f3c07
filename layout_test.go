package rxipc_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/rxipc/rxipc"

// floors says which packages of ours each may import; a package stands on the floors
// below it, never on one above. What is under a folder follows its longest entry.
var floors = map[string][]string{
	"internal":          {}, // what several of the others use
	"fold":              {},
	"stream":            {"fold"},
	"stream/streamtest": {"stream"},
	"stream/rx":         {"stream"},
	"stream/internal":   {},
	"stream/text":       {"stream", "stream/internal/lines"},
	"stream/system":     {"stream/text", "stream", "stream/internal/lines", "internal/folderwatch"},
	"operators":         {"stream", "fold"},
	"stream/web":        {"operators", "stream", "fold"},
	"socket":            {"operators", "stream", "fold"},
	"socket/systemd":    {},

	// The rooms of socket, which may import all of them. None of them imports socket.
	"socket/internal":          {},
	"socket/internal/wire":     {},
	"socket/internal/park":     {},
	"socket/internal/framed":   {"socket/internal/park", "socket/internal/wire"},
	"socket/internal/probe":    {"socket/internal/wire"},
	"socket/internal/unixsock": {"socket/internal/probe", "socket/internal/wire", "socket/systemd", "operators", "stream", "fold", "internal/folderwatch"},

	"socket/sockettest": {"socket", "operators", "stream/streamtest", "stream", "fold"},
	"examples":          {"socket", "stream/system", "operators", "stream", "fold"},
}

func TestPackagesImportOnlyFloorsBelow(t *testing.T) {
	for _, pkg := range packages(t) {
		floor := floorOf(pkg.ImportPath)
		if floor == "" || floor == "socket/internal" {
			t.Errorf("%s stands on no floor: give it one in this test, and in the README", pkg.ImportPath)
			continue
		}
		for _, path := range pkg.Imports {
			below, ours := strings.CutPrefix(path, module+"/")
			if ours && !allowed(floor, below) {
				t.Errorf("%s imports %s, which is not below it", pkg.ImportPath, path)
			}
		}
	}
}

func TestTheLibraryDependsOnLittle(t *testing.T) {
	for _, pkg := range packages(t) {
		for _, path := range pkg.Imports {
			first, _, _ := strings.Cut(path, "/")
			ours := strings.HasPrefix(path, module)
			if !strings.Contains(first, ".") || ours { // the standard library's have no dot
				continue
			}
			testing := strings.HasSuffix(pkg.ImportPath, "test")
			bridge := pkg.ImportPath == module+"/stream/rx"
			switch {
			case strings.HasPrefix(path, "github.com/reactivex/rxgo/") && bridge: // there alone: it pulls in testify and more
			case strings.HasPrefix(path, "golang.org/x/sys/"):
			case strings.HasPrefix(path, "github.com/google/go-cmp/") && testing:
			default:
				t.Errorf("%s imports %s", pkg.ImportPath, path)
			}
		}
	}
}

// floorOf is the longest entry of floors that a package is in.
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
func packages(t *testing.T) (list []goPackage) {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=Dir,ImportPath,Imports,GoFiles", "./internal/...", "./fold/...", "./stream/...",
		"./operators/...", "./socket/...", "./examples/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var pkg goPackage
		if err := decoder.Decode(&pkg); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, pkg)
	}
}
