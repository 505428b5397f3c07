package rxipc_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The pages with code that the tests compile and run. A block of Go is one of these:
//
//   - a program, which begins with "package main". A block of text right after it is its output.
//   - a file, which begins with another package clause or an import, or declarations. If it has
//     functions Test…, they are run. Other samples import the package p as "example.com/p".
//   - statements, which may use the variables of samplePrelude. A block of text right after them is
//     what they print.
//   - code for another library, marked with "go other", which is not compiled.
var pagesWithCode = []string{"README.md", "CONTRIBUTING.md", "docs/*.md", "examples/README.md"}

// A sample is a block of Go of a page.
type sample struct {
	page    string
	line    int // of its first line in the page
	code    string
	output  string // what the page says that it prints
	printed bool   // whether the page says so
}

func (s sample) String() string { return fmt.Sprintf("%s:%d", s.page, s.line) }

var clause = regexp.MustCompile(`(?m)^package (\w+)\n`)

// pkg is the name in the package clause of a sample, empty if there is none.
func (s sample) pkg() string {
	if found := clause.FindStringSubmatch(s.code); found != nil {
		return found[1]
	}
	return ""
}

func (s sample) isProgram() bool { return s.pkg() == "main" }

func (s sample) isStatements() bool {
	return s.pkg() == "" && !strings.HasPrefix(s.code, "import ") && !declares(s.code)
}

// runs reports whether the test runs a sample by itself.
func (s sample) runs() bool { return s.isProgram() || s.printed }

// isTest reports whether a sample has tests.
func (s sample) isTest() bool { return strings.Contains(s.code, "(t *testing.T) {") }

// samples are the blocks of Go of the pages.
func samples(t *testing.T) (list []sample) {
	t.Helper()
	for _, pattern := range pagesWithCode {
		pages, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatalf("list the pages %s: %v", pattern, err)
		}
		for _, page := range pages {
			list = append(list, samplesOf(page, readPage(t, page))...)
		}
	}
	return list
}

func readPage(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatalf("read a page: %v", err)
	}
	return string(text)
}

func samplesOf(page, text string) (list []sample) {
	afterCode, lines := false, strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		language, opens := strings.CutPrefix(strings.TrimSpace(line), "```")
		if !opens {
			continue
		}
		end := i + 1
		for end < len(lines) && strings.TrimSpace(lines[end]) != "```" {
			end++
		}
		code := strings.Join(lines[i+1:end], "\n") + "\n"
		switch {
		case language == "go":
			list = append(list, sample{page: page, line: i + 2, code: code})
			afterCode = list[len(list)-1].isProgram() || list[len(list)-1].isStatements()
		case language == "text" && afterCode:
			list[len(list)-1].output, list[len(list)-1].printed = code, true
			afterCode = false
		default:
			afterCode = false
		}
		i = end
	}
	return list
}

// The packages that samples use, beside their own imports.
var samplePackages = []string{
	"bufio", "bytes", "cmp", "context", "crypto/sha256", "encoding/hex", "encoding/json", "errors", "fmt", "io", "log", "log/slog", "math", "net", "net/http",
	"os", "os/exec", "os/signal", "path/filepath", "slices", "strconv", "strings", "sync", "sync/atomic", "syscall", "testing", "testing/synctest", "time",
	"fold", "fold/foldtest", "stream", "stream/streamtest", "stream/text", "stream/system", "stream/rx", "stream/web", "operators",
	"socket", "socket/rpc", "socket/tcp", "socket/child", "socket/queue", "socket/sender", "socket/pubsub", "socket/systemd",
	"socket/sockettest",
}

// samplePrelude has the variables of samples that are statements.
const samplePrelude = `
var (
	ctx     = context.Background()
	ipc     = socket.New(socket.Config{})
	name    = socket.MustParseName("hello")
	pool    = ipc.Pool(name, socket.PoolConfig{})
	process *socket.Process // from ConnectTo or Dial
)
`

// imports are the import lines for the packages that code uses.
func imports(code string) string {
	var b strings.Builder
	for _, path := range samplePackages {
		base := path[strings.LastIndex(path, "/")+1:]
		if !regexp.MustCompile(`(^|[^.\w"])` + base + `\.[A-Z]`).MatchString(code) {
			continue
		}
		if _, err := os.Stat(path); err == nil && slices.Index(samplePackages, path) >= slices.Index(samplePackages, "fold") {
			path = module + "/" + path
		}
		fmt.Fprintf(&b, "import %q\n", path)
	}
	if strings.Contains(code, "rxgo.") {
		b.WriteString("import \"github.com/reactivex/rxgo/v2\"\n")
	}
	return b.String()
}

// source returns a file of the package pkg with the sample, whose positions are those in the page.
func (s sample) source(root, pkg string) string {
	position := fmt.Sprintf("\n//line %s:%d\n", filepath.Join(root, s.page), s.line)
	s.code = strings.ReplaceAll(s.code, `"example.com/`, `"`+module+"/"+samplesFolder+"/")
	switch {
	case s.pkg() != "":
		at := clause.FindStringIndex(s.code)
		comment := strings.Repeat("\n", strings.Count(s.code[:at[1]], "\n"))
		return "package " + pkg + position + comment + strings.Replace(s.code[at[1]:], "\nfunc main() {", "\nfunc Main() {", 1)
	case strings.HasPrefix(s.code, "import "):
		return "package " + pkg + position + s.code
	case declares(s.code):
		return "package " + pkg + "\n" + imports(s.code) + position + s.code
	}
	return "package " + pkg + "\n" + imports(s.code) + "func " + s.function() + "() error {" + position + s.code + uses(s.code) + "return nil\n}\n"
}

// function is the name of the function around statements.
func (s sample) function() string {
	return "In" + regexp.MustCompile(`\W`).ReplaceAllString(strings.TrimSuffix(s.page, ".md"), "") + fmt.Sprint(s.line)
}

// declares reports whether code has declarations, and no statements.
func declares(code string) bool {
	_, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+code, parser.SkipObjectResolution)
	return err == nil
}

// uses returns a statement that uses the variables which code declares, since the page need not.
func uses(code string) string {
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc _() {\n"+code+"}\n", parser.SkipObjectResolution)
	if err != nil {
		return "" // the compiler explains it
	}
	var b strings.Builder
	body := file.Decls[0].(*ast.FuncDecl).Body.List
	for _, statement := range body {
		assignment, ok := statement.(*ast.AssignStmt)
		if !ok || assignment.Tok != token.DEFINE {
			continue
		}
		for _, left := range assignment.Lhs {
			if name := left.(*ast.Ident).Name; name != "_" {
				fmt.Fprintf(&b, "_ = %s\n", name)
			}
		}
	}
	if len(body) > 0 {
		if _, ok := body[len(body)-1].(*ast.ReturnStmt); ok {
			return "" // it would not be reached
		}
	}
	return b.String()
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fence   = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	span    = regexp.MustCompile("`[^`\n]*`")
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	command = regexp.MustCompile(`go (?:run|test|build|vet)[^\n#]*? (\./[\w./-]+)`)
	shell   = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
)

// anchors returns the anchors that GitHub makes of the headings of a page.
func anchors(text string) map[string]bool {
	list := map[string]bool{}
	for _, title := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		anchor := strings.ToLower(strings.ReplaceAll(title[1], " ", "-"))
		list[regexp.MustCompile(`[^\p{L}\p{N}_-]`).ReplaceAllString(anchor, "")] = true
	}
	return list
}

// pages are all pages of the repository.
func pages(t *testing.T) (list []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && path != ".") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".md") {
			list = append(list, path)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("list the pages: %v", err)
	}
	return list
}

func TestPagesLinkToWhatIsThere(t *testing.T) {
	for _, page := range pages(t) {
		text := readPage(t, page)
		for _, found := range link.FindAllStringSubmatch(span.ReplaceAllString(fence.ReplaceAllString(text, ""), ""), -1) {
			path, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(path, "://") || strings.HasPrefix(path, "mailto:") {
				continue
			}
			target := page
			if path != "" {
				target = filepath.Join(filepath.Dir(page), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("follow the link to %s of %s: %v", found[1], page, err)
			} else if anchor != "" && !anchors(readPage(t, target))[anchor] {
				t.Errorf("follow the link to %s of %s: the page has no such heading", found[1], page)
			}
		}
	}
}

func TestPagesRunWhatIsThere(t *testing.T) {
	for _, page := range pages(t) {
		if folder := filepath.Dir(page); folder != "." && folder != "examples" {
			continue // its commands are not run in the root
		}
		for _, block := range shell.FindAllStringSubmatch(readPage(t, page), -1) {
			for _, found := range command.FindAllStringSubmatch(block[1], -1) {
				if path := strings.TrimSuffix(found[1], "/..."); path != "." {
					if _, err := os.Stat(path); err != nil {
						t.Errorf("look for the package of the command %q of %s: %v", found[0], page, err)
					}
				}
			}
		}
	}
}

// The index of examples has each of them, and the lines of its files without tests.
func TestExamplesPageIsComplete(t *testing.T) {
	page := readPage(t, "examples/README.md")
	programs, err := filepath.Glob("examples/*/main.go")
	if err != nil || len(programs) == 0 {
		t.Fatalf("list the examples: got %d, %v", len(programs), err)
	}
	for _, program := range programs {
		folder := filepath.Dir(program)
		files, err := filepath.Glob(folder + "/*.go")
		if err != nil {
			t.Fatalf("list the files of an example: %v", err)
		}
		lines := 0
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				lines += strings.Count(readPage(t, file), "\n")
			}
		}
		row := regexp.MustCompile(`(?m)^\|[^|]*\| \[` + filepath.Base(folder) + `\][^|]*\| ` + fmt.Sprint(lines) + ` \|`)
		if !row.MatchString(page) {
			t.Errorf("look for the example %s with its %d lines in examples/README.md: got no such row", folder, lines)
		}
	}
}

// The first page is short enough to be read whole.
func TestReadmeIsShort(t *testing.T) {
	if lines := strings.Count(readPage(t, "README.md"), "\n"); lines > 150 {
		t.Errorf("count the lines of README.md: got %d, want 150 at most", lines)
	}
	for _, s := range samples(t) {
		if lines := strings.Count(s.code, "\n"); s.page == "README.md" && lines > 30 {
			t.Errorf("count the lines of the code at %v: got %d, want 30 at most", s, lines)
		}
	}
}
