package streamtest

import (
	"fmt"
	"runtime"
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
	known map[string]bool // ids of the bubble's goroutines that are no finding any more
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

// knowing notes the goroutines that there are before the check.
func (f *findings) knowing() {
	f.init()
	f.book.known = make(map[string]bool)
	for id := range goroutines() {
		f.book.known[id] = true
	}
}

// unknown are the stacks of the goroutines of the bubble that have come since the last
// call, or since knowing. To dump all stacks takes long where there are many goroutines,
// and nearly always there is nothing to find: so it is done only if there are more or
// fewer goroutines than before in the process. Other tests that run meanwhile may make
// for a dump in vain.
func (f *findings) unknown(before int) []string {
	if runtime.NumGoroutine() == before {
		return nil
	}
	f.init()
	var stacks []string
	for id, stack := range goroutines() {
		if !f.book.known[id] {
			f.book.known[id] = true
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

func (f *findings) all() []string {
	f.init()
	f.book.mu.Lock()
	defer f.book.mu.Unlock()
	return slices.Clone(f.book.lines)
}
