//go:build unix && !darwin && !linux

package framed

import "syscall"

// gather writes the pieces one after the other.
func gather(descriptor int, pieces [][]byte) (written int, err error) {
	for _, piece := range pieces {
		n, err := syscall.Write(descriptor, piece)
		written += max(n, 0)
		if err != nil || n < len(piece) {
			return written, err
		}
	}
	return written, nil
}
