package subprocess

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// Words is a writer that keeps the beginning and the end of what is written to it.
type Words struct {
	Head, Tail int       // how many bytes are kept of the beginning, and of the end
	To         io.Writer // gets all of it; its errors are ignored; may be nil

	mu         sync.Mutex
	head, tail []byte
	cut        bool // there is something between them
}

// Write keeps p, as far as there is room, and never fails.
func (w *Words) Write(p []byte) (int, error) {
	if w.To != nil {
		w.To.Write(p)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(p), w.Head-len(w.head))
	w.head = append(w.head, p[:n]...)
	rest := p[n:]
	w.cut = w.cut || len(w.tail)+len(rest) > w.Tail
	w.tail = append(w.tail, rest[max(0, len(rest)-w.Tail):]...)
	if over := len(w.tail) - w.Tail; over > 0 {
		w.tail = append(w.tail[:0], w.tail[over:]...)
	}
	return len(p), nil
}

// Bytes returns the beginning and the end, with a mark between them if something is left out.
func (w *Words) Bytes() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	between := ""
	if w.cut && len(w.head) > 0 {
		between = "\n…\n"
	}
	return bytes.Join([][]byte{w.head, w.tail}, []byte(between))
}

// Line returns them as one line.
func (w *Words) Line() string {
	var lines []string
	for line := range strings.Lines(string(w.Bytes())) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, " / ")
}
