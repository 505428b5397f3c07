//go:build unix && !linux

package socket

// isUnmapped: there are no user namespaces here.
func isUnmapped(int) bool { return false }
