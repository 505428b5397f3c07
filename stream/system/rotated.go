package system

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// rotatedSuffix matches what a rotation adds to a name: a number or a time.
var rotatedSuffix = regexp.MustCompile(`^[-._][0-9][0-9TZ:._-]*$`)

// isRotated reports whether name belongs to an older file of base: app.log.1,
// app.log-20261127, app-2026-11-27T10-00-00.log.
func isRotated(base, name string) bool {
	if rest, ok := strings.CutPrefix(name, base); ok {
		return rotatedSuffix.MatchString(rest)
	}
	extension := filepath.Ext(base)
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(base, extension))
	if !ok || extension == "" {
		return false
	}
	rest, ok = strings.CutSuffix(rest, extension)
	return ok && rotatedSuffix.MatchString(rest)
}

// candidate is a file that may be the one to read.
type candidate struct {
	path string
	info fs.FileInfo
}

// candidates returns the older files of path, and path itself last.
func candidates(path string) (found []candidate) {
	folder, base := filepath.Split(path)
	entries, _ := os.ReadDir(filepath.Clean(folder)) // a folder that cannot be listed has no older files
	for _, entry := range entries {
		if !isRotated(base, entry.Name()) {
			continue
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			found = append(found, candidate{filepath.Join(folder, entry.Name()), info})
		}
	}
	if info, err := os.Stat(path); err == nil {
		found = append(found, candidate{path, info})
	}
	return found
}

// successor returns the path of the file to read next, or "". That is the first in time of
// the rotated files that are no older than the current one and were not left, and path after
// all of them, whatever its time: the wall clock may have been set. A file without content does
// not count yet: until it has some, the old file may still be written to.
func (f *follower) successor() string {
	if current, err := os.Stat(f.path); err == nil && os.SameFile(current, f.info) {
		return ""
	}
	found := candidates(f.path)
	f.left = slices.DeleteFunc(f.left, func(old fs.FileInfo) bool {
		return !slices.ContainsFunc(found, func(c candidate) bool { return unchanged(c.info, old) })
	})
	var next candidate
	for _, c := range found {
		switch modified := c.info.ModTime(); {
		case c.info.Size() == 0 || os.SameFile(c.info, f.info):
		case c.path == f.path: // which is the last of found
			if next.info == nil {
				next = c
			}
		case modified.Before(f.info.ModTime()) || f.wasLeft(c.info):
		case next.info == nil || modified.Before(next.info.ModTime()):
			next = c
		}
	}
	return next.path
}

// unchanged reports whether two infos are of one file that nobody has written to between them.
// A new file may have the numbers of a removed one, but has another time.
func unchanged(a, b fs.FileInfo) bool { return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) }

// wasLeft reports whether a rotated file was read, or is from before the run. A late writer may
// have changed the one that was left last.
func (f *follower) wasLeft(info fs.FileInfo) bool {
	return f.before != nil && os.SameFile(info, f.before) ||
		slices.ContainsFunc(f.left, func(old fs.FileInfo) bool { return unchanged(info, old) })
}

// leave remembers which files are not read again, when the run goes on with the file of next or
// begins there.
func (f *follower) leave(next fs.FileInfo) {
	if f.info != nil {
		f.left = append(f.left, f.info)
		return
	}
	found := candidates(f.path)
	last := len(found) > 0 && found[len(found)-1].path == f.path && os.SameFile(found[len(found)-1].info, next) // all others are older
	for _, c := range found {
		if c.path != f.path && (last || c.info.ModTime().Before(next.ModTime())) {
			f.left = append(f.left, c.info)
		}
	}
}

// begin opens the file where the run is to begin, if it is there.
func (f *follower) begin() error {
	path, offset := f.path, f.From.Offset
	if f.From.Offset > 0 {
		path, offset = find(f.path, f.From)
	}
	_, err := f.open(path, offset, true)
	return err
}

// find returns where the file of a position is now, and the offset at which to go on. If
// that file is not found, it returns the beginning of path.
func find(path string, p Position) (string, int64) {
	for _, c := range candidates(path) {
		if positionOf(c.info, p.Offset) == p && (c.path == path || p.File != 0) {
			return c.path, p.Offset
		}
	}
	return path, 0
}

// positionOf is an offset in a file.
func positionOf(info fs.FileInfo, offset int64) Position {
	device, file := identity(info)
	return Position{Device: device, File: file, Offset: offset}
}
