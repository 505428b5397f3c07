package wire

import "sync"

// Buffers come in two sizes, from two pools. A Reader or Output takes one when it gets bytes,
// and returns it when it has none.
const (
	smallBuffer = 4 << 10
	largeBuffer = 64 << 10
)

// FlushAt is the number of bytes in an Output from which on its owner should write, instead of
// adding more frames for the same write.
const FlushAt = largeBuffer / 2

var (
	smallBuffers = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
)

// takeBuffer returns a buffer of at least size bytes with any content.
func takeBuffer(size int) []byte {
	switch {
	case size <= smallBuffer:
		return smallBuffers.Get().(*[smallBuffer]byte)[:]
	case size <= largeBuffer:
		return largeBuffers.Get().(*[largeBuffer]byte)[:]
	}
	return make([]byte, size)
}

// giveBuffer returns a buffer to its pool. There must be no other reference to it.
func giveBuffer(buffer []byte) {
	switch cap(buffer) {
	case smallBuffer:
		smallBuffers.Put((*[smallBuffer]byte)(buffer[:smallBuffer]))
	case largeBuffer:
		largeBuffers.Put((*[largeBuffer]byte)(buffer[:largeBuffer]))
	}
}
