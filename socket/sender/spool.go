package sender

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/internal/unixsock"
)

// ErrCorrupt says that a file of a spool is not as it was written. The error names the file and
// the offset. The run sends the messages before that place. To go on with the segments behind it,
// move the file away.
var ErrCorrupt = errors.New("the spool is corrupt")

// spool is a storage in a folder. Its messages are in segments: files that begin with magic, are
// named after the number of their first message, and are removed once all their messages are
// dropped. The file position has the number of the first message that is not dropped.
type spool struct {
	dir         string
	limit       int64 // of bytes in all segments
	sync        bool
	release     func() error // of the lock
	position    *os.File
	segments    []*segment // in order; the last one is written to
	file        *os.File   // of the last segment
	bytes       int64      // in all segments
	first, end  uint64     // numbers of the first message that is not dropped, and of the next one
	scratch     []byte     // for a record
	in          *os.File   // of the segment that is read; nil: none
	reading     *segment
	at          uint64 // the number of the next message to read
	offset      int64  // in the segment, of the bytes behind chunk
	chunk       []byte // bytes that were read and not decoded
	chunkBuffer []byte // which chunk is a part of
}

// segment is a file of a spool.
type segment struct {
	path  string
	first uint64 // number of its first message
	size  int64  // bytes
}

const (
	magic         = "rxspool1" // the beginning of a segment
	segmentSuffix = ".spool"
	minSegment    = 4 << 10
	maxSegment    = 16 << 20
	readAtOnce    = 64 << 10
)

// openSpool opens the spool of a folder, or makes it.
func openSpool(dir string, limit int64, sync bool) (_ *spool, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &spool{dir: dir, limit: limit, sync: sync}
	if s.release, err = unixsock.Lock(filepath.Join(dir, ".lock")); err != nil {
		return nil, err
	}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *spool) open() (err error) {
	if s.position, err = os.OpenFile(filepath.Join(s.dir, "position"), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	s.first = s.readPosition()
	if err := s.findSegments(); err != nil {
		return err
	}
	if len(s.segments) == 0 {
		s.end = s.first
		return s.begin()
	}
	if err := s.recoverLast(); err != nil {
		return err
	}
	s.first = min(max(s.first, s.segments[0].first), s.end)
	return s.drop(s.first)
}

// readPosition returns the number in the position file, or 0 if there is none.
func (s *spool) readPosition() uint64 {
	var b [12]byte
	if _, err := s.position.ReadAt(b[:], 0); err != nil || crc32.Checksum(b[:8], castagnoli) != binary.BigEndian.Uint32(b[8:]) {
		return 0
	}
	return binary.BigEndian.Uint64(b[:])
}

func (s *spool) writePosition() error {
	var b [12]byte
	binary.BigEndian.PutUint64(b[:], s.first)
	binary.BigEndian.PutUint32(b[8:], crc32.Checksum(b[:8], castagnoli))
	_, err := s.position.WriteAt(b[:], 0)
	return err
}

func (s *spool) findSegments() error {
	paths, err := filepath.Glob(filepath.Join(escapeGlob(s.dir), "*"+segmentSuffix))
	if err != nil {
		return err
	}
	slices.Sort(paths) // their numbers have the same length
	for _, path := range paths {
		first, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(path), segmentSuffix), 10, 64)
		if err != nil {
			return fmt.Errorf("%w: %s is no segment", ErrCorrupt, path)
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		s.segments = append(s.segments, &segment{path, first, info.Size()})
		s.bytes += info.Size()
	}
	return nil
}

// recoverLast opens the last segment for writing, and cuts off a record that was not written
// wholly.
func (s *spool) recoverLast() (err error) {
	last := s.segments[len(s.segments)-1]
	if s.file, err = os.OpenFile(last.path, os.O_RDWR, 0); err != nil {
		return err
	}
	if err = s.seek(last.first); err == nil {
		for err == nil {
			_, err = s.decode()
		}
		s.end = s.at
	}
	if s.reading == nil || !errors.Is(err, errShort) && !s.isBlank() {
		return err
	}
	whole := s.offset - int64(len(s.chunk))
	s.stopReading()
	if err := s.file.Truncate(whole); err != nil {
		return err
	}
	if whole == 0 { // not even the beginning was written
		s.end, whole = last.first, int64(len(magic))
		if _, err := s.file.WriteAt([]byte(magic), 0); err != nil {
			return err
		}
	}
	s.bytes += whole - last.size
	last.size = whole
	return nil
}

// isBlank reports whether there are only zeros from the place that is read, as a system leaves
// them that crashed before it had written a file.
func (s *spool) isBlank() bool {
	for {
		if slices.ContainsFunc(s.chunk, func(b byte) bool { return b != 0 }) {
			return false
		}
		had := int64(len(s.chunk))
		if s.offset == s.reading.size {
			return true
		}
		if err := s.fill(had + 1); err != nil {
			return false
		}
	}
}

// begin makes a new segment, the last one.
func (s *spool) begin() error {
	next := &segment{filepath.Join(s.dir, fmt.Sprintf("%020d%s", s.end, segmentSuffix)), s.end, int64(len(magic))}
	file, err := os.OpenFile(next.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := file.WriteAt([]byte(magic), 0); err != nil {
		return errors.Join(err, file.Close(), os.Remove(next.path))
	}
	if s.file != nil {
		s.file.Close()
	}
	s.file, s.segments, s.bytes = file, append(s.segments, next), s.bytes+next.size
	if s.sync {
		return syncFolder(s.dir)
	}
	return nil
}

func (s *spool) fits(m socket.Message) (bool, error) {
	size := recordSize(m)
	if alone := size + int64(len(magic)); alone > s.limit {
		return false, fmt.Errorf("%w: the message takes %d bytes in the spool, whose limit is %d", socket.ErrTooLarge, alone, s.limit)
	}
	if s.bytes+size > s.limit && s.first == s.end { // all that it holds is dropped
		if err := s.startAnew(); err != nil {
			return false, err
		}
	}
	return s.bytes+size <= s.limit, nil
}

// startAnew replaces the last segment, whose messages are all dropped.
func (s *spool) startAnew() error {
	last := s.segments[len(s.segments)-1]
	if last.first == s.end {
		return nil // it has none
	}
	if err := s.begin(); err != nil {
		return err
	}
	return s.drop(s.first)
}

func (s *spool) put(m socket.Message) error {
	last, size := s.segments[len(s.segments)-1], recordSize(m)
	isFull := last.size+size > min(max(minSegment, s.limit/8), maxSegment) && last.first < s.end
	if isFull && s.bytes+size+int64(len(magic)) <= s.limit {
		if err := s.begin(); err != nil {
			return err
		}
		last = s.segments[len(s.segments)-1]
	}
	s.scratch = appendRecord(s.scratch[:0], m)
	_, err := s.file.WriteAt(s.scratch, last.size)
	if err == nil && s.sync {
		err = s.file.Sync()
	}
	if cap(s.scratch) > readAtOnce {
		s.scratch = nil
	}
	if err != nil {
		return errors.Join(err, s.file.Truncate(last.size))
	}
	last.size += size
	s.bytes += size
	s.end++
	return nil
}

// drop removes the segments below a number, and writes the position.
func (s *spool) drop(number uint64) error {
	s.first = number
	if err := s.writePosition(); err != nil {
		return err
	}
	for len(s.segments) > 1 && s.segments[1].first <= number {
		gone := s.segments[0]
		if s.reading == gone {
			s.stopReading()
		}
		if err := os.Remove(gone.path); err != nil {
			return err
		}
		s.segments = s.segments[1:]
		s.bytes -= gone.size
	}
	return nil
}

func (s *spool) close() error {
	s.stopReading()
	var err error
	for _, file := range []*os.File{s.file, s.position} {
		if file != nil {
			err = errors.Join(err, file.Close())
		}
	}
	return errors.Join(err, s.release())
}

// syncFolder puts the names of a folder on the disk.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	folder.Sync() // not every system can
	return folder.Close()
}

// escapeGlob makes a path a pattern that matches it alone.
func escapeGlob(path string) string {
	return strings.NewReplacer(`[`, `[[]`, `*`, `[*]`, `?`, `[?]`).Replace(path)
}
