package sender

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/rxipc/rxipc/socket"
)

func (s *spool) get(number uint64) (m socket.Message, err error) {
	if s.in == nil || number < s.at {
		if err := s.seek(number); err != nil {
			return m, err
		}
	}
	for {
		if err := s.nextSegment(); err != nil {
			return m, err
		}
		m, err = s.decode()
		if err != nil || s.at == number+1 {
			return m, err
		}
	}
}

// seek begins to read the segment that has a message.
func (s *spool) seek(number uint64) error {
	i := len(s.segments) - 1
	for i > 0 && s.segments[i].first > number {
		i--
	}
	return s.openSegment(s.segments[i])
}

// nextSegment goes on with the next segment if the one that is read is at its end.
func (s *spool) nextSegment() error {
	i := slices.Index(s.segments, s.reading)
	if i+1 == len(s.segments) || len(s.chunk) > 0 || s.offset < s.reading.size {
		return nil
	}
	next := s.segments[i+1]
	if s.at != next.first {
		return fmt.Errorf("%w: %s ends before message %d, and the next segment begins with %d", ErrCorrupt, s.reading.path, s.at, next.first)
	}
	return s.openSegment(next)
}

func (s *spool) openSegment(g *segment) error {
	s.stopReading()
	in, err := os.Open(g.path)
	if err != nil {
		return err
	}
	s.in, s.reading, s.at = in, g, g.first
	if err := s.fill(int64(len(magic))); err != nil {
		return s.corrupt(err)
	}
	if string(s.chunk[:len(magic)]) != magic {
		return s.corrupt(fmt.Errorf("%w: it is no segment", ErrCorrupt))
	}
	s.chunk = s.chunk[len(magic):]
	return nil
}

func (s *spool) stopReading() {
	if s.in != nil {
		s.in.Close()
	}
	s.in, s.reading, s.chunk, s.offset = nil, nil, nil, 0
}

// decode reads the next message of the segment.
func (s *spool) decode() (socket.Message, error) {
	for {
		m, size, err := decodeRecord(s.chunk)
		if errors.Is(err, errShort) {
			err = s.fill(size)
			if err == nil {
				continue
			}
		}
		if err != nil {
			return m, s.corrupt(err)
		}
		s.chunk = s.chunk[size:]
		s.at++
		return m, nil
	}
}

// fill reads until chunk has at least need bytes. It fails with errShort, and reads nothing, if the
// segment has fewer.
func (s *spool) fill(need int64) error {
	missing := need - int64(len(s.chunk))
	left := s.reading.size - s.offset
	if missing > left {
		return errShort
	}
	buffer := s.chunkBuffer
	if want := int64(len(s.chunk)) + min(left, max(missing, readAtOnce)); int64(cap(buffer)) < want {
		buffer = make([]byte, want)
	}
	buffer = buffer[:cap(buffer)]
	had := copy(buffer, s.chunk)
	n, err := s.in.ReadAt(buffer[had:min(int64(len(buffer)), int64(had)+left)], s.offset)
	s.offset += int64(n)
	s.chunk = buffer[:had+n]
	if s.chunkBuffer = buffer; cap(buffer) > 2*readAtOnce {
		s.chunkBuffer = nil
	}
	if int64(len(s.chunk)) >= need {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return errShort
	}
	return err
}

// corrupt adds the place to an error.
func (s *spool) corrupt(err error) error {
	if errors.Is(err, errShort) {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return fmt.Errorf("%s, offset %d: %w", s.reading.path, s.offset-int64(len(s.chunk)), err)
}
