package streamtest

import (
	"fmt"
	"slices"
	"sync"
)

// findings are what a check found wrong, each once.
type findings struct {
	title string // what the check was at
	book  *book
	once  sync.Once
}

type book struct {
	mu    sync.Mutex
	lines []string
}

func (f *findings) init() {
	f.once.Do(func() {
		if f.book == nil {
			f.book = new(book)
		}
	})
}

// titled are findings that go to the same book, each under a title.
func (f *findings) titled(title string) *findings {
	f.init()
	if f.title != "" {
		title = f.title + ", " + title
	}
	return &findings{title: title, book: f.book}
}

func (f *findings) add(format string, arguments ...any) {
	f.init()
	line := fmt.Sprintf(format, arguments...)
	if f.title != "" {
		line = f.title + ": " + line
	}
	f.book.mu.Lock()
	defer f.book.mu.Unlock()
	if !slices.Contains(f.book.lines, line) {
		f.book.lines = append(f.book.lines, line)
	}
}

func (f *findings) all() []string {
	f.init()
	f.book.mu.Lock()
	defer f.book.mu.Unlock()
	return slices.Clone(f.book.lines)
}
