package system

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// Rotation says when a [RotatingFile] begins a new file, how many old ones it keeps, and
// when its contents are on the disk. The zero value never rotates, and leaves it to the
// system when contents reach the disk.
type Rotation struct {
	// MaxSize is how many bytes a file may have: a write that would make it larger begins a
	// new one. A single write that is larger has a file of its own. Zero or less is no limit.
	MaxSize int64

	// At begins a new file with the first write after each of its times: Daily(0, 0, nil)
	// is a file a day. For a file that exists already, the times count from its last write.
	// A nil At begins none.
	At Schedule

	// Keep is how many old files are kept: path.1 is the latest. Zero or less is 5.
	Keep int

	// Sync is the longest time until a write is on the disk; before that, a crash of the
	// machine loses it. Zero leaves that time to the system. With less than zero, each
	// Write returns when it is on the disk.
	Sync time.Duration
}

// RotatingFile is a file of lines that is appended to and rotated by rename. Its methods may
// be called from any goroutine.
type RotatingFile struct {
	path     string
	rotation Rotation
	now      func() time.Time

	mu     sync.Mutex
	file   *os.File // nil when closed, and when a rotation could not open it
	over   bool     // the user has closed it
	size   int64
	due    time.Time   // when At says so next
	timer  *time.Timer // runs Sync's sync; nil before it is first needed
	dirty  bool        // timer is running
	failed error       // of a sync in the background, for the next caller
}

// OpenRotating opens the file at path, or makes it with mode 0644. If its last line has no
// "\n", as after a crash, OpenRotating adds one. It fails with the errors of package os.
func OpenRotating(path string, rotation Rotation) (*RotatingFile, error) {
	return openRotating(path, rotation, time.Now)
}

func openRotating(path string, rotation Rotation, now func() time.Time) (*RotatingFile, error) {
	if rotation.Keep <= 0 {
		rotation.Keep = 5
	}
	f := &RotatingFile{path: path, rotation: rotation, now: now}
	if err := f.open(); err != nil {
		return nil, err
	}
	return f, nil
}

// Write appends b, in a new file if the rotation says so. What one Write writes is in one file.
// A Write that cannot rotate writes nothing and returns the error; the next one tries again.
// So does a Write after a sync in the background that failed. After Close, Write fails with
// [fs.ErrClosed], as Sync and a second Close do.
func (f *RotatingFile) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.ready(int64(len(b))); err != nil {
		return 0, err
	}
	n, err := f.file.Write(b)
	f.size += int64(n)
	if err != nil {
		return n, err
	}
	return n, f.synced()
}

// Sync returns when all that was written is on the disk.
func (f *RotatingFile) Sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.over:
		return f.closed()
	case f.file == nil: // the sync of the last file was done, or its error returned
		return nil
	}
	return f.file.Sync()
}

// Close closes the file, after a sync unless the rotation leaves that to the system. It also
// returns the error of a sync in the background that no Write has returned.
func (f *RotatingFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return f.closed()
	}
	f.over = true
	if f.file == nil {
		return nil
	}
	return f.close()
}

func (f *RotatingFile) closed() error {
	return &fs.PathError{Op: "write", Path: f.path, Err: fs.ErrClosed}
}

// ready makes sure that a file is open, and that it may take so many bytes more.
func (f *RotatingFile) ready(more int64) error {
	if err := f.failed; err != nil {
		f.failed = nil
		return err
	}
	switch {
	case f.over:
		return f.closed()
	case f.file == nil:
		if err := f.open(); err != nil {
			return err
		}
	}
	full := f.rotation.MaxSize > 0 && f.size > 0 && f.size+more > f.rotation.MaxSize
	late := f.rotation.At != nil && !f.now().Before(f.due)
	switch {
	case late && f.size == 0:
		f.due = f.rotation.At(f.now())
	case full || late:
		return f.rotate()
	}
	return nil
}

// rotate makes the file an old one and begins another.
func (f *RotatingFile) rotate() error {
	if err := f.close(); err != nil {
		return errors.Join(err, f.open())
	}
	os.Remove(f.old(f.rotation.Keep))
	for i := f.rotation.Keep - 1; i >= 0; i-- {
		if err := os.Rename(f.old(i), f.old(i+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(err, f.open())
		}
	}
	return f.open()
}

// old is the path of the nth old file; 0 is the current file.
func (f *RotatingFile) old(n int) string {
	if n == 0 {
		return f.path
	}
	return f.path + "." + strconv.Itoa(n)
}

func (f *RotatingFile) open() error {
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	if err := f.begin(file); err != nil {
		file.Close()
		return err
	}
	f.file = file
	return nil
}

// begin learns how far a file is and ends its last line.
func (f *RotatingFile) begin(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	f.size = info.Size()
	if f.rotation.At != nil {
		last := f.now()
		if f.size > 0 {
			last = info.ModTime()
		}
		f.due = f.rotation.At(last)
	}
	var last [1]byte
	if f.size > 0 {
		if _, err := file.ReadAt(last[:], f.size-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			n, err := file.WriteString("\n")
			f.size += int64(n)
			return err
		}
	} else if f.rotation.Sync != 0 {
		syncFolder(filepath.Dir(f.path))
	}
	return nil
}

// syncFolder puts a new name on the disk, where the system lets a folder be synced.
func syncFolder(path string) {
	if folder, err := os.Open(path); err == nil {
		folder.Sync()
		folder.Close()
	}
}

func (f *RotatingFile) close() error {
	if f.timer != nil {
		f.timer.Stop()
	}
	f.dirty = false
	var err error
	if f.rotation.Sync != 0 {
		err = f.file.Sync()
	}
	err = errors.Join(f.failed, err, f.file.Close())
	f.file, f.failed = nil, nil
	return err
}

// synced syncs the file, now or later.
func (f *RotatingFile) synced() error {
	switch {
	case f.rotation.Sync < 0:
		return f.file.Sync()
	case f.rotation.Sync == 0 || f.dirty:
	case f.timer == nil:
		f.dirty = true
		f.timer = time.AfterFunc(f.rotation.Sync, f.syncLater)
	default:
		f.dirty = true
		f.timer.Reset(f.rotation.Sync)
	}
	return nil
}

func (f *RotatingFile) syncLater() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil || !f.dirty {
		return
	}
	f.dirty = false
	if err := f.file.Sync(); err != nil {
		f.failed = err
	}
}

// Append writes the values of each run to a [RotatingFile], which is open during the run,
// and passes each value on once it is written. The operator that writes is made by write:
//
//	system.Append("events.jsonl", system.Rotation{MaxSize: 64 << 20}, text.WriteJSON[Event])
//
// It ends as the source does. It fails with the errors of the file, and of write.
func Append[T any](path string, rotation Rotation, write func(io.Writer) stream.Operator[T, T]) stream.Operator[T, T] {
	mustHave("Append", "function", write != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Append", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) (err error) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			file, err := OpenRotating(path, rotation)
			if err != nil {
				return err
			}
			defer func() {
				if failed := file.Close(); err == nil {
					err = failed
				}
			}()
			return write(file)(source)(ctx, yield)
		}
	}
}
