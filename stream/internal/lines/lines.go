// Package lines cuts what is read into lines of bounded length.
package lines

import (
	"bytes"
	"errors"
	"io"
)

// ErrTooLong says that a line is longer than the splitter's limit.
var ErrTooLong = errors.New("line too long")

const (
	firstBuffer = 16 << 10 // before a longer line is met
	leastRoom   = 4 << 10  // for a Read
	emptyReads  = 100      // in a row, before the reader is given up
)

// Splitter holds what was read and is not yet a line. Its buffer grows with the lines,
// up to twice the limit. The zero value has a limit of 0; use [New].
type Splitter struct {
	limit    int
	buffer   []byte
	start    int  // of the bytes that are not yet emitted
	end      int  // of the bytes that were read
	scanned  int  // bytes from start that have no newline in them
	skipping bool // the rest of a line that was too long
	number   int64
	offset   int64
	next     int64 // the offset of start
}

// New returns a splitter for lines of at most limit bytes, their end not counted. The
// first byte that it reads is at offset.
func New(limit int, offset int64) *Splitter { return &Splitter{limit: limit, next: offset} }

// Number is the number of the last line that Next or Rest returned, from 1 on. A line that
// was too long counts.
func (s *Splitter) Number() int64 { return s.number }

// Offset is where that line begins.
func (s *Splitter) Offset() int64 { return s.offset }

// End is where the line after it begins.
func (s *Splitter) End() int64 { return s.next }

// Next returns the next line that was read whole, without its "\n" or "\r\n". It is valid
// until the next call of Fill. ok is false if there is none: Fill brings more. A line
// over the limit is ErrTooLong once, and its rest is skipped.
func (s *Splitter) Next() (line []byte, ok bool, err error) {
	for {
		i := bytes.IndexByte(s.buffer[s.start+s.scanned:s.end], '\n')
		if i < 0 {
			s.scanned = s.end - s.start
			return nil, false, s.overflow()
		}
		line = s.buffer[s.start : s.start+s.scanned+i]
		begin := s.next
		s.take(len(line) + 1)
		if s.skipping {
			s.skipping = false
			continue
		}
		s.number, s.offset = s.number+1, begin
		if line = withoutReturn(line); len(line) > s.limit {
			return nil, false, ErrTooLong
		}
		return line, true, nil
	}
}

// overflow drops an unfinished line that is too long already.
func (s *Splitter) overflow() error {
	switch length := s.end - s.start; {
	case s.skipping:
		s.take(length)
		return nil
	case length <= s.limit+1: // the last byte may be a carriage return
		return nil
	default:
		s.number, s.offset, s.skipping = s.number+1, s.next, true
		s.take(length)
		return ErrTooLong
	}
}

// Rest returns the line at the end of the input that has no "\n", if there is one, after
// Next has returned all others.
func (s *Splitter) Rest() (line []byte, ok bool, err error) {
	line = s.buffer[s.start:s.end]
	skipped := s.skipping
	s.skipping = false
	if len(line) == 0 || skipped {
		return nil, false, nil
	}
	s.number, s.offset = s.number+1, s.next
	s.take(len(line))
	if line = withoutReturn(line); len(line) > s.limit {
		return nil, false, ErrTooLong
	}
	return line, true, nil
}

// take leaves n bytes behind.
func (s *Splitter) take(n int) {
	s.start += n
	s.next += int64(n)
	s.scanned = 0
}

func withoutReturn(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}

// Fill reads once, after Next has returned all lines. Its error is the reader's.
func (s *Splitter) Fill(r io.Reader) error {
	s.makeRoom()
	for range emptyReads {
		n, err := r.Read(s.buffer[s.end:])
		s.end += n
		if n > 0 || err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// makeRoom moves what is left to the front of the buffer, or of a larger one.
func (s *Splitter) makeRoom() {
	length := s.end - s.start
	into := s.buffer
	if len(into)-length < leastRoom {
		into = make([]byte, max(firstBuffer, 2*length))
	}
	copy(into, s.buffer[s.start:s.end])
	s.buffer, s.start, s.end = into, 0, length
}
