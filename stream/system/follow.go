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
	// From is where the run begins. The zero value is the beginning of the file, [End] its
	// end, and the Next of a line the place after that line. If the file of that line has
	// been renamed, the run begins there and goes on with the files that came after it.
	From Position

	// Limit is how many bytes a line may have; zero or less is text.DefaultLimit.
	Limit int

	// Skip gets the error of a line over the limit, and the run goes on after that line. A
	// nil Skip fails the run.
	Skip func(*text.Error)

	// Poll is the time between two looks at the file; zero or less is 250 ms. On Linux
	// inotify also reports each change at once.
	Poll time.Duration

	// PollOnly does without inotify, which needs a descriptor and a goroutine. inotify
	// reports nothing on network file systems and in virtual time.
	PollOnly bool
}

// Follow emits the lines of a file, and goes on as it grows (tail -F). It emits a line once
// its "\n" has been written. It waits for a file that does not exist yet, and for its
// folder. The run ends with its context. It fails with an [*fs.PathError] of the file system or
// at a path that is no regular file, and with a [*text.Error] at a line over the limit.
//
// A file may be rotated by rename: Follow reads the old file to its end, and then the new
// one, as soon as that has content. When several rotations happened since the last look,
// Follow also reads the files between, in the order of their modification times. They must
// be in the same folder and be named like path: app.log.1, app.log-20261127,
// app-2026-11-27.log. The end of an old file counts as a line even if it has no "\n".
//
// A file may be rotated by truncation: Follow reads a file from its beginning when it has
// become shorter than what was read.
//
// Follow misses lines in these cases:
//
//   - The file is truncated before they are read.
//   - The file is truncated and grows beyond what was read before the next look. Follow
//     takes it for the same file and goes on at the old offset.
//   - They are written to an old file after Follow has gone on to the new one.
//   - The file appears and is renamed before the first look at it.
//   - They are in a file between, and the wall clock was set back before that was written to
//     last, so that it seems to be older than the file before it.
//
// On Linux Follow looks at once when something changes, elsewhere and with PollOnly at each
// Poll.
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
	before   fs.FileInfo   // of the file that was left for this one
	left     []fs.FileInfo // of rotated files that are there and are not read again
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
			if _, err := w.wait(f.ctx); err != nil {
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
	stream.Skipping(f.ctx)(1)
	f.Skip(e)
	return nil
}

// rest emits the end of an old file, or of a truncated one, after its last newline.
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

// open goes on with another file, if it is there. A file that cannot be opened fails the
// run only at its beginning (begins): later, a file that was just made may become readable.
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
	f.leave(info)
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

// seek moves to an offset, or to the end if that is negative. If neither a line begins nor
// the file ends at the offset, the file is another one or was truncated: seek then goes to
// the beginning.
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
