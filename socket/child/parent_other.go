//go:build !linux

package child

import "os/exec"

// dieWithParent does nothing. The end of the connection ends the child's server.
func dieWithParent(*exec.Cmd) {}
