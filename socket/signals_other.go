//go:build !unix

package socket

import (
	"os"
	"syscall"
)

var askingToEnd = []os.Signal{os.Interrupt, syscall.SIGTERM}
