//go:build !linux

package socket

func (f *folderWatch) start() (end func()) { return f.lookAround() }
