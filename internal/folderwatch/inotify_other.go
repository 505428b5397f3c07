//go:build !linux

package folderwatch

func (w *Watch) start() (end func()) { return w.lookAround() }
