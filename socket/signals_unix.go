//go:build unix

package socket

import (
	"os"
	"syscall"
)

var gracefulSignals = []os.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGABRT, syscall.SIGTERM, syscall.SIGTSTP, syscall.SIGALRM,
}
