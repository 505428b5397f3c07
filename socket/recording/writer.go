package recording

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
	"unicode/utf8"
)

// Header says of what a recording is. It is the first line.
type Header struct {
	Name  string    // of the server; empty if it is not known
	Begin time.Time // when the recording began
	About string    // for people
}

// Version is the version of the format.
const version = 1

// headerLine is a Header as JSON.
type headerLine struct {
	Recording int        `json:"recording"`
	Name      string     `json:"name,omitempty"`
	Begin     *time.Time `json:"begin,omitempty"`
	About     string     `json:"about,omitempty"`
}

// Config says what a Writer writes.
type Config struct {
	Name  string // of the server, for the Header
	About string // for the Header

	// Cut is how many bytes of a content are recorded; 0 or less: all of them.
	Cut int

	// Hide leaves out the contents, and records their sizes only.
	Hide bool
}

// Writer writes a recording. Any goroutine may call its methods.
//
// When a write fails, the recording ends there, and what is recorded goes on: [Writer.Err] has the
// error from then on.
type Writer struct {
	config Config
	begin  time.Time

	mu          sync.Mutex
	out         io.Writer
	err         error
	last        time.Duration // the last time that was given
	connections int
}

// NewWriter begins a recording, and writes its first line. Each line is one Write to out, so that
// a program which is killed loses none that was written.
func NewWriter(out io.Writer, config Config) *Writer {
	w := &Writer{config: config, begin: time.Now(), out: out}
	begin := w.begin.UTC().Round(0)
	w.line(headerLine{Recording: version, Name: config.Name, Begin: &begin, About: config.About})
	return w
}

// Err returns the error that ended the recording, or nil.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Write writes an entry. Its content is cut or left out as [Config] says. It fails with what is
// wrong with the entry, and with [Writer.Err].
func (w *Writer) Write(e Entry) error {
	if err := e.check(); err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	w.write(e)
	return w.Err()
}

func (w *Writer) write(e Entry) {
	if e.Content != "" {
		e = w.config.cut(e)
	}
	w.line(e.line())
}

// cut leaves out what is not to be recorded of a content. A text is not cut within a character.
func (c Config) cut(e Entry) Entry {
	kept := len(e.Content)
	if c.Cut > 0 {
		kept = min(kept, c.Cut)
	}
	if c.Hide {
		kept = 0
	}
	if kept < len(e.Content) && utf8.ValidString(e.Content) {
		for !utf8.RuneStart(e.Content[kept]) {
			kept--
		}
	}
	e.Missing += len(e.Content) - kept
	e.Content = e.Content[:kept]
	return e
}

func (w *Writer) line(value any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	if err == nil {
		w.mu.Lock()
		if w.err == nil {
			_, err = w.out.Write(text.Bytes())
		}
		w.mu.Unlock()
	}
	if err != nil {
		w.fail(err)
	}
}

// now returns the time since the beginning. No two calls return the same.
func (w *Writer) now() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = max(w.last+1, time.Since(w.begin))
	return w.last
}

// begun returns the number of a new connection or run, and writes that it begins.
func (w *Writer) begun(kind Kind, name string) (number int) {
	now := w.now()
	w.mu.Lock()
	w.connections++
	number = w.connections
	w.mu.Unlock()
	w.write(Entry{Time: now, Connection: number, Kind: kind, Name: w.unlessKnown(name)})
	return number
}

// fail ends the recording.
func (w *Writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = fmt.Errorf("recording: %w", err)
	}
}

// unlessKnown returns a name, and nothing if it is that of the Header.
func (w *Writer) unlessKnown(name string) string {
	if name == w.config.Name {
		return ""
	}
	return name
}
