package system

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
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
// the files that are no older than the current one. A file without content does not count
// yet: until it has some, the old file may still be written to.
func (f *follower) successor() string {
	if current, err := os.Stat(f.path); err == nil && os.SameFile(current, f.info) {
		return ""
	}
	var next candidate
	for _, c := range candidates(f.path) {
		switch modified := c.info.ModTime(); {
		case c.info.Size() == 0 || modified.Before(f.info.ModTime()) && c.path != f.path:
		case os.SameFile(c.info, f.info) || f.before != nil && os.SameFile(c.info, f.before):
		case next.info == nil || modified.Before(next.info.ModTime()):
			next = c
		}
	}
	return next.path
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
