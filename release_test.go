package rxipc_test

import (
	"os"
	"os/exec"
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

// releaseOrder returns the tagged nested modules in the order of their tags, and the nested modules
// without a tag.
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

// TestReleaseResolves makes a proxy with all modules as they are after a release, and requires each
// of them in a module of a user.
func TestReleaseResolves(t *testing.T) {
	version := os.Getenv("RXIPC_RELEASE")
	if version == "" {
		t.Skip("RXIPC_RELEASE has no version to be released")
	}
	proxy := t.TempDir()
	order, _ := releaseOrder(t)
	for _, folder := range append([]string{"."}, order...) {
		addToProxy(t, proxy, folder, version)
	}
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatalf("find the module cache: %v", err)
	}
	downloads := filepath.Join(strings.TrimSpace(string(out)), "cache", "download")
	for _, folder := range append([]string{"."}, order...) {
		user := t.TempDir()
		required := strings.TrimSuffix(module+"/"+folder, "/.")
		file := "module user\n\ngo 1.26\n\nrequire " + required + " " + version + "\n"
		if err := os.WriteFile(filepath.Join(user, "go.mod"), []byte(file), 0o600); err != nil {
			t.Fatalf("write the go.mod of a user: %v", err)
		}
		list := exec.Command("go", "list", "-mod=mod", "-m", "all")
		list.Dir = user
		list.Env = append(os.Environ(), "GOFLAGS=-modcacherw", "GONOSUMDB=*", "GONOSUMCHECK=1", "GOSUMDB=off",
			"GOMODCACHE="+t.TempDir(), "GOPROXY=file://"+proxy+",file://"+downloads+",off")
		out, err := list.CombinedOutput()
		if err != nil || !strings.Contains(string(out), module+" "+version) {
			t.Errorf("require %s %s: got %v, want it and the root at that version\n%s", required, version, err, out)
		}
	}
}

// addToProxy adds a version of a module to the files of a proxy, without its code.
func addToProxy(t *testing.T, proxy, folder, version string) {
	t.Helper()
	path := strings.TrimSuffix(module+"/"+folder, "/.")
	dir := filepath.Join(proxy, path, "@v")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatalf("make the folder of a module: %v", err)
	}
	gomod := requirement.ReplaceAllStringFunc(readPage(t, filepath.Join(folder, "go.mod")), func(line string) string {
		return strings.Replace(line, " v0.0.0", " "+version, 1)
	})
	for name, text := range map[string]string{".mod": gomod, ".info": `{"Version": "` + version + `"}`} {
		if err := os.WriteFile(filepath.Join(dir, version+name), []byte(text), 0o600); err != nil {
			t.Fatalf("write a file of a proxy: %v", err)
		}
	}
}
