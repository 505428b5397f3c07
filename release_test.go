package rxipc_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	requirement = regexp.MustCompile(`(?m)^\s*(?:require )?(github\.com/rxipc/rxipc\S*) (v\S+)`)
	replacement = regexp.MustCompile(`(?m)^\s*(?:replace )?(\S+)(?: v\S+)? => (\S+)`)
	releaseRow  = regexp.MustCompile("(?m)^\\| (\\d*) ?\\| `([a-z/]+)` \\|")
)

// nestedModules are the folders of the modules below the root.
func nestedModules(t *testing.T) (list []string) {
	t.Helper()
	for _, pattern := range []string{"*/go.mod", "*/*/go.mod", "*/*/*/go.mod"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatalf("list the nested modules: %v", err)
		}
		for _, file := range files {
			list = append(list, filepath.ToSlash(filepath.Dir(file)))
		}
	}
	return list
}

// A user of a module gets none of its replace lines. So a release requires versions that exist, see
// CONTRIBUTING.md. Before it, all modules require v0.0.0 and replace it by a folder.
func TestReleaseOfNestedModules(t *testing.T) {
	version := os.Getenv("RXIPC_RELEASE")
	order, untagged := releaseOrder(t)
	for _, folder := range nestedModules(t) {
		text := readPage(t, filepath.Join(folder, "go.mod"))
		position := slices.Index(order, folder)
		if position < 0 && !slices.Contains(untagged, folder) {
			t.Errorf("look for the module %s in CONTRIBUTING.md: got no row of it in the order of a release", folder)
		}
		folders := map[string]string{}
		for _, found := range replacement.FindAllStringSubmatch(text, -1) {
			folders[found[1]] = found[2]
		}
		for _, found := range requirement.FindAllStringSubmatch(text, -1) {
			path, required := found[1], found[2]
			below := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
			want := "v0.0.0"
			if version != "" && position >= 0 {
				want = version
			}
			if required != want {
				t.Errorf("read the requirement of %s in %s/go.mod: got %s, want %s", path, folder, required, want)
			}
			up, err := filepath.Rel(folder, filepath.Join(".", below))
			if err != nil {
				t.Fatalf("find the way from %s to %s: %v", folder, below, err)
			}
			if got := strings.TrimSuffix(folders[path], "/"); got != filepath.ToSlash(up) {
				t.Errorf("read the replacement of %s in %s/go.mod: got %q, want %q, so that a clone works", path, folder, got, up)
			}
			if below != "" && slices.Index(order, below) >= position && position >= 0 {
				t.Errorf("compare the order of a release: %s comes before %s, which it requires", folder, below)
			}
			delete(folders, path)
		}
		for path := range folders {
			t.Errorf("read %s/go.mod: got a replacement of %s, which a user of the module would not have", folder, path)
		}
	}
}

// releaseOrder returns the nested modules in the order in which they are tagged, and those that are
// not.
func releaseOrder(t *testing.T) (order, untagged []string) {
	t.Helper()
	for _, row := range releaseRow.FindAllStringSubmatch(readPage(t, "CONTRIBUTING.md"), -1) {
		if row[1] == "" {
			untagged = append(untagged, row[2])
		} else {
			order = append(order, row[2])
		}
	}
	return order, untagged
}

// The root has no replacement, and a license. It is part of each nested module, too, because
// the go command adds the license of the root to a module without one.
func TestReleaseOfTheRoot(t *testing.T) {
	if found := replacement.FindString(readPage(t, "go.mod")); found != "" {
		t.Errorf("read go.mod: got the replacement %q, want none, since a user of the module would not have it", found)
	}
	if text := readPage(t, "LICENSE"); !strings.Contains(text, "MIT License") {
		t.Errorf("read LICENSE: got %.20q, want the MIT License", text)
	}
	version := os.Getenv("RXIPC_RELEASE")
	if version != "" && !strings.Contains(readPage(t, "CHANGELOG.md"), "\n## "+strings.TrimPrefix(version, "v")) {
		t.Errorf("look for %s in CHANGELOG.md: got no section of it", version)
	}
}
