package socket

import "sync"

// The buffers that bytes pass through come in two sizes and belong to nobody: who
// has bytes takes one, and gives it back without.
const (
	smallBuffer = 4 << 10
	largeBuffer = 64 << 10
)

var (
	smallBuffers = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
)

// takeBuffer returns a buffer of at least size bytes, whatever is in them.
func takeBuffer(size int) []byte {
	switch {
	case size <= smallBuffer:
		return smallBuffers.Get().(*[smallBuffer]byte)[:]
	case size <= largeBuffer:
		return largeBuffers.Get().(*[largeBuffer]byte)[:]
	}
	return make([]byte, size)
}

// giveBuffer gives back a buffer that nobody looks at any more.
func giveBuffer(buffer []byte) {
	switch cap(buffer) {
	case smallBuffer:
		smallBuffers.Put((*[smallBuffer]byte)(buffer[:smallBuffer]))
	case largeBuffer:
		largeBuffers.Put((*[largeBuffer]byte)(buffer[:largeBuffer]))
	}
}
