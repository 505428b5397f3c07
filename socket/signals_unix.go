//go:build unix

package socket

import (
	"os"
	"syscall"
)

var askingToEnd = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}
