package recording

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// maxLine is the longest line of a recording, in bytes.
const maxLine = 1 << 30

// ErrFormat means that a text is no recording. The error has the number of the line.
var ErrFormat = errors.New("no recording")

// Reader reads a recording line by line.
type Reader struct {
	in     *bufio.Reader
	number int // of the line
	header Header
}

// NewReader reads the first line of a recording. It fails with ErrFormat, and with the error of in.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{in: bufio.NewReader(in)}
	text, err := r.line()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, r.failure(err)
	}
	var h headerLine
	if err := json.Unmarshal(text, &h); err != nil {
		return nil, r.wrong(err)
	}
	if h.Recording != version {
		return nil, r.wrong(fmt.Errorf("the version is %d, want %d", h.Recording, version))
	}
	r.header = Header{Name: h.Name, About: h.About}
	if h.Begin != nil {
		r.header.Begin = *h.Begin
	}
	return r, nil
}

// Header returns the first line.
func (r *Reader) Header() Header { return r.header }

// Next returns the next entry, and io.EOF behind the last one. It fails with ErrFormat, with the
// error of the input, and with io.ErrUnexpectedEOF for a last line that is not whole.
func (r *Reader) Next() (e Entry, err error) {
	text, err := r.line()
	switch {
	case err == io.EOF:
		return e, err
	case err != nil:
		return e, r.failure(err)
	}
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return e, r.wrong(err)
	}
	if e, err = l.entry(); err != nil {
		return Entry{}, r.wrong(err)
	}
	return e, nil
}

// line returns the next line that is not empty, without its end.
func (r *Reader) line() ([]byte, error) {
	for {
		r.number++
		var text []byte
		for {
			part, err := r.in.ReadSlice('\n')
			text = append(text, part...)
			switch {
			case err == nil:
			case err == bufio.ErrBufferFull && len(text) <= maxLine:
				continue
			case err == bufio.ErrBufferFull:
				return nil, fmt.Errorf("%w: the line is longer than %d bytes", ErrFormat, maxLine)
			case err == io.EOF && len(bytes.TrimSpace(text)) > 0 && !json.Valid(text):
				return nil, io.ErrUnexpectedEOF
			case err == io.EOF && len(text) == 0, err != io.EOF:
				return nil, err
			}
			break
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			return text, nil
		}
	}
}

func (r *Reader) wrong(err error) error { return r.failure(fmt.Errorf("%w: %w", ErrFormat, err)) }

func (r *Reader) failure(err error) error {
	return fmt.Errorf("recording: line %d: %w", r.number, err)
}

// Recording is a whole recording.
type Recording struct {
	Header
	Entries []Entry // in the order of their times
}

// Read reads a whole recording. When it fails, it also returns what is before the failure: that is
// all of a recording whose recorder was killed, for which the error is io.ErrUnexpectedEOF.
func Read(in io.Reader) (Recording, error) {
	reader, err := NewReader(in)
	if err != nil {
		return Recording{}, err
	}
	r := Recording{Header: reader.Header()}
	for err == nil {
		var e Entry
		if e, err = reader.Next(); err == nil {
			r.Entries = append(r.Entries, e)
		}
	}
	slices.SortStableFunc(r.Entries, func(a, b Entry) int { return cmp.Compare(a.Time, b.Time) })
	if err == io.EOF {
		err = nil
	}
	return r, err
}

// ReadFile is [Read] of a file.
func ReadFile(path string) (Recording, error) {
	file, err := os.Open(path)
	if err != nil {
		return Recording{}, err
	}
	defer file.Close()
	r, err := Read(file)
	if err != nil {
		err = fmt.Errorf("read %s: %w", path, err)
	}
	return r, err
}

// Connections returns the entries of each connection, in the order in which they begin.
func (r Recording) Connections() (all [][]Entry) {
	places := make(map[int]int)
	for _, e := range r.Entries {
		if e.Connection == 0 || e.isOfObservable() {
			continue
		}
		place, known := places[e.Connection]
		if !known {
			place = len(all)
			places[e.Connection] = place
			all = append(all, nil)
		}
		all[place] = append(all[place], e)
	}
	return all
}
