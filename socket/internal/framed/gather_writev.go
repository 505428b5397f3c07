//go:build darwin || linux

package framed

import "golang.org/x/sys/unix"

// gather makes one write of all pieces.
func gather(descriptor int, pieces [][]byte) (int, error) {
	return unix.Writev(descriptor, pieces[:min(len(pieces), maxPieces)])
}

// maxPieces is how many pieces these systems write at a time.
const maxPieces = 1024
