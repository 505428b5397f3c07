package system

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/internal/lines"
	"github.com/rxipc/rxipc/stream/text"
)

// Line is a line of a followed file.
type Line struct {
	Text string   // without its "\n" or "\r\n"
	Next Position // where the line after it begins
}

// Position is a place in a followed file. It can be kept, as JSON for instance, and be where
// another run goes on: see [FollowOptions]. The zero Position is the beginning of the file.
type Position struct {
	Device, File uint64 // the file's numbers in the system; zero where it gives none, as on Windows
	Offset       int64  // bytes from the beginning of that file
}

// End is the end of the file at the time when a run begins.
var End = Position{Offset: -1}

// FollowOptions say how [Follow] reads. The zero value reads from the beginning.
type FollowOptions struct {
	// From is where the run begins: at the beginning, which is the zero value, at [End],
	// or after the line whose Next it is. If the file of that line was renamed since, the
	// run goes on there, then with the files that came after it.
	From Position

	// Limit is how many bytes a line may have; zero or less is text.DefaultLimit.
	Limit int

	// Skip gets the error of a line over the limit, and the run goes on after that line; nil
	// fails the run.
	Skip func(*text.Error)

	// Poll is how often the file is looked at; zero or less is 250 ms. On Linux the system
	// tells of changes besides, at once.
	Poll time.Duration

	// PollOnly asks the system for no notice of changes, which needs a descriptor and a
	// goroutine, and is of no use on network file systems and in virtual time.
	PollOnly bool
}

// Follow emits the lines of a file, and goes on as it grows (tail -F). A line is emitted when
// its "\n" has been written. A file that does not exist yet is waited for, in a folder that
// does not exist yet, too. The run ends with its context, and fails with an error of the file
// system, at a line over the limit, and at what is no regular file.
//
// Rotation may be by rename: the old file is read to its end, also what is written to it until the new
// one has content, then the new one. Where several rotations happened meanwhile, the files between are
// read as well, by their times of modification, if they are in the same folder and are
// named like path: app.log.1, app.log-20261127, app-2026-11-27.log. Or it may be by truncation: a file that is
// shorter than what was read is read from its beginning. What was
// truncated before it was read is lost, and a file that has grown by then beyond what was read before
// is taken for the same one. What an old file has after its last "\n" is a line, when it is left.
func Follow(path string, options FollowOptions) stream.Observable[Line] {
	if options.Limit <= 0 {
		options.Limit = text.DefaultLimit
	}
	if options.Poll <= 0 {
		options.Poll = 250 * time.Millisecond
	}
	return func(ctx context.Context, yield func(Line) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		f := &follower{FollowOptions: options, path: path, ctx: ctx, yield: yield}
		defer f.close()
		return f.run()
	}
}

// follower is a run of Follow.
type follower struct {
	FollowOptions
	path  string
	ctx   context.Context
	yield func(Line) bool

	file     *os.File // nil before there is one
	info     fs.FileInfo
	before   fs.FileInfo // of the file that was left for this one
	split    *lines.Splitter
	read     int64 // bytes from the beginning of file
	drained  bool  // file was at its end after a successor was seen
	unwanted bool
}

func (f *follower) run() error {
	if err := f.begin(); err != nil {
		return err
	}
	w := newWaiter(filepath.Dir(f.path), filepath.Base(f.path), f.Poll, f.PollOnly)
	defer w.stop()
	for {
		if err := f.drain(); err != nil || f.unwanted {
			return err
		}
		again, err := f.look()
		switch {
		case err != nil || f.unwanted:
			return err
		case again:
		default:
			stream.Subscribed(f.ctx)
			if err := w.wait(f.ctx); err != nil {
				return err
			}
		}
	}
}

// drain emits the lines up to the end of the file.
func (f *follower) drain() error {
	for f.file != nil {
		if err := f.lines(); err != nil || f.unwanted {
			return err
		}
		if f.ctx.Err() != nil {
			return context.Cause(f.ctx)
		}
		switch err := f.split.Fill(counting{f}); {
		case errors.Is(err, io.EOF):
			return f.lines()
		case err != nil:
			return err
		}
	}
	return nil
}

// counting reads from the file and counts.
type counting struct{ *follower }

func (c counting) Read(b []byte) (int, error) {
	n, err := c.file.Read(b)
	c.read += int64(n)
	return n, err
}

// lines emits the lines that were read whole.
func (f *follower) lines() error {
	for !f.unwanted {
		line, ok, err := f.split.Next()
		switch {
		case err != nil:
			if err := f.tooLong(); err != nil {
				return err
			}
		case !ok:
			return nil
		case f.ctx.Err() != nil:
			return context.Cause(f.ctx)
		default:
			f.emit(line)
		}
	}
	return nil
}

func (f *follower) emit(line []byte) {
	next := positionOf(f.info, f.split.End())
	f.unwanted = !f.yield(Line{Text: string(line), Next: next})
}

// tooLong is the failure of a line over the limit, or nil if the run goes on.
func (f *follower) tooLong() error {
	e := &text.Error{Unit: "line", Number: f.split.Number(), Offset: f.split.Offset(),
		Err: fmt.Errorf("%w: more than %d bytes; Limit allows longer lines, Skip leaves them out", text.ErrTooLong, f.Limit)}
	if f.Skip == nil {
		return fmt.Errorf("%s: %w", f.path, e)
	}
	f.Skip(e)
	return nil
}

// rest emits what an old file, or a truncated one, had after its last newline.
func (f *follower) rest() error {
	line, ok, err := f.split.Rest()
	switch {
	case err != nil:
		return f.tooLong()
	case ok:
		f.emit(line)
	}
	return nil
}

// look is called at the end of the file, and reports whether there is more to read now:
// the file was truncated, or another one follows.
func (f *follower) look() (again bool, err error) {
	if f.file == nil {
		return f.open(f.path, 0, false)
	}
	info, err := f.file.Stat()
	if err != nil {
		return false, err
	}
	f.info = info
	if info.Size() < f.read {
		if err := f.rest(); err != nil || f.unwanted {
			return false, err
		}
		_, err := f.file.Seek(0, io.SeekStart)
		f.read, f.split = 0, lines.New(f.Limit, 0)
		return true, err
	}
	successor := f.successor()
	if successor == "" {
		f.drained = false
		return false, nil
	}
	if !f.drained { // it may have grown before the successor was seen
		f.drained = true
		return true, nil
	}
	if err := f.rest(); err != nil || f.unwanted {
		return false, err
	}
	return f.open(successor, 0, false)
}

// open goes on with another file, if it is there. Only a run that begins fails if it
// cannot be opened: a file that has just been made may not be readable yet.
func (f *follower) open(path string, offset int64, begins bool) (opened bool, err error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return false, &fs.PathError{Op: "follow", Path: path, Err: errNotRegular}
	}
	var file *os.File
	if err == nil {
		file, err = os.Open(path)
	}
	if err != nil {
		if begins && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		return false, nil
	}
	if info, err = file.Stat(); err == nil && offset != 0 {
		offset, err = seek(file, info, offset)
	}
	if err != nil {
		file.Close()
		return false, err
	}
	f.close()
	f.before, f.file, f.info, f.drained = f.info, file, info, false
	f.read, f.split = offset, lines.New(f.Limit, offset)
	return true, nil
}

func (f *follower) close() {
	if f.file != nil {
		f.file.Close()
		f.file = nil
	}
}

// seek moves to where a line begins or the file ends, or to the beginning of a file that has
// no such place at the offset: it is another one, or was truncated. A negative offset is
// the end.
func seek(file *os.File, info fs.FileInfo, offset int64) (int64, error) {
	if offset < 0 {
		return file.Seek(0, io.SeekEnd)
	}
	var last [1]byte
	if _, err := file.ReadAt(last[:], offset-1); err != nil || last[0] != '\n' && offset != info.Size() {
		return 0, nil
	}
	return file.Seek(offset, io.SeekStart)
}
