//go:build !unix

package socket

import (
	"os"
	"syscall"
)

var gracefulSignals = []os.Signal{os.Interrupt, syscall.SIGTERM}
