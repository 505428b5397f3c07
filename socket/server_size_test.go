package socket

import (
	"testing"
	"unsafe"
)

// TestConnectionFitsItsPlaceInMemory keeps a field from costing each connection 128
// bytes: the allocator has places of 768 and of 896, 8 of them its own. On a system with
// shorter words there is more room.
func TestConnectionFitsItsPlaceInMemory(t *testing.T) {
	const place = 768 - 8
	if size := unsafe.Sizeof(*new(Connection)); size > place {
		t.Errorf("a Connection has %d bytes, want %d at most", size, place)
	}
}
