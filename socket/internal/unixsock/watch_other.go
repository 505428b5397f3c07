//go:build !linux

package unixsock

func (f *FolderWatch) start() (end func()) { return f.lookAround() }
